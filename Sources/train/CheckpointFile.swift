import Foundation
import Platform
import Terminal
import Training

/// The file that a run is saved to, which no other run writes meanwhile.
struct CheckpointFile: ~Copyable {
    private var file: ExclusiveFile
    /// Whether somebody chose the name; any free one does otherwise.
    private let isChosen: Bool

    /// Its path.
    var path: String { file.path }
    /// Whether there is something that the run can go on from.
    var exists: Bool { file.exists }

    /// The file of a new run: that of `--checkpoint`, or the first name that is free.
    init(of arguments: CommandArguments) throws {
        let chosen = arguments.value("--checkpoint")
        file =
            if let chosen { try Self.replaceable(chosen, overwrites: arguments.has("--overwrite")) } else {
                try Self.free()
            }
        isChosen = chosen != nil
    }

    private static func replaceable(_ path: String, overwrites: Bool) throws -> ExclusiveFile {
        let file = try ExclusiveFile(path)
        guard file.exists else { return file }
        guard Checkpoint.isOne(path) else {
            throw UsageError("\(path) is there, is no checkpoint of train, and is not overwritten; name another file")
        }
        guard overwrites else {
            throw UsageError(
                "\(path) is there already; go on with it (--resume \(path)), name another, or add --overwrite")
        }
        return file
    }

    /// The file of a run that goes on: that of `--checkpoint`, or the checkpoint at `path` itself.
    init(resuming path: String, _ arguments: CommandArguments) throws {
        if let chosen = arguments.value("--checkpoint"), !Self.isSame(chosen, path) {
            self = try CheckpointFile(of: arguments)
        } else {
            file = try ExclusiveFile(path)
            isChosen = true
        }
    }

    /// Has `save` write the next version. A name that nobody chose, and that another run took meanwhile, gives way to the
    /// next.
    mutating func write(_ save: (inout ExclusiveFile) throws -> Void) throws {
        while true {
            do {
                return try save(&file)
            } catch let error as FileWriteError where error.isTaken && !isChosen {
                file = try Self.free()
            }
        }
    }

    private static func free() throws -> ExclusiveFile {
        for number in 1... {
            let path = "checkpoints/train\(number == 1 ? "" : "-\(number)").h5"
            if !FileManager.default.fileExists(atPath: path) { return try ExclusiveFile(path) }
        }
        preconditionFailure("there is always a next number")
    }

    /// Whether two paths name one file.
    private static func isSame(_ a: String, _ b: String) -> Bool {
        a == b
            || URL(fileURLWithPath: a).resolvingSymlinksInPath() == URL(fileURLWithPath: b).resolvingSymlinksInPath()
    }
}
