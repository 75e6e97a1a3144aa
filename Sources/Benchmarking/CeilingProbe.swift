import FastKernels
import Kernels
import Platform
import Reporting
import Tensors

/// Measures the machine's limits, for each number of threads: arithmetic, and every level of its memory.
struct CeilingProbe: ~Copyable {
    /// A level of the caches; those beyond the third are left out.
    private struct Level {
        let name: BenchmarkReport.Bound
        let cache: CacheLevel

        init?(_ cache: CacheLevel) {
            guard let name = [1: BenchmarkReport.Bound.l1, 2: .l2, 3: .l3][cache.level] else { return nil }
            (self.name, self.cache) = (name, cache)
        }
    }

    /// What is supposed where the system does not say: small caches, as far as limits go that no kernel should exceed.
    private static let supposed = [
        CacheLevel(level: 1, bytes: 32 << 10, sharers: 1), CacheLevel(level: 2, bytes: 512 << 10, sharers: 1),
    ]
    private static let levels = (CacheLevel.all.isEmpty ? supposed : CacheLevel.all).compactMap(Level.init)

    /// What has to be said of limits that rest on supposed caches; nil where the system described them.
    static var reservation: String? {
        CacheLevel.all.isEmpty
            ? "the system does not say its caches' sizes: limits suppose 32 KiB and 512 KiB for each processor" : nil
    }

    /// How often each loop runs in a look; the fastest counts, since a limit is what is possible.
    private static let repeats = 3
    /// At least so many bytes are moved a time, so that starting threads costs nothing beside it.
    private static let least = 48 << 20

    /// The bytes over which memory is measured: far beyond what any cache holds.
    private let beyond: Int
    private let a, b, c: Tensor<Float>

    init() {
        let largest = Self.levels.map { $0.cache.bytes(forThreads: .max, onProcessors: Affinity.processors.count) }
            .max()
        beyond = min(max(4 * (largest ?? 0), 384 << 20), 1 << 30)
        let elements = beyond / 12
        a = Tensor(repeating: 0, count: elements)
        b = Tensor(repeating: 1, count: elements)
        c = Tensor(repeating: 2, count: elements)
    }

    /// The limits with that many threads.
    func measure(threads: Int) -> BenchmarkReport.MachineCeilings {
        let workers = Workers(count: threads)
        let sink = Tensor<Float>(repeating: 0, count: threads)
        let gflops = [Ceilings.multiplyAdd8, Ceilings.multiplyAdd16].map { loop in
            Self.fastest { loop(1_000_000, workers, sink.view) }
        }.max()
        var nearer = 0
        var bandwidths = Self.levels.map { level in
            let holds = level.cache.bytes(forThreads: threads, onProcessors: Affinity.processors.count)
            // Far beyond the level before, and far below what this one holds, of which others may have their part.
            let footprint = nearer == 0 ? holds / 2 : Int((Double(nearer) * Double(holds)).squareRoot())
            nearer = holds
            return bandwidth(level.name, holds: holds, over: footprint, workers, sink.view)
        }
        bandwidths.append(bandwidth(.memory, holds: beyond, over: beyond, workers, sink.view))
        return BenchmarkReport.MachineCeilings(threads: threads, gflops: gflops ?? 0, bandwidths: bandwidths)
    }

    private func bandwidth(
        _ level: BenchmarkReport.Bound, holds bytes: Int, over footprint: Int, _ workers: Workers,
        _ sink: MutableView<Float>
    ) -> BenchmarkReport.MachineCeilings.Bandwidth {
        let rounds = max(Self.least / footprint, 1)
        /// The first elements of an array, where `arrays` of them have that footprint together.
        func part(_ tensor: borrowing Tensor<Float>, of arrays: Int) -> MutableView<Float> {
            tensor.view.slice(0..<min(footprint / 4 / arrays, beyond / 12))
        }
        let (a3, b3, c3) = (part(a, of: 3), View(part(b, of: 3)), View(part(c, of: 3)))
        let (a2, b2, b1) = (part(a, of: 2), View(part(b, of: 2)), View(part(b, of: 1)))
        return .init(
            level: level, bytes: bytes, read: Self.fastest { Ceilings.read(b1, rounds: rounds, workers, into: sink) },
            triad: Self.fastest { Ceilings.triad(a3, b3, c3, rounds: rounds, workers) },
            update: Self.fastest { Ceilings.update(a2, b2, rounds: rounds, workers) })
    }

    /// The most units, in 10^9 a second, that `loop` reaches.
    private static func fastest(_ loop: () -> Int) -> Double {
        (0..<repeats).map { _ in
            var units = 0
            let elapsed = seconds { units = loop() }
            return Double(units) / elapsed / 1e9
        }.max() ?? 0
    }
}

/// What a call asks of the machine at least.
struct Demand {
    /// What becomes of the bytes that a call moves: the part that is overwritten, and the part that is read and written
    /// in place, each reckoned as read once and written once. The rest is read.
    struct Mix {
        let overwritten, updated: Double
    }

    /// Operations, and bytes read or written, each argument once.
    let operations, bytes: Int
    /// What becomes of those bytes.
    let mix: Mix
    /// The bytes of memory that they lie in, where what is read and written counts once: of all arguments, or those moved
    /// where the call leaves most of them alone.
    let footprint: Int
}

extension BenchmarkReport.MachineCeilings {
    /// The least time that this machine needs for a call, in seconds, and what bounds it most.
    ///
    /// A call made again and again finds of its data at best what each level holds, the nearest first: so many bytes come
    /// from the first level, so many from the next, and the rest from memory, each at the bandwidth of its level.
    ///
    /// Source: Williams, Waterman and Patterson 2009, Roofline: an insightful visual performance model.
    func ceiling(_ demand: Demand) -> (seconds: Double, bound: BenchmarkReport.Bound) {
        let computing = Double(demand.operations) / (gflops * 1e9)
        var (moving, longest) = (0.0, (seconds: 0.0, level: BenchmarkReport.Bound.memory))
        var rest = demand.footprint
        for bandwidth in bandwidths where rest > 0 {
            let held = bandwidth.level == .memory ? rest : min(rest, bandwidth.bytes)
            let moved = Double(demand.bytes) * Double(held) / Double(demand.footprint)
            let seconds = moved * bandwidth.secondsPerByte(demand.mix)
            moving += seconds
            if seconds > longest.seconds { longest = (seconds, bandwidth.level) }
            rest -= held
        }
        return computing >= moving ? (computing, .compute) : (moving, longest.level)
    }
}

extension BenchmarkReport.MachineCeilings.Bandwidth {
    /// The least time of a byte of such a mix, in seconds.
    ///
    /// A byte read takes what the reading loop says. A byte overwritten takes what the triad takes beside its two reads,
    /// and one updated what the update takes beside its one read; where reads and writes go on side by side that may be
    /// little. A store past the caches fetches no line from memory: there overwriting takes what an update's write takes,
    /// where that is less. Nothing is faster than the fastest loop.
    func secondsPerByte(_ mix: Demand.Mix) -> Double {
        let reading = 1 / read
        let updating = max((3 / update - reading) / 2, 0)
        let fetching = max(3 / triad - 2 * reading, 0)
        let overwriting = level == .memory ? min(fetching, max(2 * updating - reading, 0)) : fetching
        let sum =
            (1 - mix.overwritten - mix.updated) * reading + mix.overwritten * overwriting + mix.updated * updating
        return max(sum, 1 / max(read, triad, update)) / 1e9
    }
}
