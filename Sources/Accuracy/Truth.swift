import Foundation
import Kernels
import Platform
import ReferenceKernels

/// What a call should compute: the reference's answer in double, with the bound of every element compared.
package struct Truth: Sendable {
    /// One result, or a part of one.
    private struct Part: Sendable {
        let name: String
        /// Where the elements lie in the whole result.
        let indices: [Int]
        let values: [Double]
        let bounds: [Double]
    }

    private let parts: [Part]
    /// The names and sizes of the whole results, in the order of the contract.
    private let results: [(name: String, count: Int)]
    /// The elements compared.
    package let compared: Int

    /// The truth of `task`.
    ///
    /// - Throws: ``TaskError`` where the task's sizes are not to be used.
    package init(_ task: KernelTask) throws(TaskError) {
        let kernels = ReferenceKernels.kernels(over: Double.self)
        guard let kernel = kernels.first(where: { $0.name.description == task.kernel }) else {
            throw TaskError(description: "there is no kernel \(task.kernel)")
        }
        let set = KernelSet<Double>(ReferenceKernels.implementations())
        var parts: [Part] = []
        for sample in Sample.of(task) { parts += try Self.parts(kernel, set, task, sample) }
        self.parts = parts
        results = try Self.results(kernel, task)
        compared = parts.reduce(0) { $0 + $1.values.count }
    }

    /// The elements of all results.
    package var total: Int { results.reduce(0) { $0 + $1.count } }

    private static func results<K: Kernel<Double>>(
        _ kernel: K.Type, _ task: KernelTask
    ) throws(TaskError) -> [(String, Int)] {
        try CallShape(kernel, task).results.map { ($0.name, $0.count) }
    }

    private static func parts<K: Kernel<Double>>(
        _ kernel: K.Type, _ set: KernelSet<Double>, _ task: KernelTask, _ sample: Sample
    ) throws(TaskError) -> [Part] {
        let whole = try CallShape(kernel, task)
        let prepared = try PreparedCall<K>(task, sample: sample)
        let initial = Dictionary(
            uniqueKeysWithValues: prepared.results.map { ($0.argument.name, Array($0.view.buffer)) })
        set.run(prepared.call)
        let truth = Dictionary(uniqueKeysWithValues: prepared.results.map { ($0.argument.name, Array($0.view.buffer)) })
        let errors = RoundingError.of(
            K.name,
            CallValues(
                sizes: sample.sizes, inputs: prepared.inputs.mapValues { Array($0.buffer) }, initial: initial,
                truth: truth))
        return prepared.results.compactMap { argument, view in
            guard sample.results.isEmpty || sample.results.contains(argument.name),
                let result = whole.results.first(where: { $0.name == argument.name })
            else { return nil }
            let index = sample.indices[argument.name] ?? { $0 }
            let kept = (0..<view.count).filter { result.coverage.contains(index($0), shape: result.shape) }
            // Without a gauge of its own, an element is measured by the largest of its tensor.
            let scale = kept.reduce(0) { max($0, abs(view[$1])) }
            return Part(
                name: argument.name, indices: kept.map(index), values: kept.map { view[$0] },
                bounds: kept.map { i in
                    let gauge = errors?[argument.name].map { $0[i] / Double(argument.roundings) } ?? scale
                    return argument.bound(gauge: gauge == 0 ? 0 : max(gauge, RoundingError.leastGauge))
                })
        }
    }

    /// Compares the results that a worker wrote to the file at `path`.
    ///
    /// - Throws: ``TaskError`` when the file is not what the contract says.
    package func accuracy(ofResultsAt path: String) throws(TaskError) -> ResultAccuracy {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped),
            data.count == 4 * total
        else {
            throw TaskError(description: "its results are not the \(total) numbers of the contract")
        }
        var (worst, squares, fractions, finding) = (0.0, 0.0, 0.0, nil as String?)
        data.withUnsafeBytes { bytes in
            var start = 0
            for (name, count) in results {
                for part in parts where part.name == name {
                    for i in part.indices.indices {
                        let actual = Double(
                            bytes.loadUnaligned(fromByteOffset: 4 * (start + part.indices[i]), as: Float.self))
                        let error = actual == part.values[i] ? 0 : abs(actual - part.values[i])
                        squares += error * error
                        // A bound of 0 asks for the truth itself; NaN is never within a bound.
                        let ratio = error == 0 ? 0 : error / part.bounds[i]
                        let fraction = ratio.isNaN ? .infinity : ratio
                        fractions += fraction * fraction
                        guard fraction > worst else { continue }
                        worst = fraction
                        finding =
                            "\(name)[\(part.indices[i])] is \(Formatting.exact(actual)), should be "
                            + Formatting.exact(part.values[i])
                    }
                }
                start += count
            }
        }
        let count = Double(max(compared, 1))
        return ResultAccuracy(
            worst: worst, typical: (fractions / count).squareRoot(), rmse: (squares / count).squareRoot(),
            compared: compared, total: total, finding: worst <= 1 ? nil : finding)
    }
}
