import Accuracy
import Fixtures
import KernelCatalog
import Kernels
import Testing

/// Which wrong answers a fixture's bounds reject: the rule of fixtures/README.md.
struct FixturePowerTests {
    /// The powers of one bound for all elements.
    private func powers(_ d: [Double], bound: Double, _ shape: [Int]) -> [Mutation: Double] {
        FixturePower(d, bound: [Double](repeating: bound, count: d.count), shape: shape).powers
    }

    @Test func powersOfAMatrix() {
        // Two matrices of two rows.
        let powers = powers([1, 2, 3, 4, 5, 6, 7, 8], bound: 0.5, [2, 2, 2])
        #expect(powers[.zero] == 16)
        #expect(abs((powers[.scaled] ?? 0) - 0.16) < 1e-12)
        // The last element comes first: 8 in the place of 1.
        #expect(powers[.shifted] == 14)
        #expect(powers[.rolled] == 2)
        #expect(powers[.transposed] == 2)
        // The faintest row is [1, 2].
        #expect(powers[.dropped] == 4)
    }

    @Test func powersOfAVector() {
        let powers = powers([Double](repeating: 1, count: 8) + [0.25, 0.25], bound: 0.125, [10])
        #expect(powers[.zero] == 8 && powers[.shifted] == 6)
        // Eight elements make a row, and the rest another.
        #expect(powers[.dropped] == 2)
        #expect(powers[.rolled] == nil && powers[.transposed] == nil)
    }

    /// Each element counts by its own bound: the last in the place of the first, and not the first in that of the last.
    @Test func powersByElement() {
        let powers = FixturePower([1, 2, 10], bound: [1, 4, 100], shape: [3]).powers
        #expect(powers[.zero] == 1 && powers[.shifted] == 9)
    }

    /// A mutation that changes nothing does not apply, and is no weakness.
    @Test func mutationsThatChangeNothing() {
        let constant = FixturePower([3, 3, 3, 3], bound: [1, 1, 1, 1], shape: [2, 2])
        #expect(Set(constant.powers.keys) == [.zero, .scaled, .dropped])
        let symmetric = FixturePower([1, 5, 5, 2], bound: [1, 1, 1, 1], shape: [2, 2])
        #expect(symmetric.powers[.transposed] == nil && symmetric.powers[.rolled] == 4)
        let row = FixturePower([1, 2, 3], bound: [1, 1, 1], shape: [1, 3])
        #expect(row.powers[.transposed] == nil && row.powers[.rolled] == 2)
        let nothing = FixturePower([0, 0, 0, 0], bound: [1, 1, 1, 1], shape: [2, 2])
        #expect(nothing.powers.isEmpty && nothing.weak.isEmpty)
        // A row of zeros cannot be dropped.
        #expect(powers([0, 0, 4, 4], bound: 1, [2, 2])[.dropped] == 4)
    }

    /// Rejected is what lies beyond two bounds: the wrong answer may round too.
    @Test(arguments: [(1, false), (2, false), (2.001, true), (100, true)])
    func rejection(_ power: Double, isRejected: Bool) {
        let one = FixturePower([power], bound: [1], shape: [1])
        #expect(one.powers[.zero] == power && one.powers[.dropped] == power)
        #expect(one.weak.contains(.zero) != isRejected && one.weak.contains(.dropped) != isRejected)
        // Scaled by 1.01 is 0.01 off at the most.
        #expect(one.weak.contains(.scaled))
        #expect(one.weak == Mutation.allCases.filter(one.weak.contains))
    }

    /// Where the truth is asked exactly, any other answer is rejected.
    @Test func boundsOfZero() {
        let powers = powers([1, 2, 3, 4], bound: 0, [2, 2])
        #expect(powers.count == 6 && powers.values.allSatisfy { $0 == .infinity })
    }

    /// A bound that allows anything rejects nothing, which is no reason to leave a mutation out.
    @Test func boundsOfInfinity() {
        let all = FixturePower([1, 2, 3, 4], bound: [Double](repeating: .infinity, count: 4), shape: [2, 2])
        #expect(all.powers.count == 6 && all.powers.values.allSatisfy { $0 == 0 } && all.weak == Mutation.allCases)
        // A row of which anything may be dropped, beside one that rejects.
        let row = FixturePower([1, 2, 3, 4], bound: [.infinity, .infinity, 0.1, 0.1], shape: [2, 2])
        #expect(row.powers[.dropped] == 0 && row.powers[.zero] == 40)
        let band = FixturePower([1, 2, 3, 4], band: .infinity, shape: [2, 2])
        #expect(band.powers.count == 6 && band.weak == Mutation.allCases)
        // What changes nothing still does not apply.
        #expect(FixturePower([3, 3], bound: [.infinity, .infinity], shape: [2]).powers[.shifted] == nil)
    }

