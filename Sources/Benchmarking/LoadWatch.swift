import Foundation
import Platform

/// Watches what else the machine does during a run.
struct LoadWatch {
    private let beginning = ProcessorTimes.now
    /// What the processors did in moments in which this run let them rest, and how long those were, in seconds.
    private var quiet = (busy: 0.0, seconds: 0.0)

    /// A moment, in seconds. The system counts in hundredths.
    private static let moment = 0.2
    /// Below these shares of a processor, and of the time, nothing is said.
    private static let (mostTaken, mostStolen) = (0.1, 0.02)

    /// Looks, in a moment in which nobody works for this run, at what works all the same.
    mutating func look() {
        guard let before = ProcessorTimes.now else { return }
        let start = SuspendingClock.now
        Thread.sleep(forTimeInterval: Self.moment)
        guard let after = ProcessorTimes.now else { return }
        quiet.busy += after.busy - before.busy
        quiet.seconds += -start.secondsFromNow
    }

    /// What was seen, where it is enough to disturb the run.
    var warning: String? {
        guard let beginning, let end = ProcessorTimes.now, quiet.seconds > 0 else { return nil }
        let stolen = end.stolen - beginning.stolen
        return Self.warning(
            taken: quiet.busy / quiet.seconds, of: Affinity.processors.count,
            stolen: stolen / max(end.busy - beginning.busy + stolen, 1))
    }

    /// The warning where other programs take so much of the processors, and other guests so much of the time.
    static func warning(taken: Double, of processors: Int, stolen: Double) -> String? {
        let parts = [
            taken > mostTaken
                ? "other programs took \(Formatting.number(min(taken, Double(processors)))) of \(processors) processors while this run rested"
                : nil,
            stolen > mostStolen
                ? "other guests of its host had \(Formatting.percent(stolen)) of the time that it would have worked"
                : nil,
        ].compactMap(\.self)
        return parts.isEmpty
            ? nil : "the machine was busy: \(parts.joined(separator: ", and ")); times may be longer than they need be"
    }
}
