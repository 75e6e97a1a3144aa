import Foundation

/// Open files by their numbers: writing to them, and waiting for them, but not for ever.
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

    /// Writes all of the bytes; gives what `errno` was where it could not.
    public static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // A reader that asked not to be waited for; it is waited for all the same.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
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
