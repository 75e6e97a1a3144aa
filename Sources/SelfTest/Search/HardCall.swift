import Accuracy
import Kernels
import Tensors

/// A call whose arguments are hard on arithmetic: one size is long, the others are short, and numbers cancel, agree or
/// differ in magnitude. What a backward kernel gets of its forward calls follows from them, as in a drawn call.
struct HardCall: Sendable {
    private let call: DrawnCall

    /// A call of `kernel`, chosen at random, of at most that many elements and operations.
    init<K: Kernel<Float>>(of kernel: K.Type, limit: Int = 1 << 16, using generator: inout SplitMix64) {
        let long = K().signature.sizes.map(\.name).randomElement(using: &generator)
        var (most, sizes) = (1 << 13, [String: Int]())
        let state = generator.next()
        repeat {
            most /= 2
            var short = SplitMix64(state: state)
            sizes = K.sizes { [most] size in
                let count = size.name == long ? most / size.divisor : Int.random(in: 1...3, using: &short)
                return max(size.least, count * size.divisor)
            }
        } while most > 4 && K.work(at: sizes) > limit
        let optional = K().signature.arguments.filter(\.isOptional).map(\.name)
        let absent = Bool.random(using: &generator) ? Set(optional) : []
        let overwrites = Overwriting(rawValue: Int.random(in: 0...3, using: &generator))
        call = DrawnCall(sizes: sizes, absent: absent, overwrites: overwrites, values: .hard, seed: generator.next())
    }

    /// The call as a case, with the truth by a reference in double.
    func kernelCase<K: Kernel<Float>>(of kernel: K.Type, by reference: KernelSet<Double>) -> KernelCase {
        let derived = DrawnCall.derived(of: K.InDouble.self)
        let patterns = call.signature(kernel).arguments.filter { argument in
            guard case .numbers = argument.elements, argument.role != .output else { return false }
            return !call.absent.contains(argument.name) && !derived.contains(argument.name)
        }.map(\.name).sorted().map { "\($0) \(call.hardPattern($0))" }
        let name = ([K.words(forSizes: call.sizes)] + patterns).joined(separator: ", ")
        return KernelCase(kernel, name: name, call, by: reference)
    }
}
