import Foundation
import Platform
import Tensors

/// Hugging Face's file of named tensors: the header's length, the header as JSON, then the data.
///
/// Source: https://huggingface.co/docs/safetensors, "Format".
struct Safetensors {
    /// A tensor of the file.
    struct Entry {
        let format: StoredFloats
        let shape: [Int]
        fileprivate let range: Range<Int>
    }

    let path: String
    /// The tensors by name.
    let entries: [String: Entry]
    private let file: InputFile

    private struct Listing: Codable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    /// Opens the file at `path`.
    init(readingFrom path: String) throws(ModelFormatError) {
        func error(_ problem: String) -> ModelFormatError { ModelFormatError(path, problem) }
        let file: InputFile
        do { file = try InputFile(path) } catch { throw ModelFormatError(error) }
        func bytes(_ range: Range<Int>) throws(ModelFormatError) -> Data {
            do { return try file.data(range) } catch { throw ModelFormatError(error) }
        }
        let count = file.count
        let length =
            count < 8
            ? 0 : try bytes(0..<8).withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length > 1, length <= UInt64(count - 8), length < 100 << 20 else {
            throw error("it is not a safetensors file, or truncated within its header")
        }
        let start = 8 + Int(length)
        guard let header = try? JSONSerialization.jsonObject(with: try bytes(8..<start)) as? [String: Any] else {
            throw error("its header is not JSON; it is not a safetensors file")
        }
        var entries: [String: Entry] = [:]
        for (name, value) in header where name != "__metadata__" {
            guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
                let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
                offsets.count == 2, shape.allSatisfy({ $0 >= 0 && $0 < 1 << 31 })
            else { throw error("\(name): its entry in the header is not a tensor's") }
            guard let format = StoredFloats(rawValue: type) else {
                // Such as a mask of booleans, which no model here reads.
                continue
            }
            guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= count - start,
                offsets[1] - offsets[0] == shape.reduce(format.bytes, { $0.multipliedReportingOverflow(by: $1).0 })
            else { throw error("\(name): its data does not lie in the file; it is truncated or damaged") }
            entries[name] = Entry(format: format, shape: shape, range: start + offsets[0]..<start + offsets[1])
        }
        (self.path, self.file) = (path, file)
        self.entries = entries
    }

    /// Reads a tensor into `view`, which has as many elements.
    func read(_ entry: Entry, into view: MutableView<Float>) throws(ModelFormatError) {
        try entry.format.read(into: view) { bytes throws(ModelFormatError) in
            do throws(FileReadError) {
                try file.read(at: entry.range.lowerBound, into: bytes)
            } catch { throw ModelFormatError(error) }
        }
    }

    /// Writes float32 tensors; `data` makes the data of each in turn.
    static func write(
        _ tensors: [(name: String, shape: [Int])], to path: String, data: (_ name: String) -> Data
    ) throws(FileWriteError) {
        var offset = 0
        var header: [String: Any] = ["__metadata__": ["format": "pt"]]
        for tensor in tensors {
            let end = offset + tensor.shape.reduce(4, *)
            header[tensor.name] =
                ["dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]] as [String: Any]
            offset = end
        }
        guard
            var json = try? JSONSerialization.data(
                withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        else { throw FileWriteError(path, "its header cannot be made") }
        json += Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        try AtomicFile.stream(to: path) { write throws(FileWriteError) in
            try write(withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) })
            try write(json)
            for tensor in tensors { try write(data(tensor.name)) }
        }
    }
}
