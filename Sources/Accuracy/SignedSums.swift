import Kernels
import Tensors

/// Sums of elements with random signs, block by block along a size in which a call is linear: each element of a result is in
/// one, so that a product too large to be computed again is compared whole, at the cost of a small one.
///
///     Σ_o r_o·out[row,o] = inp[row]·Σ_o r_o·weight[o],   r_o = ±1
///
/// Source: Freivalds 1977, Probabilistic machines can use less running time.
struct SignedSums: Sendable {
    /// The size.
    let size: String
    /// Its positions, and how many of them a block has.
    let extent, width: Int
    /// The signs come from this.
    let seed: UInt64

    /// The blocks.
    var count: Int { (extent + width - 1) / width }

    /// Blocks of `width` positions; nil where the call is linear along no size.
    init?<K: Kernel>(_: K.Type, _ whole: Signature, width: Int, seed: UInt64) {
        guard let size = whole.sizes.first(where: \.isLinear) else { return nil }
        (self.size, extent, self.width, self.seed) = (size.name, size.value, width, seed)
    }

    /// Blocks as narrow as leave a call of `kernel` no more work than `limit`, of at least 32 positions; nil where the call is
    /// linear along no size.
    static func of<K: Kernel>(_ kernel: K.Type, _ whole: Signature, limit: Int, seed: UInt64) -> SignedSums? {
        var width = 32
        while let sums = SignedSums(kernel, whole, width: width, seed: seed) {
            if sums.count == 1 || K.work(at: whole.sizes(with: [sums.size: sums.count])) <= limit { return sums }
            width *= 2
        }
        return nil
    }

    /// The sums of an argument's elements, in its order.
    @specialized(where Number == Float)
    func sums<Number: KernelScalar>(of numbers: [Number], _ argument: Argument) -> [Double] {
        fold(numbers, argument) { x, sum, sign in sum + sign * Double(x) }
    }

    /// The roots of the sums of their squares: what the sums come to at random.
    func magnitudes(of numbers: [Float], _ argument: Argument) -> [Double] {
        fold(numbers, argument) { x, sum, _ in sum + Double(x) * Double(x) }.map { $0.squareRoot() }
    }

    @inline(__always)
    private func fold<Number>(
        _ numbers: [Number], _ argument: Argument, _ add: (_ number: Number, _ sum: Double, _ sign: Double) -> Double
    ) -> [Double] {
        guard let (inner, extent) = argument.stride(along: size) else { return [] }
        let outer = argument.count / (extent * inner)
        var generator = SplitMix64(state: seed)
        let signs = (0..<extent).map { _ in generator.next() & 1 == 0 ? 1.0 : -1.0 }
        var sums = [Double](repeating: 0, count: outer * count * inner)
        numbers.withUnsafeBufferPointer { numbers in
            sums.withUnsafeMutableBufferPointer { sums in
                for o in 0..<outer {
                    for position in 0..<extent {
                        let (from, to) = ((o * extent + position) * inner, (o * count + position / width) * inner)
                        for i in 0..<inner { sums[to + i] = add(numbers[from + i], sums[to + i], signs[position]) }
                    }
                }
            }
        }
        return sums
    }

    /// What the call of the sums takes, where `fold` makes them of each argument that has the size.
    private func folded<K: KernelInDouble>(
        _ values: CallValues<Float>, of _: K.Type, _ whole: Signature, by fold: ([Float], Argument) -> [Double]
    ) -> CallValues<Double> {
        let names = Set(whole.arguments.filter { $0.stride(along: size) != nil }.map(\.name))
        var others = values
        others.numbers = values.numbers.filter { !names.contains($0.key) }
        var folded = others.converted(to: Double.self)
        folded.sizes[size] = count
        for argument in whole.arguments where names.contains(argument.name) {
            folded.numbers[argument.name] = values.numbers[argument.name].map { fold($0, argument) }
        }
        return folded
    }

    /// What the sums of each result that has the size should be, and how far from that they are at random.
    func truth<K: KernelInDouble>(
        of values: CallValues<Float>, _ kernel: K.Type, _ whole: Signature, by reference: KernelSet<Double>
    ) -> [String: (values: [Double], deviations: [Double])] {
        let truth = folded(values, of: kernel, whole, by: sums).results(of: kernel, by: reference)
        let errors = folded(values, of: kernel, whole, by: magnitudes).roundingErrors(
            of: kernel, truth: truth, by: .random)
        return Dictionary(
            uniqueKeysWithValues: whole.results.filter { $0.axes.last?.name == size && truth[$0.name] != nil }.map {
                argument in
                let deviations = (errors[argument.name] ?? []).map { argument.bound(error: $0) }
                return (argument.name, (truth[argument.name] ?? [], deviations))
            })
    }
}
