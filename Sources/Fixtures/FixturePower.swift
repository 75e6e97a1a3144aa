import Accuracy

/// Wrong answers that a fixture's bounds must reject. The rule is in fixtures/README.md, "The power of a fixture".
package enum Mutation: String, CaseIterable {
    case zero, scaled, shifted, rolled, transposed, dropped

    /// The power above which a wrong answer is rejected: its own rounding then cannot bring it back.
    static let rejected = 2.0
}

/// How far each wrong answer lies from the truth, in units of the bound.
///
/// A wrong answer puts d′ in the place of d = truth − initial. Elements that the contract does not speak of have d = 0 and
/// do not count.
package struct FixturePower {
    /// The power of each mutation that applies.
    package private(set) var powers: [Mutation: Double] = [:]

    /// The mutations that apply and are not rejected, in the order of the rule.
    package var weak: [Mutation] { Mutation.allCases.filter { !(powers[$0, default: .infinity] > Mutation.rejected) } }

    private let d: [Double]
    private let shape: [Int]

    /// The power of a bound for each element, of those specified alone; of all if not given.
    package init(_ d: [Double], bound: [Double], shape: [Int], specified: [Int]? = nil) {
        self.init(d, shape)
        func fraction(_ index: Int, _ other: Double) -> Double {
            ErrorMeasure.fraction(ErrorMeasure.error(other, d[index]), of: bound[index])
        }
        let specified = specified ?? Array(d.indices)
        measure { mutated in specified.filter { mutated($0) != d[$0] }.map { fraction($0, mutated($0)) }.max() }
        powers[.dropped] = rows.compactMap { row in row.filter { d[$0] != 0 }.map { fraction($0, 0) }.max() }.min()
    }

    /// The power of a band of the root mean square error.
    package init(_ d: [Double], band: Double, shape: [Int]) {
        self.init(d, shape)
        func rms(_ indices: some Collection<Int>, _ error: (Int) -> Double) -> Double {
            (indices.reduce(0) { $0 + error($1) * error($1) } / Double(indices.count)).squareRoot()
        }
        measure { mutated in
            d.indices.contains { mutated($0) != d[$0] } ? rms(d.indices) { mutated($0) - d[$0] } / band : nil
        }
        // No band of many rows can see the faintest of them.
        let whole = rms(d.indices) { d[$0] }
        let dropped = rows.filter { rms($0) { d[$0] } > whole / 32 }.map { row in
            rms(row) { d[$0] } * (Double(row.count) / Double(d.count)).squareRoot() / band
        }
        powers[.dropped] = dropped.min()
    }

    private init(_ d: [Double], _ shape: [Int]) {
        self.d = d
        self.shape = shape
    }

    /// The last axis' rows; eight elements each where there is no other axis.
    private var rows: [Range<Int>] {
        let length = shape.count > 1 ? shape[shape.count - 1] : 8
        return stride(from: 0, to: d.count, by: length).map { $0..<min($0 + length, d.count) }
    }

    /// Takes the power of each mutation but `dropped`, by the distance of a wrong answer from the truth; nil where it is
    /// none, and the mutation does not apply.
    private mutating func measure(_ power: ((Int) -> Double) -> Double?) {
        let (count, columns) = (d.count, shape.last ?? 1)
        let d = d
        powers[.zero] = power { _ in 0 }
        powers[.scaled] = power { 1.01 * d[$0] }
        powers[.shifted] = power { d[($0 + count - 1) % count] }
        guard shape.count > 1 else { return }
        powers[.rolled] = power { $0 % columns == 0 ? d[$0 + columns - 1] : d[$0 - 1] }
        let rows = shape[shape.count - 2]
        guard rows > 1, columns > 1 else { return }
        powers[.transposed] = power { index in
            let (matrix, k) = (index / (rows * columns), index % (rows * columns))
            return d[matrix * rows * columns + k % rows * columns + k / rows]
        }
    }
}

/// The powers of one result over the cases of its kernel.
package struct PowerTally {
    /// How many of the cases to which a mutation applies must reject it, and what share of them.
    private static let least = (cases: 5, share: 0.75)

    private var powers: [Mutation: [Double]] = [:]

    /// Of no cases yet.
    package init() {}

    /// Takes in a case.
    package mutating func add(_ power: FixturePower) { powers.merge(power.powers.mapValues { [$0] }) { $0 + $1 } }

    /// A mutation that too few cases reject, in words; nil where all is well.
    package var shortfall: String? {
        for mutation in Mutation.allCases {
            guard let powers = powers[mutation] else { continue }
            let rejecting = powers.count { $0 > Mutation.rejected }
            guard Double(rejecting) >= max(Double(Self.least.cases), Self.least.share * Double(powers.count)) else {
                return "only \(rejecting) of \(powers.count) cases would reject a wrong answer that is '\(mutation)'"
            }
        }
        return nil
    }
}

extension FixturePower {
    /// The power of the bounds of a case's result.
    package init(_ result: KernelCase.Result) {
        // What is not specified counts as nothing computed.
        var d = [Double](repeating: 0, count: result.truth.count)
        for index in result.specified { d[index] = result.truth[index] - Double(result.initial?[index] ?? 0) }
        self.init(d, bound: result.bound, shape: result.argument.shape, specified: result.specified)
    }
}
