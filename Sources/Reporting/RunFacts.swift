import Foundation

/// Facts about the running process and its sources, for reports.
public enum RunFacts {
    /// The short commit of the checkout around the working directory, with `+` where files are changed; nil outside one.
    public static func commit() -> String? {
        guard let commit = git("rev-parse", "--short", "HEAD") else { return nil }
        return commit + (git("status", "--porcelain", "--untracked-files=no")?.isEmpty == false ? "+" : "")
    }

    /// The largest resident memory so far, in bytes.
    public static func peakMemory() -> Int {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }

    private static func git(_ words: String...) -> String? {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + words
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }
}
