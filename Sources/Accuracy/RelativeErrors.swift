import Foundation

/// The relative errors of a tensor's elements: how many digits of them are right, where any are owed.
///
/// An element whose bound is as large as the truth owes none: a right implementation may lose them all to cancellation, as
/// 1 + tanh does in GELU's tail. That such a one has none is counted, and is no fault.
public struct RelativeErrors: Sendable {
    /// The elements that owe digits.
    public private(set) var count = 0
    /// The elements without a right digit, wrong by half of the truth or more, whether they owe any or not.
    public private(set) var withoutDigits = 0
    /// The largest relative error.
    public private(set) var worst = 0.0
    /// By the power of two below: number i has those of 2^-i and more, and less than 2^-(i - 1); the last has all smaller
    /// ones, the first those that are no numbers.
    private var histogram = InlineArray<31, Int>(repeating: 0)
    private static let last = 30

    /// None yet.
    public init() {}

    /// Takes an element.
    @inline(__always)
    public mutating func add(error: Double, truth: Double, bound: Double) {
        if !(2 * error < abs(truth)), error != 0 { withoutDigits += 1 }
        guard bound < abs(truth), truth.isFinite else { return }
        let relative = error / abs(truth)
        count += 1
        // So that NaN is the worst of all.
        if !(relative <= worst) { worst = relative }
        histogram[Self.bin(of: relative)] += 1
    }

    private static func bin(of relative: Double) -> Int {
        guard relative.isFinite else { return 0 }
        return relative == 0 ? last : min(max(-Int(relative.exponent), 0), last)
    }

    /// Takes those of other elements.
    public mutating func add(_ others: RelativeErrors) {
        count += others.count
        withoutDigits += others.withoutDigits
        if !(others.worst <= worst) { worst = others.worst }
        for i in histogram.indices { histogram[i] += others.histogram[i] }
    }

    /// What that share of the elements does not exceed, up to a factor of 2.
    public func percentile(_ share: Double) -> Double {
        var left = Int((Double(count) * (1 - share)).rounded(.down))
        for i in 0..<Self.last {
            left -= histogram[i]
            if left < 0 { return min(i == 0 ? worst : exp2(1 - Double(i)), worst) }
        }
        return min(exp2(1 - Double(Self.last)), worst)
    }
}
