import Foundation

/// How the learning rate changes from step to step: a linear warm-up, then half a cosine down to the final rate.
///
///     lr(t) = peak · t/warmup                                                for t ≤ warmup
///     lr(t) = final + (peak − final) · (1 + cos(π·(t−warmup−1)/(steps−warmup)))/2   after
///
/// t counts steps from 1.
///
/// Source: Loshchilov and Hutter 2017, arXiv:1608.03983; nanoGPT `get_lr`; llm.c `schedulers.h`.
public struct LearningRateSchedule: Codable, Sendable, Hashable {
    /// The highest rate, reached at the end of the warm-up.
    public var peak: Double
    /// The rate that the cosine falls to.
    public var final: Double
    /// The steps of the warm-up.
    public var warmupSteps: Int
    /// All steps.
    public var steps: Int

    /// A schedule of those numbers.
    public init(peak: Double, final: Double, warmupSteps: Int, steps: Int) {
        self.peak = peak
        self.final = final
        self.warmupSteps = warmupSteps
        self.steps = steps
    }

    /// The rate of step `t`, from 1.
    public func rate(at t: Int) -> Double {
        if t <= warmupSteps { return peak * Double(t) / Double(warmupSteps) }
        if t > steps { return final }
        let progress = Double(t - warmupSteps - 1) / Double(steps - warmupSteps)
        return final + (peak - final) * (1 + cos(.pi * progress)) / 2
    }
}
