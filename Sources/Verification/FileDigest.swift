import Foundation

/// The SHA-256 of a file, computed by `sha256sum` while the caller goes on.
final class FileDigest {
    private let process = Process()
    private let output = Pipe()

    /// Starts on the file at `path`.
    init(_ path: String) {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sha256sum", "--", path]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try? process.run()
    }

    /// The digest in hexadecimal; waits for it. `unavailable` where there is no `sha256sum`.
    lazy var value: String = {
        guard process.processIdentifier > 0 else { return "unavailable" }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // A backslash stands before the digest of a file whose name has one.
        let digest = text.drop { $0 == "\\" }.prefix { $0.isHexDigit }
        return process.terminationStatus == 0 && digest.count == 64 ? String(digest) : "unavailable"
    }()
}
