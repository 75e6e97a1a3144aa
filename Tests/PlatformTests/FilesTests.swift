import Foundation
import Platform
import TestSupport
import Testing

/// Files that are written whole or not at all, whatever their path names.
struct FilesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ name: String) throws -> String { try String(decoding: folder.data(name), as: UTF8.self) }

    private func kind(_ name: String) -> mode_t {
        var status = stat()
        return lstat(folder(name), &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    private func error(_ path: String) -> String {
        #expect(throws: FileWriteError.self) { try AtomicFile.attempt(path) }
        do throws(FileWriteError) {
            try AtomicFile.write(Data("new".utf8), to: path)
            return ""
        } catch { return error.description }
    }

    @Test func newAndReplaced() throws {
        try AtomicFile.write(Data("one".utf8), to: folder("a/b/c"))
        #expect(try text("a/b/c") == "one" && folder.names(in: "a/b") == ["c"])
        chmod(folder("a/b/c"), 0o640)
        try AtomicFile.write(Data("two".utf8), to: folder("a/b/c"))
        var status = stat()
        #expect(stat(folder("a/b/c"), &status) == 0 && status.st_mode & 0o777 == 0o640)
        #expect(try text("a/b/c") == "two" && folder.names(in: "a/b") == ["c"])
    }

    @Test func linksAreFollowed() throws {
        try folder.write("file", "old")
        for (link, target) in [("l1", "file"), ("l2", "l1"), ("l3", "sub/new"), ("l4", folder("file"))] {
            try FileManager.default.createSymbolicLink(atPath: folder(link), withDestinationPath: target)
            try AtomicFile.write(Data(link.utf8), to: folder(link))
            #expect(kind(link) == S_IFLNK, "\(link)")
            #expect(try text(link) == link, "\(link)")
        }
        #expect(try text("file") == "l4" && text("sub/new") == "l3")
        try FileManager.default.createSymbolicLink(atPath: folder("round"), withDestinationPath: "round")
        #expect(error(folder("round")).contains("circle"))
    }

    @Test func pipesAreWrittenThrough() throws {
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        let reader = open(folder("pipe"), O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try AtomicFile.write(Data("through".utf8), to: folder("pipe"))
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(reader, &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == "through" && kind("pipe") == S_IFIFO)
        #expect(throws: FileWriteError.self) { try AtomicFile.write(to: folder("pipe")) { _ in } }
        #expect(throws: FileWriteError.self) { _ = try ExclusiveFile(folder("pipe")) }
        #expect(throws: FileReadError.self) { _ = try InputFile(folder("pipe")) }
    }

    @Test func unusable() throws {
        try folder.write("file", "kept")
        #expect(error("").contains("variable"))
        #expect(error(folder.path).contains("folder"))
        #expect(error(folder("file/x")).contains("Not a directory"))
        #expect(error(folder("new/")).contains("cannot be written"))
        #expect(error(folder(String(repeating: "x", count: 300))).contains("too long"))
        #expect(error("/proc/nowhere/x").contains("cannot be written"))
        // A name that is just short enough leaves no room for a longer one.
        try AtomicFile.write(Data("x".utf8), to: folder(String(repeating: "x", count: 255)))
        #expect(throws: FileWriteError.self) {
            try AtomicFile.stream(to: folder("file")) { write throws(FileWriteError) in
                try write(Data("half".utf8))
                throw FileWriteError("file", "no more")
            }
        }
        #expect(try text("file") == "kept" && folder.names().count == 2)
        #expect(throws: FileWriteError.self) { _ = try OutputFolder(folder("file")) }
        #expect(throws: FileWriteError.self) { _ = try OutputFolder("") }
    }

    /// What a killed process left goes with the next write; what another still holds stays.
    @Test func abandonedFilesGo() throws {
        try folder.write(".plumbline-1.partial", "abandoned")
        try AtomicFile.write(to: folder("outer")) { outer throws(FileWriteError) in
            try AtomicFile.write(Data("inner".utf8), to: folder("inner"))
            #expect(FileManager.default.fileExists(atPath: outer))
            Self.fill(outer, "outer")
        }
        #expect(folder.names() == ["inner", "outer"])
    }

    @Test func oneWriterAtATime() throws {
        let path = folder("c")
        var first = try ExclusiveFile(path)
        var exists = first.exists
        #expect(!exists)
        do {
            var second = try ExclusiveFile(path)
            try first.write { Self.fill($0, "first") }
            // Both began when there was no file; who was first has it.
            let lost = #expect(throws: FileWriteError.self) { try second.write { Self.fill($0, "second") } }
            #expect(lost?.isTaken == true)
        }
        #expect(throws: FileWriteError.self) { _ = try ExclusiveFile(path) }
        try first.write { Self.fill($0, "again") }
        #expect(throws: FileWriteError.self) { _ = try ExclusiveFile(path) }
        #expect(try text("c") == "again" && folder.names() == ["c"])
        _ = consume first
        let next = try ExclusiveFile(path)
        exists = next.exists
        #expect(exists)
    }

    @Test func shrunkWhileRead() throws {
        let path = try folder.write("data", Data(count: 1000))
        let file = try InputFile(path)
        #expect(try file.count == 1000 && file.data(900..<1000).count == 100)
        #expect(truncate(path, 950) == 0)
        let error = #expect(throws: FileReadError.self) { try file.data(900..<1000) }
        #expect(error?.description.contains("\(path)") == true && error?.description.contains("byte 950") == true)
        #expect(throws: FileReadError.self) { _ = try InputFile(folder.path) }
        #expect(throws: FileReadError.self) { _ = try InputFile(folder("none")) }
    }

    private static func fill(_ path: String, _ text: String) {
        try? Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
