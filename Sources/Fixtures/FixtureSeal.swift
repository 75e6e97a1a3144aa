import Foundation
import Platform

/// The digest that stands at the start of a fixture, over all that follows: whatever changes a bit of the file is noticed
/// before any of it is believed.
///
/// The first 512 bytes are a user block, which HDF5 leaves to the application: a line that says what the file is, and a
/// line with the SHA-256 of the rest, filled up with zeros.
public enum FixtureSeal {
    static let byteCount = 512
    private static let heading = "plumbline fixture\nsha256 "

    /// Checks the seal of the fixture at `path`, and returns the digest in hexadecimal.
    ///
    /// - Throws: ``FixtureError`` when the file is missing, has no seal, or is not as it was sealed.
    package static func check(_ path: String) throws(FixtureError) -> String {
        let digest = try digest(of: path, from: byteCount)
        guard let file = FileHandle(forReadingAtPath: path), let start = try? file.read(upToCount: byteCount) else {
            throw FixtureError(file: path, "it cannot be read", remedy: "see whether you may read it")
        }
        guard start.count == byteCount, start.starts(with: Data(heading.utf8)) else {
            throw FixtureError(file: path, "it does not start as a fixture does: it is another file, or damaged")
        }
        guard start == seal(digest) else {
            throw FixtureError(file: path, "it is damaged: its content has not the SHA-256 that stands at its start")
        }
        return digest
    }

    /// Seals the fixture at `path` anew, whose first 512 bytes must be a user block.
    ///
    /// For those who change a fixture on purpose; `verify` never does.
    public static func renew(_ path: String) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.write(contentsOf: seal(digest(of: path, from: byteCount)))
        try file.close()
    }

    /// The SHA-256 of a whole file without a seal, or from the byte `start` on, in hexadecimal.
    ///
    /// - Throws: ``FixtureError`` when it cannot be read.
    package static func digest(of path: String, from start: Int = 0) throws(FixtureError) -> String {
        do throws(DigestError) {
            return try Digest.sha256(of: path, from: start)
        } catch {
            throw FixtureError(file: error.file, error.problem, remedy: error.remedy)
        }
    }

    private static func seal(_ digest: String) -> Data {
        var data = Data((heading + digest + "\n").utf8)
        data.append(Data(count: byteCount - data.count))
        return data
    }
}
