import KernelCatalog
import Kernels
import Testing

@testable import Accuracy

/// What every contract promises, tried on each at drawn sizes: that its rounding errors, its draws and its independent
/// sizes fit its shapes.
struct ContractLawTests {
    private let reference = KernelSet(KernelCatalog.standard.exact)

    /// The calls that each law is tried on: at three sizes, with all arguments, overwriting, and without what may be absent.
    private func calls<K: Kernel<Float>>(of kernel: K.Type) -> [DrawnCall] {
        ([1, 2, 3] as [UInt64]).flatMap { seed -> [DrawnCall] in
            let call = DrawnCall(small: kernel, elements: 3000, seed: seed)
            var (overwriting, without) = (call, call)
            overwriting.overwrites = [.activations, .parameters]
            without.absent = Set(K().signature.arguments.filter(\.isOptional).map(\.name))
            return [call, overwriting, without]
        }
    }

    @Test func roundingErrorsAreDerivedForEveryElement() {
        for kernel in KernelCatalog.standard.kernels { derived(kernel) }
    }

    private func derived<K: Kernel<Float>>(_ kernel: K.Type) {
        for call in calls(of: kernel) {
            let kernelCase = KernelCase(kernel, name: "drawn", call, by: reference)
            #expect(kernelCase.results.contains { result in result.bound.contains { $0 > 0 } })
            for result in kernelCase.results {
                let what = "\(K.name) \(result.argument.name) at \(call.sizes)"
                #expect(!result.specified.isEmpty, "\(what)")
                let wrong = result.specified.first { !(result.bound[$0] >= 0 && result.bound[$0].isFinite) }
                #expect(wrong == nil, "\(what): a bound is not a number")
                // What rounds has an error.
                let exact = result.specified.first {
                    result.bound[$0] == 0 && Double(Float(result.truth[$0])) != result.truth[$0]
                }
                #expect(exact == nil, "\(what): a number that rounds has a bound of 0")
                #expect(result.argument.roundings > 0 || result.bound.allSatisfy { $0 == 0 }, "\(what)")
            }
        }
    }

    @Test func drawsFitTheArguments() {
        for kernel in KernelCatalog.standard.kernels { drawn(kernel) }
    }

    private func drawn<K: Kernel<Float>>(_ kernel: K.Type) {
        for call in calls(of: kernel) {
            let values = call.values(of: K.InDouble.self, by: reference)
            let signature = K(sizes: call.sizes, overwrites: call.overwrites) { _ in nil }.signature
            for argument in signature.arguments where !call.absent.contains(argument.name) {
                let (numbers, tokens) = (values.numbers[argument.name], values.tokens[argument.name])
                switch argument.elements {
                case .tokens(let bound):
                    #expect(tokens?.count == argument.count && tokens?.allSatisfy { 0 <= $0 && $0 < bound } == true)
                case .numbers where argument.role == .output: #expect(numbers == nil)
                case .numbers:
                    #expect(numbers?.count == argument.count)
                    #expect(numbers?.allSatisfy(\.isFinite) == true, "\(K.name) \(argument.name)")
                }
            }
        }
    }

    /// Backward reads nothing that comes from nowhere, and its cotangents and gradients are those of its forward calls.
    @Test func derivativesAreOfForwardKernels() {
        for kernel in KernelCatalog.standard.kernels where kernel.name.pass == .backward {
            let backward = kernel as? any (BackwardKernel & Kernel<Float>).Type
            #expect(backward != nil, "\(kernel.name) names no forward kernel")
            if let backward { derivative(backward) }
        }
    }

