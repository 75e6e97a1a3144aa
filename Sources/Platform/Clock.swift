/// The time that a body takes, in seconds, on a clock that never goes back.
public func seconds(_ body: () -> Void) -> Double {
    let duration = ContinuousClock().measure(body).components
    return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
}

extension ContinuousClock.Instant {
    /// The seconds since then.
    public var secondsToNow: Double {
        let duration = duration(to: .now).components
        return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    }
}

extension SuspendingClock.Instant {
    /// The seconds from now until then; below 0 where it has passed.
    public var secondsFromNow: Double { SuspendingClock.now.duration(to: self) / .seconds(1) }
}
