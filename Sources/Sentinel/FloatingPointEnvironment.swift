import CSentinel

/// The state of the processor that changes what float arithmetic gives: whether subnormals are flushed to zero, and how
/// results are rounded. Each thread has its own.
///
/// A library that was built with `-Ofast` may change it for the whole process when it is loaded.
public enum FloatingPointEnvironment {
    /// The bits of this thread's control register that change results; 0 is the default.
    public static var control: UInt32 { sentinel_float_control() }

    /// Restores the default on this thread, and says whether it had another.
    @discardableResult
    public static func restore() -> Bool {
        guard control != 0 else { return false }
        sentinel_reset_float_control()
        return true
    }

    /// Has this thread flush subnormals to zero, for tests of the harness itself.
    public static func flushSubnormals() { sentinel_flush_subnormals() }

    /// Has this thread round toward zero, for tests of the harness itself.
    public static func roundTowardZero() { sentinel_round_toward_zero() }
}
