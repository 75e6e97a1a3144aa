import Foundation

/// What the processors that this process may use have done since the machine began, in seconds of one processor.
public struct ProcessorTimes: Sendable {
    /// Ran programs, of whomever.
    public let busy: Double
    /// Had something to run, and were given to another guest of the host.
    public let stolen: Double

    /// The times now; nil where the system does not say.
    public static var now: ProcessorTimes? {
        (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)).flatMap {
            ProcessorTimes($0, processors: Affinity.processors, tick: 1 / Double(sysconf(Int32(_SC_CLK_TCK))))
        }
    }

    /// The times of `processors` in the text of `/proc/stat`, which counts in ticks of so many seconds; nil where they are
    /// not there.
    ///
    /// Source: proc(5), on `/proc/stat`.
    init?(_ text: String, processors: [Int], tick: Double) {
        var (busy, stolen, found) = (0.0, 0.0, 0)
        let names = Set(processors.map { "cpu\($0)" })
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            // cpu0 user nice system idle iowait irq softirq steal …
            guard words.count > 8, names.contains(String(words[0])) else { continue }
            let ticks = words[1...8].map { Double($0) ?? 0 }
            busy += (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) * tick
            stolen += ticks[7] * tick
            found += 1
        }
        guard found > 0 else { return nil }
        (self.busy, self.stolen) = (busy, stolen)
    }
}
