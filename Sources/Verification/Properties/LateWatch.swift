import Foundation

/// The memory of a kernel's last call, which nobody may write to after the call returned.
struct LateWatch {
    /// What the arguments and all around them held when the call returned, and what they hold now.
    private let before: [(argument: String, bytes: [UInt8])]
    private let now: () -> [(argument: String, bytes: [UInt8])]
    private let returned: ContinuousClock.Instant

    /// How long after the return it is looked at again.
    private static let delay = Duration.milliseconds(200)

    /// A watch of the call, which has returned just now.
    init<K>(_ call: GuardedCall<K>) {
        returned = .now
        before = call.contents
        now = { call.contents }
    }

    /// What was written since the return, by argument; waits for what is left of the time.
    func findings() -> [(argument: String, note: String)] {
        let rest = Self.delay - returned.duration(to: .now)
        if rest > .zero { usleep(UInt32(rest / .microseconds(1))) }
        return zip(before, now()).filter { $0.bytes != $1.bytes }.map {
            ($0.0.argument, "the kernel wrote to it after its return")
        }
    }
}
