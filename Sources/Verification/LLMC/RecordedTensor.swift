import Accuracy
import GPT2
import ModelFormats
import Tensors

/// A tensor that a debug state of llm.c's records.
struct RecordedTensor {
    /// The name of its dataset in a debug state of this project's, and that in reports.
    let path, name: String
    /// The shape in the file.
    let shape: [Int]
    /// Reads its elements from the file.
    let read: () throws(ModelFormatError) -> [Float]
    /// The parameter whose gradient it is, if it is one.
    let parameter: TensorSpecification?

    /// The number of elements.
    var count: Int { shape.reduce(1, *) }

    /// Everything that the state records.
    static func all(of state: LLMCStateFile, _ configuration: Configuration) -> [RecordedTensor] {
        let gradient = state.gradient
        return [
            RecordedTensor(
                path: "activations/logits", name: "logits",
                shape: [state.batch, state.sequence, configuration.vocabularySize],
                read: { () throws(ModelFormatError) in try state.logits() }, parameter: nil),
            RecordedTensor(
                path: "activations/losses", name: "loss", shape: [1],
                read: { () throws(ModelFormatError) in [try state.loss()] }, parameter: nil),
        ]
            + ParameterLayout(configuration).tensors.tensors.map { tensor in
                RecordedTensor(
                    path: "gradients/d\(tensor.name)", name: "d\(tensor.name)", shape: tensor.shape,
                    read: { () throws(ModelFormatError) in try gradient(tensor) }, parameter: tensor)
            }
    }

    /// Measures the error of `actual` beside that of `baseline`.
    func measure(
        _ actual: (Int) -> Double, _ baseline: (Int) -> Double, _ truth: (Int) -> Double
    ) -> ErrorMeasure {
        var measure = ErrorMeasure()
        for index in 0..<count {
            measure.add(
                index: index, actual: actual(index), torch: baseline(index), truth: truth(index), bound: 1)
        }
        return measure
    }
}

extension [RecordedTensor] {
    /// In the order of execution; what was never written comes last.
    func ordered(by writes: [String: CallWatcher.Write]) -> [RecordedTensor] {
        func place(_ tensor: RecordedTensor) -> (Int, String) { (writes[tensor.path]?.order ?? .max, tensor.path) }
        return sorted { place($0) < place($1) }
    }
}
