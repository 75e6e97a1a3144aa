import CSentinel

/// What a crash of this process is told by, while a kernel runs in it.
public enum CrashNote {
    /// Runs `body`, in which a crash prints `description` to standard error, with the signal, and exits with code 1.
    public static func during<R>(_ description: String, _ body: () -> R) -> R {
        sentinel_describe(description)
        defer { sentinel_describe(nil) }
        return body()
    }

    /// From now on, a crash is not the kernel's: it runs elsewhere.
    public static func clear() { sentinel_describe(nil) }
}
