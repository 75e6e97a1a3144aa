import Foundation

/// Commands of the system, run to their end.
public enum Subprocess {
    /// What a command prints to standard output, without blanks around it; nil if it cannot be run or fails.
    ///
    /// Its errors are not shown. `input`, where there is one, is what it reads.
    public static func output(of words: [String], input: FileHandle? = nil) -> String? {
        let process = command(words)
        let output = Pipe()
        if let input { process.standardInput = input }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }

    /// What git prints for those words, for the checkout around the working directory; nil if it fails.
    public static func git(_ words: String...) -> String? { output(of: ["git"] + words) }

    /// Runs a command, in `folder` if there is one, with all that it prints in the file `log`; returns its exit status,
    /// 127 where it cannot be run.
    public static func run(_ words: [String], log: String, in folder: String? = nil) -> Int32 {
        let process = command(words)
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: log)
        process.standardError = process.standardOutput
        guard (try? process.run()) != nil else { return 127 }
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func command(_ words: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        return process
    }
}
