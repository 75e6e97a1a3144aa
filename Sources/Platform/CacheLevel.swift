import Foundation

/// A level of the data caches, as the system describes it.
public struct CacheLevel: Sendable, Hashable {
    /// Its number: 1 is nearest to the registers.
    public let level: Int
    /// What one cache of this level holds, in bytes.
    public let bytes: Int
    /// The processors that share one.
    public let sharers: Int

    /// A level as described.
    public init(level: Int, bytes: Int, sharers: Int) {
        (self.level, self.bytes, self.sharers) = (level, bytes, sharers)
    }

    /// What so many threads have of this level together, in bytes, on so many processors.
    public func bytes(forThreads threads: Int, onProcessors processors: Int) -> Int {
        let caches = (max(processors, 1) + sharers - 1) / sharers
        return bytes * max(min(threads, caches), 1)
    }

    /// The levels of this machine, the nearest first; none where the system does not say.
    public static let all: [CacheLevel] = {
        let folder = "/sys/devices/system/cpu/cpu\(Affinity.processors.first ?? 0)/cache"
        let levels = (0..<8).compactMap { CacheLevel(describedIn: "\(folder)/index\($0)") }
        return levels.sorted { $0.level < $1.level }
    }()

    /// The level that a folder of Linux's `sysfs` describes; nil where it is none, or one for instructions.
    ///
    /// Source: Linux, Documentation/ABI/testing/sysfs-devices-system-cpu.
    public init?(describedIn folder: String) {
        func text(_ name: String) -> String? {
            (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))?
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard let type = text("type"), type != "Instruction", let level = text("level").flatMap({ Int($0) }),
            let size = text("size"), size.hasSuffix("K"), let kilobytes = Int(size.dropLast()),
            let sharers = text("shared_cpu_list").flatMap(Self.count), sharers > 0
        else { return nil }
        self.init(level: level, bytes: kilobytes << 10, sharers: sharers)
    }

    /// How many numbers a list such as `0-3,8` has; nil where it is none.
    private static func count(_ list: String) -> Int? {
        var total = 0
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, last >= first else { return nil }
            total += last - first + 1
        }
        return total
    }
}
