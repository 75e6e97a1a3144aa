import CSentinel

/// What a crash of this process is told by.
public enum CrashNote {
    /// From now on, a crash prints `description` to standard error, with the signal, and exits with code 1; nil restores
    /// the system's ways.
    public static func set(_ description: String?) { sentinel_describe(description) }
}
