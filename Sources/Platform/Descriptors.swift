import Foundation

/// Waits for descriptors, but not for ever.
public enum Descriptors {
    /// What is waited for.
    public enum Event: Sendable {
        /// The descriptor has something to read, or is at its end.
        case input(Int32)
        /// The descriptor takes more, or will never.
        case room(Int32)

        fileprivate var request: pollfd {
            switch self {
            case .input(let descriptor): pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            case .room(let descriptor): pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            }
        }
    }

    /// Waits for the first of some events, for up to that many seconds, and says of each whether it is there.
    ///
    /// The time that the machine sleeps does not count.
    public static func wait(for events: [Event], within seconds: Double) -> [Bool] {
        var requests = events.map(\.request)
        let deadline = SuspendingClock.now + .seconds(seconds)
        while true {
            let left = (SuspendingClock.now.duration(to: deadline) / .milliseconds(1)).rounded(.up)
            let count = poll(&requests, nfds_t(requests.count), Int32(min(max(left, 0), 1e9)))
            // A signal ends the call early, and so does the longest time that it takes.
            guard count <= 0, left > 0 else { break }
        }
        return requests.map { $0.revents != 0 }
    }
}
