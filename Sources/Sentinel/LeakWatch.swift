import CSentinel
import Foundation

/// Watches what a process holds while it makes the same call again and again: what grows all the time leaks. What grows
/// for some calls only, as caches do, does not.
public struct LeakWatch: Sendable {
    /// What can leak.
    public enum Resource: Int, CaseIterable, Sendable {
        case heap, mapped, descriptors, threads
    }

    /// The calls from one look to the next.
    public static let window = 100
    /// How much a window of calls leaves behind at least where something leaks: 4 KiB a call, or something in every tenth.
    private static let least = [4096, 4096, 0.1, 0.1].map { Int64($0 * Double(window)) }
    /// So many looks in a row must have found more; fewer where much is lost, which the machine may need.
    private static let looks = 6
    private static let looksIfLarge = 2
    private static let large: Int64 = 64 << 20

    private var last = Self.holdings
    private var growth = [(looks: Int, amount: Int64)](repeating: (0, 0), count: Resource.allCases.count)

    /// A watch that begins now.
    public init() {}

    /// Looks once ``window`` calls more were made; gives what leaks, if that is certain, and how much a call leaves behind.
    public mutating func look() -> (resource: Resource, perCall: Int)? {
        let now = Self.holdings
        defer { last = now }
        for index in now.indices {
            let more = now[index] - last[index]
            guard more >= Self.least[index] else {
                growth[index] = (0, 0)
                continue
            }
            growth[index] = (growth[index].looks + 1, growth[index].amount + more)
        }
        return Resource.allCases.reversed().lazy.compactMap { [growth] resource in
            let (looks, amount) = growth[resource.rawValue]
            let isBytes = resource == .heap || resource == .mapped
            guard looks >= Self.looks || isBytes && looks >= Self.looksIfLarge && amount >= Self.large else {
                return nil
            }
            return (resource, Int(amount) / (looks * Self.window))
        }.first
    }

    /// Whether it is the calls that make the process hold more of `resource`, where other threads allocate as well: ``window``
    /// of them, which `calls` makes, against as much time without any, several times.
    public static func blames(_ resource: Resource, _ calls: () -> Void) -> Bool {
        var (during, between) = (Int64(0), Int64(0))
        for _ in 0..<looks {
            let (start, began) = (holdings[resource.rawValue], ContinuousClock.now)
            calls()
            let (middle, took) = (holdings[resource.rawValue], began.duration(to: .now))
            usleep(UInt32(min(took / .microseconds(1), 1e6)))
            let end = holdings[resource.rawValue]
            guard (middle - start) - (end - middle) >= least[resource.rawValue] else { return false }
            (during, between) = (during + middle - start, between + end - middle)
        }
        return during >= 2 * between
    }

    private static var holdings: [Int64] {
        let held = sentinel_hold()
        return [held.heap, held.mapped, held.descriptors, held.threads]
    }

    /// The threads of this process.
    public static var threads: Int { Int(sentinel_hold().threads) }

    /// Whether malloc gives out no memory twice, as it does after some was freed twice. Not for a process that must live.
    public static var isHeapSound: Bool { sentinel_heap_is_sound() != 0 }
}

extension LeakWatch.Resource {
    /// What to say of a kernel that leaves so much behind in every call.
    public func note(perCall amount: Int) -> String {
        switch self {
        case .heap, .mapped: "the kernel leaks memory: \(amount / 1024) KiB in every call"
        case .descriptors: "the kernel leaks file descriptors"
        case .threads: "the kernel leaves threads running, more with every call"
        }
    }
}
