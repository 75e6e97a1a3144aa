import Foundation
import Platform
import TestSupport
import Testing

/// Checksums are taken in the process, and what cannot be read says so.
struct DigestTests {
    /// Of NIST's examples of SHA-256, by the lengths of their texts, and of a million times `a`.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func examples(_ text: String, digest: String) throws {
        let folder = try TemporaryFolder()
        #expect(try Digest.sha256(of: folder.write("text", text)) == digest)
        #expect(try Digest.sha256(of: folder.write("text", "before" + text), from: 6) == digest)
    }

    /// A file of several slabs.
    @Test func slabs() throws {
        let folder = try TemporaryFolder()
        let long = Data((0..<(5 << 20) / 2).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
        let path = try folder.write("long", long)
        let start = try Digest.sha256(of: folder.write("start", long.prefix(long.count - 1)))
        #expect(try Digest.sha256(of: path) != start)
        #expect(
            try Digest.sha256(of: path, from: 3 << 19)
                == Digest.sha256(of: folder.write("end", long.dropFirst(3 << 19))))
    }

    @Test func unreadable() throws {
        let folder = try TemporaryFolder()
        func error(_ path: String) throws -> String {
            let error = try #require(throws: FileReadError.self) { try Digest.sha256(of: path) }
            #expect(error.description.hasPrefix("\(path): ") && !error.remedy.isEmpty)
            return error.problem
        }
        #expect(try error(folder("none")) == "there is no such file")
        #expect(try error(folder.path) == "it is no regular file")
        // Nobody writes to it: this must not wait.
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        #expect(try error(folder("pipe")) == "it is no regular file")
    }
}
