import GPT2
import HDF5
import Kernels
import Reporting
import Tensors

extension Checkpoint {
    /// Writes a run to `path`, under a temporary name until it is complete.
    public static func write(_ model: borrowing GPT2<Float>, _ header: Header, to path: String)
        throws(FileWriteError)
    {
        try AtomicFile.write(to: path) { temporary throws(FileWriteError) in
            do {
                let file = try File(creating: temporary)
                try header.write(to: file)
                for tensor in model.parameterLayout.tensors.tensors {
                    try add("parameters", tensor, model.parameters[tensor], to: file)
                    guard header.progress.step > 0 else { continue }
                    try add("m", tensor, model.firstMoment(tensor), to: file)
                    try add("v", tensor, model.secondMoment(tensor), to: file)
                }
                try file.writeManifest()
                try file.flush()
            } catch let error as HDF5Error {
                throw FileWriteError(path, error.detail.isEmpty ? error.problem : error.detail)
            } catch {
                throw FileWriteError(path, "\(error)")
            }
        }
    }

    private static func add(
        _ group: String, _ tensor: TensorSpecification, _ view: View<Float>, to file: borrowing File
    ) throws(HDF5Error) {
        // Random numbers do not deflate.
        try file.createDataset(
            "\(group)/\(tensor.name)", of: Float.self, shape: tensor.shape, level: 0, chunkBytes: 1 << 20
        ).write(from: view.buffer)
    }
}
