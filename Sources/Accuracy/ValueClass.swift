import Foundation
import Kernels
import Tensors

/// How the numbers of a drawn call lie.
public enum ValueClass: String, CaseIterable, Sendable, Hashable {
    /// As the contract draws them: mantissas at random, light tails.
    case usual
    /// Hard on arithmetic, each argument in its own way, see ``HardPattern``; tokens all the same, or as usual.
    case hard
    /// In each row pairs of a number and its negative, so that it sums to 0 exactly.
    case balanced
    /// Below the least normal number, where the argument allows.
    case subnormal
    /// 64 times as large as usual; tokens are the first and the last of the vocabulary.
    case large
    /// All over the range in which functions are not flat, by even steps in a mixed order: from −16 to 16; of positive numbers
    /// every magnitude.
    case sweep
}

/// How numbers that are hard on arithmetic lie to each other.
public enum HardPattern: Sendable, CaseIterable {
    /// As the contract draws them.
    case drawn
    /// All the same, so that roundings add up; the same with signs in turn.
    case alike, alternating
    /// Large numbers of signs in turn, with what the contract draws added.
    case cancelling
    /// One large number in so many small ones.
    case oneLarge
    /// A little above powers of 2, where roundings weigh most.
    case abovePowers
    /// From small to large, or from large to small.
    case rising, falling
}

extension DrawnCall {
    /// How a hard argument's numbers lie.
    public func hardPattern(_ name: String) -> HardPattern {
        var generator = SplitMix64(state: UInt64(hashing: name) ^ seed)
        return HardPattern.allCases.randomElement(using: &generator) ?? .drawn
    }

    /// The number at each flat index of an argument, by the class of values of the call.
    func number(_ argument: Argument, _ distribution: Distribution) -> (Int) -> Float {
        let draw = Draw(argument.name, seed: seed)
        func drawn(_ index: Int) -> Float { draw.number(index, distribution) }
        switch values {
        case .usual: return drawn
        case .hard: return hardNumber(argument, distribution, drawn)
        case .balanced:
            let row = max(argument.shape.last ?? 1, 1)
            return { index in
                guard case .signed = distribution else { return drawn(index) }
                let place = index % row
                if place == row - 1, place.isMultiple(of: 2) { return 0 }
                return place.isMultiple(of: 2) ? drawn(index) : -drawn(index - 1)
            }
        case .subnormal:
            return { index in
                let x = draw.number(index, .signed(4))
                return switch distribution {
                case .signed: x * 0x1p-130
                case .positive: max(abs(x) * 0x1p-128, .leastNonzeroMagnitude)
                case .nearOne: drawn(index)
                }
            }
        case .large: return { distribution.allowed(64 * drawn($0)) }
        case .sweep:
            let (count, start) = (argument.count, draw.number(0, .nearOne))
            return { index in
                // A step near the golden section of the range, which visits every place once.
                let place = Float(index * Self.step(of: count) % count) + start - 0.5
                let t = place / Float(count)
                return switch distribution {
                case .signed: 32 * t - 16
                case .positive: exp2(-126 * t)
                case .nearOne: 0.5 + t
                }
            }
        }
    }

    /// A number near 0.618 of `count` that has no divisor in common with it.
    private static func step(of count: Int) -> Int {
        func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
        let golden = max(Int(0.618 * Double(count)), 1)
        return (golden...).first { divisor($0, count) == 1 } ?? 1
    }

    private func hardNumber(
        _ argument: Argument, _ distribution: Distribution, _ drawn: @escaping (Int) -> Float
    ) -> (Int) -> Float {
        let count = argument.count
        var generator = SplitMix64(state: UInt64(hashing: argument.name) &+ seed)
        let magnitude = Float(sign: .plus, exponent: Int.random(in: -10...2, using: &generator), significand: 1)
        // Not so large that scores of attention err by more than exp can take: errors are derived to first order.
        let ratio = Float(sign: .plus, exponent: Int.random(in: 2...7, using: &generator), significand: 1)
        let (period, one) = (Int.random(in: 2...64, using: &generator), drawn(count))
        let pattern = hardPattern(argument.name)
        return { i in
            let x = drawn(i)
            let sign: Float = i.isMultiple(of: 2) ? 1 : -1
            let number =
                switch pattern {
                case .drawn: x
                case .alike: magnitude * one
                case .alternating: magnitude * sign * one
                case .cancelling: x + sign * ratio * one
                case .oneLarge: i % period == 0 ? x : x / ratio
                case .abovePowers: (1 + Float(i % 4) * .ulpOfOne) * magnitude * (x < 0 ? -1 : 1)
                case .rising: magnitude * one * Float(i + 1) / Float(count)
                case .falling: magnitude * one * Float(count - i) / Float(count)
                }
            return distribution.allowed(number)
        }
    }

    /// The token at each flat index of an argument, by the class of values of the call.
    func token(_ argument: Argument, below bound: Int) -> (Int) -> Int32 {
        let draw = Draw(argument.name, seed: seed)
        func drawn(_ index: Int) -> Int32 { draw.token(index, below: bound) }
        return switch values {
        case .usual, .balanced, .subnormal, .sweep: drawn
        // All alike: one sum takes all.
        case .hard where seed.isMultiple(of: 2): { _ in drawn(0) }
        case .hard: drawn
        case .large: { Int32(drawn($0).isMultiple(of: 2) ? 0 : bound - 1) }
        }
    }
}

extension Distribution {
    /// The number nearest to that which an argument so drawn may be.
    fileprivate func allowed(_ number: Float) -> Float {
        switch self {
        case .signed: number
        case .positive: max(abs(number), 0x1p-100)
        case .nearOne: min(max(abs(number), 0.5), 1.5)
        }
    }
}
