import Foundation

/// The SHA-256 of the file at `path` in hexadecimal, by `sha256sum`; `unavailable` where there is no such command.
func sha256(of path: String) -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["sha256sum", "--", path]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return "unavailable" }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // A backslash stands before the digest of a file whose name has one.
    let digest = text.drop { $0 == "\\" }.prefix { $0.isHexDigit }
    return process.terminationStatus == 0 && digest.count == 64 ? String(digest) : "unavailable"
}
