import Foundation

extension Machine {
    /// The bytes of memory that this process may have: those of the machine, or of its limits where they are lower.
    ///
    /// Source: `getrlimit(2)`; Linux, Control Group v2, `memory.max`.
    public static var availableMemory: Int {
        var limit = rlimit()
        let addresses = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 ? limit.rlim_cur : .max
        let group = try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
        let limits = [
            Int(clamping: ProcessInfo.processInfo.physicalMemory), Int(clamping: addresses),
            group.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? .max,
        ]
        return limits.min() ?? .max
    }
}
