import GPT2
import Platform

extension TrainingSettings {
    /// Checks that a run of a model of that configuration can be: that its tokens can be counted, and that it fits into
    /// memory.
    ///
    /// - Throws: ``TrainingError`` with what it would take, and what there is.
    public func check(_ configuration: Configuration) throws(TrainingError) {
        let tokens = [schedule.steps, batch, sequence, accumulation].reduce(1.0) { $0 * Double($1) }
        guard tokens < Double(Int.max) else {
            throw TrainingError(
                "\(schedule.steps) steps of \(accumulation) batches of \(batch) × \(sequence) tokens are too many to be "
                    + "counted; make --steps, --accumulate or --batch smaller")
        }
        let needed = GPT2<Float>.footprint(of: configuration, batch: batch, sequence: sequence, memory: .lean)
        let available = Machine.availableMemory
        guard needed <= available else {
            throw TrainingError(
                "\(batch) × \(sequence) tokens in a model of \(configuration.summary) are too large: they take "
                    + "\(Formatting.bytes(needed)) of memory, and there are \(Formatting.bytes(available)); make "
                    + "--batch, --sequence or the model smaller")
        }
    }
}
