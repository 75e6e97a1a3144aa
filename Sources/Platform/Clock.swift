/// The time that a body takes, in seconds, on a clock that never goes back.
public func seconds(_ body: () -> Void) -> Double {
    ContinuousClock().measure(body) / .seconds(1)
}

extension ContinuousClock.Instant {
    /// The seconds since then.
    public var secondsToNow: Double { duration(to: .now) / .seconds(1) }
}

extension SuspendingClock.Instant {
    /// The seconds from now until then; below 0 where it has passed.
    public var secondsFromNow: Double { SuspendingClock.now.duration(to: self) / .seconds(1) }
}
