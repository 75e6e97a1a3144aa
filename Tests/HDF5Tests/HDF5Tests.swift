import Foundation
import HDF5
import TestSupport
import Testing

/// What is written is read back, whole and in any part.
@Suite(.serialized)
struct RoundTripTests {
    @Test(arguments: [[], [1], [7], [3, 5], [2, 3, 4], [5, 1, 3, 2], [0], [300, 7]])
    func datasets(shape: [Int]) throws {
        let folder = try TemporaryFolder()
        let path = folder("scratch.h5")
        let count = shape.reduce(1, *)
        let floats = (0..<count).map { Float($0) * 0.5 - 3 }
        do {
            let file = try File(creating: path)
            try file.createDataset("a/b/floats", of: Float.self, shape: shape, chunkBytes: 64).write(floats)
            try file.createDataset("doubles", of: Double.self, shape: shape).write(floats.map(Double.init))
            try file.createDataset("tokens", of: Int32.self, shape: shape).write((0..<count).map(Int32.init))
        }
        let file = try File(reading: path)
        let dataset = try file.dataset("a/b/floats")
        #expect(dataset.shape == shape)
        #expect(dataset.count == count)
        #expect(dataset.type == .float32)
        #expect(try dataset.read(Float.self) == floats)
        #expect(try file.dataset("doubles").read(Double.self) == floats.map(Double.init))
        #expect(try file.dataset("tokens").read(Int32.self) == (0..<count).map(Int32.init))
        #expect(try file.datasets() == ["a/b/floats", "doubles", "tokens"])
        #expect(try file.children(of: "a") == ["b"])
        #expect(dataset.isChecksummed == (!shape.isEmpty && count > 0))
    }

    @Test(arguments: [[23], [4, 6], [3, 4, 5], [2, 3, 2, 5]])
    func everyRange(shape: [Int]) throws {
        let folder = try TemporaryFolder()
        let path = folder("scratch.h5")
        let count = shape.reduce(1, *)
        let values = (0..<count).map(Float.init)
        let file = try File(creating: path)
        let dataset = try file.createDataset("x", of: Float.self, shape: shape, chunkBytes: 32)
        try dataset.write(values)
        for first in 0...count {
            for last in first...count {
                #expect(try dataset.read(Float.self, elements: first..<last) == Array(values[first..<last]))
            }
        }
    }

    @Test func sameContentSameBytes() throws {
        var written: [Data] = []
        for _ in 0..<2 {
            let folder = try TemporaryFolder()
            let path = folder("scratch.h5")
            do {
                let file = try File(creating: path)
                try file.createDataset("a/b/c", of: Float.self, shape: [3]).write([1, 2, 3] as [Float])
                try file.setAttribute("n", of: "a", to: [1 as Int64])
            }
            written.append(try Data(contentsOf: URL(fileURLWithPath: path)))
            // A time in the file would be another by then.
            Thread.sleep(forTimeInterval: 1.1)
        }
        #expect(written[0] == written[1])
    }

    @Test func attributes() throws {
        let folder = try TemporaryFolder()
        let path = folder("scratch.h5")
        do {
            let file = try File(creating: path)
            try file.createGroup("group/inner")
            try file.setAttribute("sizes", of: "group/inner", to: [3, 4, 5] as [Int64])
            try file.setAttribute("rate", of: "/", to: [0.25] as [Float])
            try file.setAttribute("name", of: "group", to: "tinyé")
            try file.setAttribute("name", of: "group", to: "other")
        }
        let file = try File(reading: path)
        #expect(try file.attribute("sizes", of: "group/inner", as: Int64.self) == [3, 4, 5])
        #expect(try file.attribute("rate", of: "/", as: Float.self) == [0.25])
        #expect(try file.textAttribute("name", of: "group") == "other")
        let hasOther = file.hasAttribute("none", of: "group")
        #expect(!hasOther)
    }
}

/// What cannot be read says which file and which object, and never crashes.
@Suite(.serialized)
struct UnreadableTests {
    /// The error of `body`, which must throw one.
    private func error(_ body: () throws -> Void) throws -> String {
        do {
            try body()
        } catch let error as HDF5Error {
            return error.description
        }
        Issue.record("nothing was thrown")
        return ""
    }

    @Test func files() throws {
        #expect(try error { _ = try File(reading: "/no/such/file.h5") } == "/no/such/file.h5: there is no such file")
        #expect(try error { _ = try File(reading: "/tmp") }.contains("folder"))
        let folder = try TemporaryFolder()
        let path = try folder.write("text.h5", "not a fixture")
        #expect(try error { _ = try File(reading: path) } == "\(path): it is not an HDF5 file")
    }

    @Test func truncated() throws {
        let folder = try TemporaryFolder()
        let path = folder("scratch.h5")
        do {
            let file = try File(creating: path)
            try file.createDataset("x", of: Float.self, shape: [1000]).write((0..<1000).map { sin(Float($0)) })
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: path))
        #expect(try error { _ = try File(reading: path) }.contains("truncated or corrupt"))
    }

    @Test func flippedBit() throws {
        let folder = try TemporaryFolder()
        let path = folder("scratch.h5")
        do {
            let file = try File(creating: path)
            try file.createDataset("x", of: Float.self, shape: [1000]).write((0..<1000).map { sin(Float($0)) })
        }
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data[data.count / 2] ^= 4
        try data.write(to: URL(fileURLWithPath: path))
        #expect(
            try error { _ = try File(reading: path).dataset("x").read(Float.self) }
                .hasPrefix("\(path): x: cannot read"))
    }

    @Test func objects() throws {
        let folder = try TemporaryFolder()
        let path = folder("scratch.h5")
        let file = try File(creating: path)
        let dataset = try file.createDataset("x", of: Float.self, shape: [4])
        try dataset.write([1, 2, 3, 4] as [Float])
        #expect(try error { _ = try file.dataset("y/z") } == "\(path): y/z: there is no such dataset")
        #expect(try error { _ = try dataset.read(Double.self) }.contains("x: it holds float32, not float64"))
        #expect(try error { _ = try dataset.read(Float.self, elements: 2..<5) }.contains("elements 2..<5 of 4"))
        #expect(
            try error { _ = try file.attribute("B", of: "x", as: Int64.self) }.contains(
                "x@B: there is no such attribute"))
        #expect(try error { _ = try file.children(of: "none") }.contains("none: there is no such group"))
    }
}
