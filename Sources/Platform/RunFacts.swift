import Foundation

/// Facts about the running process and its sources, for reports.
public enum RunFacts {
    /// The short commit of the checkout around the working directory, with `+` where files are changed; nil outside one.
    public static func commit() -> String? {
        guard let commit = Subprocess.git("rev-parse", "--short", "HEAD") else { return nil }
        return commit + (Subprocess.git("status", "--porcelain", "--untracked-files=no")?.isEmpty == false ? "+" : "")
    }

    /// The largest resident memory so far, in bytes.
    public static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
