import CPlatform

/// Which processors this process runs on.
///
/// Workers of one thread take turns on the same processor: what disturbs it, another guest of the machine or a process
/// that stays there, then disturbs all of them alike.
public enum Affinity {
    /// The processors that the process was started on, up to 1024 a bit each; none where the system does not say.
    private static let all: [UInt64] = {
        var words = [UInt64](repeating: 0, count: 16)
        return processors_get(&words, 8 * words.count) < 0 ? words.map { _ in 0 } : words
    }()

    /// The numbers of the processors that the process was started on; none where the system does not say.
    public static var processors: [Int] {
        all.indices.flatMap { word in (0..<64).filter { all[word] >> $0 & 1 == 1 }.map { 64 * word + $0 } }
    }

    /// Keeps a worker of one thread on the last of its processors, and lets one of several use all.
    public static func set(threads: Int) {
        guard let last = processors.last else { return }
        var chosen = all
        if threads == 1 {
            chosen = all.map { _ in 0 }
            chosen[last / 64] = 1 << (last % 64)
        }
        _ = processors_set(chosen, 8 * chosen.count)
    }
}
