import Foundation
import GPT2
import Kernels
import ModelFormats
import Platform
import Reporting
import Terminal
import Training

/// A run at the terminal: makes the steps, shows how they go, saves, and writes the report.
struct Session: ~Copyable {
    private var trainer: Trainer
    private var output: Output
    private let flags: [String]
    private let started = ContinuousClock.now
    private let commit = RunFacts.commit()
    private let bar = ProgressBar()
    private let style = Style.standardOutput
    private var samples: [TrainingReport.TextSample] = []
    /// The seconds of each step in this part of the run.
    private var times: [Double] = []

    init(_ trainer: consuming Trainer, _ output: consuming Output, flags: [String]) {
        self.trainer = trainer
        self.output = output
        self.flags = flags
    }

    private var settings: TrainingSettings { trainer.progress.settings }

    /// Runs to the end, or to the first signal.
    mutating func run() throws -> ExitCode {
        Interruption.watch()
        describe()
        // What cannot be written is better known now than after an hour.
        try save()
        try writeReport(.running)
        if !trainer.isDone { Terminal.print(style.bold("  step    loss  validation  tokens/s")) }
        while !trainer.isDone, Interruption.signal == nil { try step() }
        bar.clear()
        try save()
        if let export = output.export { try exportModel(to: export) }
        let ending: TrainingReport.Ending = trainer.isDone ? .finished : .interrupted
        try conclude(ending)
        guard let signal = Interruption.signal, !trainer.isDone else { return .held }
        return .stopped(by: signal)
    }

    private mutating func step() throws {
        let clock = ContinuousClock()
        var made: Trainer.StepResult?
        let time = try clock.measure { made = try trainer.step(unless: { Interruption.signal != nil }) }
        guard let result = made else { return }
        times.append(time / .seconds(1))
        let (step, steps) = (trainer.progress.step, settings.schedule.steps)
        let recent = times.suffix(20)
        let left = recent.reduce(0, +) / Double(recent.count) * Double(steps - step)
        bar.show(
            "step \(step), loss \(fixed(result.loss)), \(speed()) tok/s, \(duration(left)) left",
            fraction: Double(step) / Double(steps))
        let isLast = step == steps || Interruption.signal != nil
        func isDue(_ interval: Int) -> Bool { interval > 0 && (step % interval == 0 || isLast) }
        if isDue(settings.validateEvery) || step == 1 { try report(step, result) }
        if isDue(settings.sampleEvery) { try sample(step) }
        if isDue(settings.saveEvery), !isLast { try save() }
    }

    // MARK: - What is shown

    private func describe() {
        let (model, source) = (trainer.model.configuration, trainer.progress.source)
        let parameters = ParameterLayout(model).tensors.tensors.reduce(0) { $0 + $1.count }
        let tokens = "\(Formatting.count(trainer.tokenCount)) tokens of \(trainer.tokenizer.name)"
        let plan =
            "\(Formatting.count(settings.schedule.steps)) steps of \(Formatting.count(settings.tokensPerStep)) tokens"
        let from = trainer.progress.step > 0 ? ", from step \(Formatting.count(trainer.progress.step))" : ""
        for (name, value) in [
            ("model", "\(Formatting.count(parameters)) parameters: \(model.summary)"),
            ("text", "\(source.summary): \(tokens)"),
            ("run", "\(plan), \(epochs) epochs\(from)"),
        ] {
            for line in Terminal.wrapped(
                "\(name.padding(toLength: 6, withPad: " ", startingAt: 0)) \(value)", indent: 7)
            {
                Terminal.print(line)
            }
        }
        Terminal.print("")
    }

    private var epochs: String {
        let all = Double(settings.schedule.steps * settings.tokensPerStep)
        return Formatting.number(all / Double(max(trainer.tokenCount, 1)))
    }

    private mutating func report(_ step: Int, _ result: Trainer.StepResult) throws {
        let validation = step % max(settings.validateEvery, 1) == 0 || trainer.isDone ? try trainer.validate() : nil
        bar.clear()
        let cells = [
            right(Formatting.count(step), 6), right(fixed(result.loss), 7),
            right(validation.map(fixed) ?? "", 11), right(speed(), 9),
        ]
        Terminal.print(cells.joined(separator: " "))
        try writeReport(.running)
    }

