import Foundation

/// Which processors this process runs on.
///
/// Workers of one thread take turns on the same processor: what disturbs it, another guest of the machine or a process
/// that stays there, then disturbs all of them alike. On systems other than Linux nothing happens.
public enum Affinity {
    /// A set of up to 1024 processors, a bit each: the C library's `cpu_set_t`.
    private typealias Processors = [UInt64]
    private typealias Get = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32
    private typealias Set = @convention(c) (pid_t, Int, UnsafeRawPointer) -> Int32

    /// The processors that the process was started on; none where the system does not say.
    private static let all: Processors = {
        var processors = Processors(repeating: 0, count: 16)
        guard let get = function("sched_getaffinity", Get.self) else { return processors }
        _ = processors.withUnsafeMutableBytes { bytes in bytes.baseAddress.map { get(0, bytes.count, $0) } }
        return processors
    }()

    /// Keeps a worker of one thread on the last of its processors, and lets one of several use all.
    public static func set(threads: Int) {
        guard let set = function("sched_setaffinity", Set.self), let last = all.lastIndex(where: { $0 != 0 }) else {
            return
        }
        var chosen = all
        if threads == 1 {
            chosen = Processors(repeating: 0, count: all.count)
            chosen[last] = 1 << UInt64(63 - all[last].leadingZeroBitCount)
        }
        _ = chosen.withUnsafeBytes { bytes in bytes.baseAddress.map { set(0, bytes.count, $0) } }
    }

    /// A function of the C library that Swift's module of it leaves out (it is a GNU extension).
    private static func function<F>(_ name: String, _: F.Type) -> F? {
        #if os(Linux)
            // The cast is from an address to a function pointer of the type in the library's manual.
            dlsym(nil, name).map { unsafeBitCast($0, to: F.self) }
        #else
            nil
        #endif
    }
}