    /// What the contract does not speak of rejects nothing.
    @Test func unspecifiedElements() throws {
        typealias Forward = Attention.Forward<Float>
        let call = DrawnCall(sizes: ["B": 1, "T": 4, "C": 4, "NH": 1])
        let reference = KernelSet(KernelCatalog.standard.exact)
        let values = call.values(of: Forward.InDouble.self, by: reference)
        var truth = values.converted(to: Double.self).results(of: Forward.InDouble.self, by: reference)
        func power() throws -> [Mutation: Double] {
            let made = KernelCase(Forward.self, name: "forward/drawn", values, truth: truth)
            return FixturePower(try #require(made.results.first { $0.argument.name == "preatt" })).powers
        }
        let before = try power()
        #expect(before.count == 6)
        for index in 0..<16 where index % 4 > index / 4 { truth["preatt"]?[index] = 1e6 }
        #expect(try power() == before)
        // A specified one does.
        truth["preatt"]?[4] = 1e6
        #expect(try power() != before)
    }

    /// Of what is added to, the part that is added counts.
    @Test func accumulators() throws {
        typealias Backward = Residual.Backward<Float>
        let initial = [Float](repeating: 1000, count: 6)
        let values = CallValues<Float>(
            sizes: ["N": 6],
            numbers: ["dinp1": initial, "dinp2": initial, "dout": [1, 2, 3, 4, 5, 6]])
        let truth = (1...6).map { 1000 + Double($0) }
        let made = KernelCase(Backward.self, name: "backward/far", values, truth: ["dinp1": truth, "dinp2": truth])
        let result = made.results[0]
        let power = FixturePower(result)
        // 6 of 1 006, in units of its bound.
        #expect(power.powers[.zero] == (0..<6).map { Double($0 + 1) / result.bound[$0] }.max())
    }

    /// A band is judged by the root mean square.
    @Test func powerOfABand() {
        let power = FixturePower([3, 4, 0, 0], band: 0.25, shape: [2, 2])
        #expect(power.powers[.zero] == 10)
        #expect(abs((power.powers[.scaled] ?? 0) - 0.1) < 1e-12)
        #expect(power.powers[.shifted] == (26.0 / 4).squareRoot() / 0.25)
        // The row of zeros is too faint to count; the other is all there is.
        #expect(abs((power.powers[.dropped] ?? 0) - 10) < 1e-9)
        let faint = FixturePower([64, 64, 1, 1], band: 1, shape: [2, 2])
        #expect(abs((faint.powers[.dropped] ?? 0) - 32 * 2.0.squareRoot()) < 1e-9)
        // A row of a sixteenth of the whole does.
        let lesser = FixturePower([64, 64, 4, 4], band: 1, shape: [2, 2])
        #expect(abs((lesser.powers[.dropped] ?? 0) - 2 * 2.0.squareRoot()) < 1e-9)
    }

    // MARK: - Tallies

    /// The words of a tally of cases whose elements are d, each with that bound.
    private func shortfall(_ cases: Int, bounds: (Int) -> Double) -> String? {
        var tally = PowerTally()
        for index in 0..<cases {
            tally.add(
                FixturePower(
                    [300, 900, 1700, 200], bound: [Double](repeating: bounds(index), count: 4), shape: [2, 2]))
        }
        return tally.shortfall
    }

    @Test func tightBoundsHaveNoShortfall() {
        #expect(shortfall(5) { _ in 1 } == nil)
        #expect(shortfall(40) { _ in 1 } == nil)
        #expect(PowerTally().shortfall == nil)
    }

    /// A bound that accepts a wrong answer is named with that answer. 1 % of these values is at most 17.
    @Test(arguments: [
        (1e4, "only 0 of 6 cases would reject a wrong answer that is 'zero'"),
        (100, "only 0 of 6 cases would reject a wrong answer that is 'scaled'"),
    ])
    func boundsThatAreTooWide(_ bound: Double, words: String) { #expect(shortfall(6) { _ in bound } == words) }

    /// Five cases must reject it, and three of four.
    @Test(arguments: [
        (4, 0, "only 4 of 4 cases would reject a wrong answer that is 'zero'"), (5, 0, nil),
        (5, 1, nil), (5, 2, "only 5 of 7 cases would reject a wrong answer that is 'scaled'"), (6, 2, nil),
        (15, 5, nil), (15, 6, "only 15 of 21 cases would reject a wrong answer that is 'scaled'"),
    ])
    func shares(_ tight: Int, _ wide: Int, words: String?) {
        #expect(shortfall(tight + wide) { $0 < tight ? 1 : 100 } == words)
    }
}
