import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// `train` and `generate` as a person meets them.
struct TrainCommandTests {
    /// A folder to run in, with a text.
    private func folderWithText() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("text.txt", (0..<400).map { "line \($0 % 7) of a text, \($0)\n" }.joined())
        return folder
    }

    private let small = ["--text", "text.txt", "--model", "tiny", "--batch", "2", "--sequence", "16"]

    @Test func trainThenGenerate() throws {
        let folder = try folderWithText()
        let run = try Run("train", small + ["--steps", "60", "--learning-rate", "0.01"], in: folder.path)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.errors.isEmpty)
        #expect(run.output.contains("finished: 60 steps, loss 5."))
        #expect(run.output.contains("saved: checkpoints/train.h5") && run.output.contains("generate --checkpoint"))
        #expect(!run.output.contains("\u{1b}"))
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(folder.names(in: "checkpoints") == ["train.h5"])
        #expect(folder.names(in: "reports") == ["train-dark.svg", "train.json", "train.md", "train.svg"])
        let report = try JSON.report(TrainingReport.self, from: folder.data("reports/train.json"))
        #expect(try RecordSchema("train").problems(in: folder.data("reports/train.json")) == [])
        #expect(report.ending == .finished && report.steps.count == 60 && report.tokensPerSecond > 0)
        #expect(report.steps[59].loss < report.steps[0].loss - 1)
        #expect(report.validations.map(\.step) == [6, 12, 18, 24, 30, 36, 42, 48, 54, 60])
        #expect(report.samples.count == 10)
        #expect(try String(decoding: folder.data("reports/train.svg"), as: UTF8.self).contains("<polyline"))

        let first = try Run("generate", ["--prompt", "line ", "--tokens", "50", "--seed", "3"], in: folder.path)
        let second = try Run("generate", ["--prompt", "line ", "--tokens", "50", "--seed", "3"], in: folder.path)
        let other = try Run("generate", ["--prompt", "line ", "--tokens", "50", "--seed", "4"], in: folder.path)
        #expect(first.code == 0 && first.output.hasPrefix("line ") && first.output.count > 20)
        #expect(first.output == second.output && first.output != other.output)
        #expect(first.errors.contains("checkpoints/train.h5") && first.errors.contains("tokens/s"))

        // A second run does not touch the first one's checkpoint.
        #expect(try Run("train", small + ["--steps", "1"], in: folder.path).code == 0)
        #expect(folder.names(in: "checkpoints") == ["train-2.h5", "train.h5"])
    }

    /// Ctrl-C saves; with what it says, the end is that of a run without it.
    @Test func interruptedAndResumed() throws {
        let folder = try folderWithText()
        let settings = small + ["--steps", "300", "--save-every", "0", "--sample-every", "0", "--validate-every", "50"]
        #expect(try Run("train", settings + ["--checkpoint", "whole.h5"], in: folder.path).code == 0)
        let stopped = try Run(
            "train", settings + ["--checkpoint", "run.h5"], in: folder.path, signal: SIGINT, after: 0.4)
        // A fast machine may be done before.
        #expect(stopped.code == 130 || stopped.code == 0, "\(stopped.errors)")
        if stopped.code == 130 {
            #expect(stopped.output.contains("interrupted: ") && stopped.output.contains("--resume run.h5"))
        }
        let resumed = try Run("train", ["--resume", "run.h5"], in: folder.path)
        #expect(resumed.code == 0, "\(resumed.errors)")
        #expect(try folder.data("run.h5") == folder.data("whole.h5"))
    }

    /// Killed at any moment, a run goes on from what it saved last; scripts/check_signals.py does it more often.
    @Test func killedAndResumed() throws {
        let folder = try folderWithText()
        let settings = small + ["--steps", "200", "--save-every", "1", "--sample-every", "0", "--validate-every", "0"]
        #expect(try Run("train", settings + ["--checkpoint", "whole.h5"], in: folder.path).code == 0)
        var arguments = settings + ["--checkpoint", "run.h5"]
        for delay in [0.05, 0.3, 0.21, 0.13, 0.4] {
            let killed = try Run("train", arguments, in: folder.path, signal: SIGKILL, after: delay)
            #expect(killed.code == -SIGKILL || killed.code == 0, "\(killed.errors)")
            if FileManager.default.fileExists(atPath: folder("run.h5")) { arguments = ["--resume", "run.h5"] }
        }
        #expect(try Run("train", arguments, in: folder.path).code == 0)
        #expect(try folder.data("run.h5") == folder.data("whole.h5"))
    }

    @Test func conversions() throws {
        let folder = try folderWithText()
        #expect(
            try Run("train", small + ["--steps", "3", "--checkpoint", "a.h5", "--export", "hf"], in: folder.path).code
                == 0)
        let logits = { (model: String) in
            try Run("generate", ["--checkpoint", model, "--prompt", "of a", "--logits", "out.h5"], in: folder.path).code
                == 0
                ? try folder.data("out.h5") : Data()
        }
        let own = try logits("a.h5")
        #expect(!own.isEmpty)
        #expect(try logits("hf") == own)
        let copy = ["--text", "text.txt", "--sequence", "16", "--steps", "0", "--model", "hf", "--export", "m.bin"]
        #expect(try Run("train", copy, in: folder.path).code == 0)
        #expect(try logits("m.bin") == own)
    }

    @Test func shards() throws {
        let folder = try folderWithText()
        #expect(try Run("train", ["--text", "text.txt", "--write-data", "s.bin"], in: folder.path).code == 0)
        let settings = ["--model", "tiny", "--batch", "2", "--sequence", "16", "--steps", "5"]
        #expect(try Run("train", settings + ["--text", "text.txt", "--checkpoint", "a.h5"], in: folder.path).code == 0)
        #expect(try Run("train", settings + ["--data", "s.bin", "--checkpoint", "b.h5"], in: folder.path).code == 0)
        let prompt = ["--prompt", "x", "--logits"]
        #expect(try Run("generate", ["--checkpoint", "a.h5"] + prompt + ["a"], in: folder.path).code == 0)
        #expect(try Run("generate", ["--checkpoint", "b.h5"] + prompt + ["b"], in: folder.path).code == 0)
        #expect(try folder.data("a") == folder.data("b"))
    }

    @Test(arguments: [
        (["--text", "none.txt"], "none.txt: there is no such file"), (["--model", "huge"], "--model: 'huge'"),
        (["--layer", "2"], "did you mean --layers?"), (["--heads", "4"], "4 heads do not divide 15 channels"),
        (["--sequence", "64"], "block size 32"), (["--clip", "no"], "--clip needs a number"),
        (["--steps", "-1"], "--steps needs a whole number"), (["--seed", "x"], "--seed"),
        (["--tokenizer", "none"], "none: there is no such file"),
        (["--data", "text.txt"], "text.txt: it is not a token shard"),
        (["--checkpoint", "/dev/null/x.h5"], "/dev/null/x.h5: cannot be written"),
        (["--report", "/dev/null/x"], "cannot be written"), (["--resume", "text.txt"], "it is not an HDF5 file"),
        (["--resume", "none.h5"], "none.h5"),
        (["--checkpoint", "text.txt"], "text.txt is there, is no checkpoint of train"),
        (["--learning-rate", "10", "--clip", "0", "--warmup", "0", "--weight-decay", "99"], "step "),
    ])
    func unusable(_ arguments: [String], says: String) throws {
        let folder = try folderWithText()
        let defaults = [("--text", "text.txt"), ("--model", "tiny"), ("--sequence", "16"), ("--steps", "300")]
        let others = defaults.filter { flag, _ in
            !arguments.contains(flag) && arguments[0] != "--resume" && !(flag == "--text" && arguments[0] == "--data")
        }
        let before = try folder.data("text.txt")
        let run = try Run("train", others.flatMap { [$0.0, $0.1] } + arguments, in: folder.path)
        #expect(run.code == 2)
        #expect(run.errors.hasPrefix("train: ") && run.errors.contains(says), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
        #expect(try folder.data("text.txt") == before)
    }

    /// A limit on the size of files stands for a full disk.
    @Test func fullDiskLosesNothing() throws {
        let folder = try folderWithText()
        #expect(try Run("train", small + ["--steps", "20", "--checkpoint", "run.h5"], in: folder.path).code == 0)
        let before = try folder.data("run.h5")
        let limited = try Run(
            "train", ["--resume", "run.h5", "--steps", "40"], in: folder.path, limits: "ulimit -f 64")
        #expect(limited.code == 2)
        #expect(
            limited.errors.contains("run.h5: cannot be written") && limited.errors.contains("unchanged"),
            "\(limited.errors)")
        #expect(try folder.data("run.h5") == before)
        #expect(!folder.names(in: "").contains("run.h5.partial"))
        #expect(try Run("train", ["--resume", "run.h5", "--steps", "40"], in: folder.path).code == 0)
    }

    @Test(arguments: [
        (["--checkpoint", "none.h5"], "none.h5: there is no such file"), ([], "there is no checkpoint in checkpoints"),
        (["--checkpoint", "text.txt"], "text.txt: it is no model"),
        (["--top-p", "2"], "--top-p needs a number from 0"),
    ])
    func unusableGeneration(_ arguments: [String], says: String) throws {
        let folder = try folderWithText()
        let run = try Run("generate", arguments, in: folder.path)
        #expect(run.code == 2 && run.output.isEmpty)
        #expect(run.errors.hasPrefix("generate: ") && run.errors.contains(says), "\(run.errors)")
    }

    @Test(arguments: ["train", "generate"])
    func help(_ name: String) throws {
        let help = try Run(name, ["--help"])
        #expect(help.code == 0)
        #expect(help.output.contains("Usage: \(name)") && help.output.contains("Exit codes"))
        #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
}
