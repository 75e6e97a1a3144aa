import Accuracy
import Foundation
import HDF5
import KernelCatalog
import Kernels
import Tensors
import TestSupport
import Testing

struct RoundingErrorTests {
    /// The errors here are those that the fixtures' generator computed, rounded up to eight bits, in every case.
    @Test(arguments: KernelCatalog.standard.operations)
    func agreeWithTheFixtures(_ operation: String) throws {
        let file = try File(reading: "\(packageRoot)/fixtures/kernels/\(operation).h5")
        var compared = 0
        for kernel in KernelCatalog.standard.kernels where kernel.name.operation == operation {
            let names = self.names(of: kernel)
            for name in try file.children(of: "/\(kernel.name.pass.rawValue)") {
                let group = "/\(kernel.name.pass.rawValue)/\(name)"
                func doubles(_ path: String) throws -> [Double] {
                    let dataset = try file.dataset("\(group)/\(path)")
                    switch dataset.type {
                    case .float64: return try dataset.read(Double.self)
                    case .float32: return try dataset.read(Float.self).map(Double.init)
                    default: return try dataset.read(Int32.self).map(Double.init)
                    }
                }
                func number<T: Element>(_ name: String, _ type: T.Type) throws -> T? {
                    try file.attribute(name, of: group, as: type).first
                }
                var values = CallValues(sizes: [:], inputs: [:], initial: [:], truth: [:])
                for size in names.sizes { values.sizes[size] = try number(size, Int64.self).map(Int.init) }
                if operation == "adamw" {
                    values.hyperparameters = AdamW.Hyperparameters(
                        learningRate: try #require(try number("learning_rate", Float.self)),
                        beta1: try #require(try number("beta1", Float.self)),
                        beta2: try #require(try number("beta2", Float.self)),
                        eps: try #require(try number("eps", Float.self)),
                        weightDecay: try #require(try number("weight_decay", Float.self)))
                }
                for input in names.inputs where file.exists("\(group)/\(input)") {
                    values.inputs[input] = try doubles(input)
                }
                for result in names.results where file.exists("\(group)/\(result)") {
                    values.truth[result] = try doubles("\(result)/float64")
                    if file.exists("\(group)/\(result)/initial") {
                        values.initial[result] = try doubles("\(result)/initial")
                    }
                }
                let errors = try #require(RoundingError.of(kernel.name, values))
                #expect(Set(errors.keys) == Set(values.truth.keys))
                for (tensor, error) in errors {
                    let roundings = try #require(self.names(of: kernel, values.sizes).roundings[tensor])
                    let gauge = error.map { $0 / Double(roundings) }
                    let stored = try doubles("\(tensor)/gauge")
                    try #require(stored.count == gauge.count)
                    let wrong = gauge.indices.first { !agree(gauge[$0], stored: stored[$0]) } ?? -1
                    #expect(
                        wrong < 0, "\(group)/\(tensor)[\(wrong)]: \(gauge[max(wrong, 0)]), not \(stored[max(wrong, 0)])"
                    )
                    compared += gauge.count
                }
            }
        }
        #expect(compared > 0)
    }

    /// Whether the fixture's gauge is this one, rounded up to eight bits. 0 asks for the truth exactly; what is below the
    /// least gauge was raised to it.
    private func agree(_ gauge: Double, stored: Double) -> Bool {
        guard gauge != 0, stored != 0 else { return gauge == stored }
        let raised = max(gauge, RoundingError.leastGauge)
        return raised <= stored * 1.000001 && stored <= raised * (1 + 0x1p-7) * 1.000001
    }

    private func names<K: Kernel<Float>>(of kernel: K.Type, _ sizes: [String: Int] = [:]) -> Names {
        var (names, call) = (Names(given: sizes), K())
        call.visit(&names)
        return names
    }
}

/// The names of a call's sizes and arguments.
private struct Names: ArgumentVisitor {
    typealias Scalar = Float

    var given: [String: Int] = [:]
    var sizes: [String] = []
    var roundings: [String: Int] = [:]
    var inputs: [String] = []
    var results: [String] = []

    mutating func size(_ name: String, _ value: inout Int) {
        sizes.append(name)
        value = given[name] ?? 0
    }

    func require(_ holds: Bool, _ rule: String) {}
    func hyperparameter(_ name: String, _ value: inout Float) {}
    mutating func input(_ argument: Argument, _ view: inout View<Float>) { inputs.append(argument.name) }
    mutating func tokens(_ argument: Argument, below bound: Int, _ view: inout View<Int32>) {
        inputs.append(argument.name)
    }
    mutating func result(_ argument: Argument, _ view: inout MutableView<Float>) {
        results.append(argument.name)
        roundings[argument.name] = argument.roundings
    }

}