    private mutating func sample(_ step: Int) throws {
        let text = try trainer.sample(count: 120)
        samples.append(TrainingReport.TextSample(step: step, text: Formatting.printable(text, keepingLines: true)))
        bar.clear()
        for line in text.split(separator: "\n").prefix(3) {
            let shown = Formatting.printable(line)
            Terminal.print(style.dim("       | " + (shown.count > 70 ? shown.prefix(69) + "…" : shown)))
        }
    }

    private func conclude(_ ending: TrainingReport.Ending) throws {
        let report = try writeReport(ending)
        Terminal.print("")
        Terminal.print(ending == .finished ? style.green(report.headline) : style.bold(report.headline))
        let checkpoint = output.checkpoint.path
        Terminal.print("saved: \(checkpoint)")
        if let export = output.export { Terminal.print("exported: \(export)") }
        Terminal.print(style.dim("report: \(output.reports("train.md")), train.json and train.svg"))
        if ending == .interrupted {
            Terminal.print("\nGo on with:\n  \(Terminal.invocation(["train", "--resume", checkpoint]))")
        }
        Terminal.print("\nTry it:\n  \(Terminal.invocation(["generate", "--checkpoint", checkpoint]))")
    }

    // MARK: - What is written

    private mutating func save() throws {
        do {
            try output.checkpoint.write { file in try trainer.save(to: &file) }
        } catch let error as FileWriteError {
            guard output.checkpoint.exists else { throw error }
            throw TrainingError(
                "\(error) What was saved there before is unchanged; go on from it with --resume "
                    + output.checkpoint.path)
        }
    }

    private func exportModel(to path: String) throws {
        try StoredModel.export(
            trainer.model.parameters, trainer.model.configuration, endOfText: trainer.tokenizer.endOfText, to: path)
    }

    @discardableResult
    private func writeReport(_ ending: TrainingReport.Ending) throws -> TrainingReport {
        let history = trainer.progress.history
        let report = TrainingReport(
            ending: ending, plannedSteps: settings.schedule.steps,
            steps: history.losses.indices.map { index in
                TrainingReport.Step(
                    step: index + 1, loss: history.losses[index], gradientNorm: history.gradientNorms[index],
                    learningRate: settings.schedule.rate(at: index + 1))
            },
            validations: zip(history.validationSteps, history.validationLosses).map(TrainingReport.Validation.init),
            samples: samples, settings: settingLines, tokensPerSecond: median.map { tokensPerSecond($0) } ?? 0,
            peakMemory: RunFacts.peakMemory(), checkpoint: output.checkpoint.path,
            machine: .current(threads: trainer.model.kernels.workers.count), commit: commit, flags: flags,
            seconds: started.secondsToNow)
        let curves = [(Theme.light, "train.svg"), (.dark, "train-dark.svg")].map { theme, name in
            (name, Data(report.lossCurve(theme).text.utf8))
        }
        try output.reports.write(
            [("train.json", try JSON.data(report)), ("train.md", Data(report.markdown.utf8))] + curves)
        return report
    }

    private var settingLines: [TrainingReport.Setting] {
        let (s, model) = (settings, trainer.model.configuration)
        let schedule = s.schedule
        return [
            .init("model", model.summary), .init("text", trainer.progress.source.summary),
            .init("tokens", Formatting.count(trainer.tokenCount)), .init("vocabulary", trainer.tokenizer.name),
            .init("batch", "\(s.batch) × \(s.sequence) tokens, accumulated \(s.accumulation) times"),
            .init(
                "learning rate",
                "\(schedule.warmupSteps) steps up to \(schedule.peak), a cosine down to \(schedule.final)"),
            .init("AdamW", "β \(s.beta1) and \(s.beta2), weight decay \(s.weightDecay)"),
            .init("clipping", s.clip > 0 ? "at a norm of \(s.clip)" : "none"),
            .init("order", s.isShuffled ? "shuffled" : "front to back"), .init("seed", "\(s.seed)"),
        ]
    }

    // MARK: - Numbers

    private var median: Double? { times.isEmpty ? nil : times.sorted()[times.count / 2] }

    private func tokensPerSecond(_ seconds: Double) -> Double { Double(settings.tokensPerStep) / seconds }

    private func speed() -> String {
        let recent = times.suffix(20).sorted()
        return recent.isEmpty ? "" : Formatting.count(Int(tokensPerSecond(recent[recent.count / 2])))
    }
}

private func fixed(_ value: Double) -> String { String(format: "%.3f", value) }

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 0)) + text
}

private func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole >= 3600
        ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
        : String(format: "%d:%02d", whole / 60, whole % 60)
}
