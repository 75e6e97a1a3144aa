import Foundation
import GPT2
import HDF5
import Kernels
import Platform
import Tensors

extension Checkpoint {
    /// Writes a run as the next version of `destination`.
    public static func write(
        _ model: borrowing GPT2<Float>, _ header: Header, to destination: inout ExclusiveFile
    ) throws(FileWriteError) {
        let path = destination.path
        try destination.write { temporary throws(FileWriteError) in
            do {
                try write(model, header, temporary)
                // libhdf5 writes when it closes too, and does not always say that it could not.
                try Checkpoint(readingFrom: temporary).requireParameters(of: model)
            } catch {
                throw FileWriteError(path, (error as? HDF5Error)?.reason ?? "\(error)")
            }
        }
    }

    private static func write(_ model: borrowing GPT2<Float>, _ header: Header, _ path: String) throws {
        let file = try File(creating: path)
        try header.write(to: file)
        for tensor in model.parameterLayout.tensors.tensors {
            try add("parameters", tensor, model.parameters[tensor], to: file)
            guard header.progress.step > 0 else { continue }
            try add("m", tensor, model.firstMoment(tensor), to: file)
            try add("v", tensor, model.secondMoment(tensor), to: file)
        }
        try file.writeManifest()
        try file.flush()
    }

    private static func add(
        _ group: String, _ tensor: TensorSpecification, _ view: View<Float>, to file: borrowing File
    ) throws(HDF5Error) {
        // Random numbers do not deflate.
        try file.createDataset(
            "\(group)/\(tensor.name)", of: Float.self, shape: tensor.shape, level: 0, chunkBytes: 1 << 20
        ).write(from: view.buffer)
    }

    /// Checks that the file holds the model's parameters and moments to the bit.
    private func requireParameters(of model: borrowing GPT2<Float>) throws(TrainingError) {
        for tensor in model.parameterLayout.tensors.tensors {
            try require("parameters", tensor, model.parameters[tensor])
            guard header.progress.step > 0 else { continue }
            try require("m", tensor, model.firstMoment(tensor))
            try require("v", tensor, model.secondMoment(tensor))
        }
    }

    private func require(_ group: String, _ tensor: TensorSpecification, _ view: View<Float>) throws(TrainingError) {
        let stored = Tensor<Float>(repeating: 0, count: view.count)
        try load(group, tensor, into: stored.view)
        guard memcmp(stored.view.base, view.base, 4 * view.count) == 0 else {
            throw TrainingError("\(group)/\(tensor.name) did not reach the file as it is")
        }
    }
}