    private func derivative<K: BackwardKernel>(_ kernel: K.Type) where K.Scalar == Float {
        let signature = K().signature
        let forward = K.derivative.forward.flatMap { $0.init().signature.arguments }
        let (inputs, results) = (forward.filter { !$0.isResult }, forward.filter(\.isResult))
        #expect(signature.results.contains { gradient in inputs.contains { "d" + $0.name == gradient.name } })
        #expect(signature.arguments.contains { cotangent in results.contains { "d" + $0.name == cotangent.name } })
        for argument in signature.inputs {
            #expect(
                forward.contains { argument.name == $0.name || argument.name == "d" + $0.name },
                "\(K.name) reads \(argument.name), which no forward kernel has")
        }
    }

    /// A part of a call along its independent sizes has the truth and the bounds of the whole.
    @Test func partsHaveTheTruthOfTheWhole() throws {
        var sampled: Set<KernelName> = []
        for kernel in KernelCatalog.standard.kernels { try independent(kernel, &sampled) }
        #expect(sampled == Set(KernelCatalog.standard.kernels.map { $0.name }))
    }

    private func independent<K: Kernel<Float>>(_ kernel: K.Type, _ sampled: inout Set<KernelName>) throws {
        for call in calls(of: kernel) {
            let whole = try Truth(call, of: kernel, by: reference)
            let part = try Truth(call, of: kernel, by: reference, limit: 1)
            if part.compared < whole.compared { sampled.insert(K.name) }
            for (a, b) in zip(whole.results, part.results) {
                let all = Dictionary(uniqueKeysWithValues: zip(a.indices, zip(a.values, a.bounds)))
                let wrong = zip(b.indices, zip(b.values, b.bounds)).first { index, part in
                    guard let expected = all[index] else { return true }
                    return expected.0 != part.0 || abs(expected.1 - part.1) > 1e-9 * part.1
                }
                #expect(wrong == nil, "\(K.name) \(a.argument.name)[\(wrong?.0 ?? 0)] at \(call.sizes)")
            }
        }
    }

    /// Along a linear size, what holds of each position holds of sums over them with signs.
    @Test func linearSizesAreLinear() throws {
        var tried: Set<KernelName> = []
        for kernel in KernelCatalog.standard.kernels { try linear(kernel, &tried) }
        #expect(tried == [KernelName("matmul", .forward), KernelName("matmul", .backward)])
    }

    private func linear<K: Kernel<Float>>(_ kernel: K.Type, _ tried: inout Set<KernelName>) throws {
        for call in calls(of: kernel) {
            let whole = call.signature(K.InDouble.self)
            guard let sums = SignedSums(K.InDouble.self, whole, width: 3, seed: 5) else { continue }
            let values = call.values(of: K.InDouble.self, by: reference)
            let results = values.converted(to: Double.self).results(of: K.InDouble.self, by: reference)
            let truth = sums.truth(of: values, K.InDouble.self, whole, by: reference)
            for (name, folded) in truth {
                let argument = try #require(whole[name])
                let expected = sums.sums(of: try #require(results[name]), argument)
                let wrong = zip(expected, zip(folded.values, folded.deviations)).first { sum, folded in
                    !(abs(sum - folded.0) <= 1e-12 * (1 + abs(sum)) && folded.1 > 0)
                }
                #expect(wrong == nil, "\(K.name) \(name) at \(call.sizes): \(wrong.map { "\($0)" } ?? "")")
                tried.insert(K.name)
            }
        }
    }

    /// By either law, and the random one is the smaller of the two where sums are long.
    @Test func chanceMakesLessThanTheWorst() throws {
        for kernel in KernelCatalog.standard.kernels { try laws(kernel) }
    }

    private func laws<K: Kernel<Float>>(_ kernel: K.Type) throws {
        for call in calls(of: kernel) {
            let values = call.values(of: K.InDouble.self, by: reference).converted(to: Double.self)
            let truth = values.results(of: K.InDouble.self, by: reference)
            let worst = values.roundingErrors(of: K.InDouble.self, truth: truth, by: .worst)
            let random = values.roundingErrors(of: K.InDouble.self, truth: truth, by: .random)
            for argument in call.signature(K.InDouble.self).results where !call.absent.contains(argument.name) {
                let (a, b) = try (#require(random[argument.name]), #require(worst[argument.name]))
                let larger = a.indices.first { !(a[$0] <= 1.5 * b[$0]) }
                #expect(larger == nil, "\(K.name) \(argument.name) at \(call.sizes)")
            }
        }
    }
}
