import Foundation
import HDF5
import Kernels
import Platform

/// A case as an HDF5 file, to be looked at with h5py:
///
///     /                  attributes operation, pass, case, implementation, the sizes, what is overwritten
///     inputs/<name>      what is only read, float32 or int32
///     results/<name>/initial   what was added to, float32; absent where the result is overwritten
///     results/<name>/truth     float64; NaN where it was not computed
///     results/<name>/bound     the largest error of a right kernel, float64; NaN where nothing is compared
///     results/<name>/answer    the kernel's, float32
///     results/<name>/torch     PyTorch's, float32; absent for drawn cases
extension CaseRecord {
    /// Writes the file, whole or not at all.
    ///
    /// - Throws: `FileWriteError` where it cannot be written, or does not hold afterwards what was written.
    public func write(to path: String) throws(FileWriteError) {
        try AtomicFile.write(to: path) { temporary throws(FileWriteError) in
            do throws(HDF5Error) {
                let file = try File(creating: temporary)
                try write(to: file)
                try file.flush()
            } catch {
                throw FileWriteError(path, error.reason)
            }
        }
    }

    private func write(to file: borrowing File) throws(HDF5Error) {
        let texts = [
            ("operation", kernel.operation), ("pass", kernel.pass.rawValue), ("case", name),
            ("implementation", implementation),
        ]
        for (name, text) in texts { try file.setAttribute(name, of: "/", to: text) }
        for (name, size) in values.sizes { try file.setAttribute(name, of: "/", to: [Int64(size)]) }
        for (name, number) in values.hyperparameters { try file.setAttribute(name, of: "/", to: [number]) }
        if !values.overwrites.isEmpty {
            try file.setAttribute("overwrites", of: "/", to: [Int64(values.overwrites.rawValue)])
        }
        for input in inputs {
            let path = "inputs/\(input.name)"
            if let tokens = values.tokens[input.name] { try add(path, input.shape, tokens, to: file) }
            if let numbers = values.numbers[input.name] { try add(path, input.shape, numbers, to: file) }
        }
        for result in results {
            let (path, shape) = ("results/\(result.argument.name)", result.argument.shape)
            if let initial = result.initial { try add("\(path)/initial", shape, initial, to: file) }
            try add("\(path)/truth", shape, result.truth, to: file)
            try add("\(path)/bound", shape, result.bound, to: file)
            // A kernel that crashed has left none.
            if !result.answer.isEmpty { try add("\(path)/answer", shape, result.answer, to: file) }
            if let torch = result.torch { try add("\(path)/torch", shape, torch, to: file) }
        }
    }

    private func add<T: Element>(
        _ path: String, _ shape: [Int], _ elements: [T], to file: borrowing File
    ) throws(HDF5Error) {
        // Random numbers do not deflate.
        try file.createDataset(path, of: T.self, shape: shape, level: 0).write(elements)
    }
}
