import CSentinel

/// The state of the processor that changes what float arithmetic does: whether subnormals are flushed to zero, how results
/// are rounded, and which exceptions trap. Each thread has its own.
///
/// A library that was built with `-Ofast` may change it for the whole process when it is loaded.
public enum FloatingPointEnvironment {
    /// What of it is not the default.
    public struct Changes: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Subnormals are flushed to zero, or results rounded otherwise.
        public static let results = Changes(rawValue: 1)
        /// An exception traps, such as a division by zero.
        public static let traps = Changes(rawValue: 2)

        fileprivate init(control: UInt32) {
            self = []
            if control & sentinel_float_results != 0 { insert(.results) }
            if control & sentinel_float_traps != 0 { insert(.traps) }
        }

        /// What to say of a kernel that left it so, on its own thread or on another.
        public func notes(onAnotherThread isElsewhere: Bool = false) -> [String] {
            let place = isElsewhere ? " on another thread" : ""
            return [
                contains(.results)
                    ? "the kernel left another floating-point environment\(place): flush to zero, or rounding" : nil,
                contains(.traps) ? "the kernel left floating-point exceptions unmasked\(place)" : nil,
            ].compactMap(\.self)
        }
    }

    /// What this thread has that is not the default.
    public static var changes: Changes { Changes(control: sentinel_float_control()) }

    /// Restores the default on this thread; gives what was another.
    @discardableResult
    public static func restore() -> Changes {
        let changes = changes
        if !changes.isEmpty { sentinel_reset_float_control() }
        return changes
    }

    /// Restores the default on every other thread of this process that takes signals; gives what was another on any. None
    /// where the processor does not let one thread see another's.
    public static func restoreElsewhere() -> Changes { Changes(control: sentinel_float_control_elsewhere()) }

    /// Has this thread flush subnormals to zero, for tests of the harness itself.
    public static func flushSubnormals() { sentinel_flush_subnormals() }

    /// Has this thread round toward zero, for tests of the harness itself.
    public static func roundTowardZero() { sentinel_round_toward_zero() }

    /// Has a division by zero trap on this thread, for tests of the harness itself.
    public static func trapDivision() { sentinel_trap_division() }
}
