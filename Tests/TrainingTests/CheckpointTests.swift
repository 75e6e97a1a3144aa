import Foundation
import GPT2
import HDF5
import Tensors
import TestSupport
import Testing
import Training

/// A checkpoint that is not whole is never taken for one.
struct CheckpointTests {
    private func saved(in folder: TemporaryFolder) throws -> String {
        var trainer = try trainer(steps: 4)
        for _ in 0..<2 { _ = try trainer.step() }
        _ = try trainer.validate()
        try trainer.save(to: folder("run.h5"))
        return folder("run.h5")
    }

    @Test func holdsEverything() throws {
        let folder = try TemporaryFolder()
        let header = try Checkpoint(readingFrom: saved(in: folder)).header
        #expect(header.configuration == small)
        #expect(header.progress.settings == settings(steps: 4))
        #expect(header.progress.step == 2 && header.progress.position == 8)
        #expect(header.progress.history.losses.count == 2 && header.progress.history.validationSteps == [2])
        #expect(header.progress.source == TrainingSource(text: ["text"]))
        #expect(header.tokenizer.count == 257 && header.tokenizer.endOfText == 256)
        #expect(!FileManager.default.fileExists(atPath: folder("run.h5.partial")))
    }

    @Test(arguments: 0..<16)
    func truncated(_ part: Int) throws {
        let folder = try TemporaryFolder()
        let data = try contents(saved(in: folder))
        let path = try folder.write("short.h5", data.prefix(data.count * part / 16))
        let error = try #require(throws: TrainingError.self) { _ = try Checkpoint(readingFrom: path) }
        #expect(error.description.hasPrefix(path) && !error.description.contains("\n"))
    }

    /// A flipped bit is found, or lies where nothing is stored.
    @Test(arguments: 0..<24)
    func damaged(_ part: Int) throws {
        let folder = try TemporaryFolder()
        let path = try saved(in: folder)
        let original = try contents(path)
        var whole = try resumed(path)
        while !whole.isDone { _ = try whole.step() }
        try whole.save(to: folder("whole.h5"))

        var data = original
        data[data.count * part / 24 + 40] ^= 16
        let damaged = try folder.write("damaged.h5", data)
        do {
            var run = try resumed(damaged)
            while !run.isDone { _ = try run.step() }
            try run.save(to: folder("end.h5"))
            #expect(try contents(folder("end.h5")) == contents(folder("whole.h5")))
        } catch let error as TrainingError {
            #expect(error.description.contains(damaged))
        }
    }

    @Test func missingAndStrangeDatasets() throws {
        let folder = try TemporaryFolder()
        let path = try saved(in: folder)
        let original = try contents(path)
        func error(_ change: (borrowing File) throws -> Void) throws -> String {
            try original.write(to: URL(fileURLWithPath: path))
            do {
                let file = try File(updating: path)
                try change(file)
            }
            return try #require(throws: TrainingError.self) { _ = try Checkpoint(readingFrom: path) }.description
        }
        #expect(
            try error { try $0.delete("m/transformer.wpe.weight") }.contains("m/transformer.wpe.weight: it is missing"))
        #expect(
            try error { try $0.createDataset("extra", of: Float.self, shape: [1]).write([1 as Float]) }
                .contains("extra: the manifest does not list it"))
        #expect(
            try error { try $0.setAttribute("plumbline_checkpoint", of: "/", to: [2 as Int64]) }.contains("version [2]")
        )
        #expect(try error { try $0.setAttribute("n_head", of: "/", to: [3 as Int64]) }.contains("3 heads"))
        #expect(try error { try $0.setAttribute("n_layer", of: "/", to: [0 as Int64]) }.contains("layers is 0"))
        #expect(try error { try $0.setAttribute("settings", of: "/", to: "{}") }.contains("/@settings"))
        #expect(try error { try $0.setAttribute("step", of: "/", to: [3 as Int64]) }.contains("do not belong together"))
        #expect(
            try error { file in
                try file.delete("manifest")
            }.contains("manifest"))
    }

    @Test func strangeFiles() throws {
        let folder = try TemporaryFolder()
        #expect(throws: TrainingError.self) { _ = try Checkpoint(readingFrom: folder("none.h5")) }
        #expect(throws: TrainingError.self) { _ = try Checkpoint(readingFrom: folder.path) }
        _ = try File(creating: folder("other.h5"))
        let error = try #require(throws: TrainingError.self) { _ = try Checkpoint(readingFrom: folder("other.h5")) }
        #expect(error.description.contains("no checkpoint"))
    }

    @Test func folderThatCannotBeWritten() throws {
        let error = try #require(throws: (any Error).self) { try trainer(steps: 1).save(to: "/dev/null/run.h5") }
        #expect("\(error)".contains("/dev/null/run.h5: cannot be written"))
    }
}
