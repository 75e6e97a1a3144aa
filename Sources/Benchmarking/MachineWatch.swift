import Platform
import Reporting

/// Looks again and again at the machine, in turn with what is timed on it: at its limits, and at what else it does.
///
/// A limit is what is possible, so the best of all looks counts: a minute in which the machine was slow then lowers no
/// limit below what a kernel reached in a better one.
struct MachineWatch {
    /// The limits, for each number of threads asked.
    private(set) var ceilings: [BenchmarkReport.MachineCeilings] = []
    /// What else the machine did.
    private(set) var load = LoadWatch()
    private let threads: [Int]
    private var last = ContinuousClock.now
    /// The seconds that the last look took.
    private var cost = 0.0

    /// Between two looks passes so many times what one takes.
    private static let pause = 10.0

    /// A watch that has looked once.
    init(threads: [Int]) {
        self.threads = threads
        look()
    }

    /// Looks, if it is time for that; at the end of a run, of which there is none after, if that takes less than what was
    /// timed since the last look.
    mutating func lookIfDue(atEnd: Bool = false) { if last.secondsToNow > (atEnd ? 1 : Self.pause) * cost { look() } }

    private mutating func look() {
        let start = ContinuousClock.now
        load.look()
        // Its memory is held no longer than this.
        let probe = CeilingProbe()
        let found = threads.map { probe.measure(threads: $0) }
        ceilings = ceilings.isEmpty ? found : zip(ceilings, found).map { $0.best(with: $1) }
        cost = start.secondsToNow
        last = .now
    }
}

extension BenchmarkReport.MachineCeilings {
    /// The higher of these limits and others of as many threads.
    func best(with other: Self) -> Self {
        var best = self
        best.gflops = max(gflops, other.gflops)
        for (index, bandwidth) in other.bandwidths.enumerated() {
            best.bandwidths[index].read = max(best.bandwidths[index].read, bandwidth.read)
            best.bandwidths[index].triad = max(best.bandwidths[index].triad, bandwidth.triad)
            best.bandwidths[index].update = max(best.bandwidths[index].update, bandwidth.update)
        }
        return best
    }
}
