import Foundation
import Platform
import Synchronization

/// Why standard output could not be written, an errno; 0 where it could.
private let outputFailure = Atomic<Int32>(0)

/// The three descriptors that a process is begun with.
enum StandardStreams {
    /// Opens those that were closed, so that no file gets their numbers: nothing is to be read, standard output fails,
    /// standard error is lost.
    static func open() {
        for (descriptor, flags) in [(Int32(0), O_RDONLY), (1, O_RDONLY), (2, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest free number is the one that was closed.
            _ = Foundation.open("/dev/null", flags)
        }
    }

    /// Why standard output could not be written; nil where it could.
    static var failure: String? {
        let number = outputFailure.load(ordering: .relaxed)
        return number == 0 ? nil : number == EBADF ? "it is closed" : String(cString: strerror(number))
    }

    /// Writes to standard output, until that fails. A command's work goes on then: what it saves is worth more than what
    /// it shows.
    static func output(_ text: String) {
        guard outputFailure.load(ordering: .relaxed) == 0, let number = write(text, to: 1) else { return }
        outputFailure.store(number, ordering: .relaxed)
    }

    /// Writes to standard error, as far as it can be written.
    static func error(_ text: String) { _ = write(text, to: 2) }

    /// Writes all of the text; gives what `errno` was where it could not.
    private static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var text = text
        return text.withUTF8 { Descriptors.write(UnsafeRawBufferPointer($0), to: descriptor) }
    }
}
