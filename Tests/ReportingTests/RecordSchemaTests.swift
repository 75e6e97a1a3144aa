import Foundation
import Platform
import Reporting
import TestSupport
import Testing

/// Records follow the schemas of `docs/schema`, with every field that they can have.
struct RecordSchemaTests {
    private static let machine = Machine(
        processor: "P", cores: 2, memory: 4_000_000_000, system: "S", compiler: "Swift", threads: 1)

    private static func verify() -> VerificationReport {
        let subject = ComparisonRow.Subject(
            operation: "gelu", implementation: "fast", pass: "forward", mode: .isolated, isOfState: false,
            case: "typical", tensor: "out")
        let row = ComparisonRow(
            subject,
            measure: ComparisonRow.Measure(
                count: 6, worst: .infinity, bound: 1e-7, index: [1, 2], expected: 0.5, actual: .nan, ulps: .infinity,
                rmse: -.infinity, torchRMSE: 1e-8,
                relative: ComparisonRow.RelativeErrors(
                    count: 9, withoutDigits: 1, worst: .infinity, median: 0, percentile99: 1e-7)),
            note: "the kernel changed its input",
            explanation: ComparisonRow.Explanation(pattern: "every element", heat: HeatMap(shape: [2, 3]) { _ in 3 }),
            isWiring: true, seconds: 0.25)
        return VerificationReport(
            verdict: .fail,
            blamed: .init(operation: "gelu", pass: "forward", tensor: "out", explanation: "gelu forward is wrong"),
            fixtures: [.init(path: "a.h5", sha256: "00ff", listed: 3, compared: 1, leftOut: 2)],
            implementations: ["gelu forward": "fast"],
            libraries: [.init(name: "l.so", path: "./l.so", provided: ["gelu forward"], missing: ["adamw update"])],
            machine: machine, commit: "abc1234+", flags: [], seconds: 1.5, peakMemory: 1,
            rows: [row, ComparisonRow(subject, measure: nil)])
    }

    private static func selfTest() -> SelfTestReport {
        SelfTestReport(
            faults: [
                .init(name: "bug", origin: "gelu forward", blamed: "gelu forward", finding: "`out`"),
                .init(name: "bug", origin: "wiring", blamed: nil, finding: nil),
            ], variants: 1, drawnVariants: 1, models: 1,
            falseAlarms: [.init(kernel: "gelu forward", choices: "none", finding: "found")], searched: 1,
            tightness: [
                .init(
                    kernel: "gelu forward", result: "out", fraction: 0.5, index: [0], case: "one", choices: "none",
                    expected: 1, actual: .nan)
            ], detection: [.init(what: "a tile", error: 1e-4, tried: 2, caught: 1, required: 0.99)], seed: 1,
            machine: machine, commit: nil, flags: ["--seed", "1"], seconds: 2)
    }

    private static func gradientCheck() -> GradientReport {
        var row = GradientReport.Derivative(
            kernel: "gelu backward", argument: "dinp", method: .ownForward, implementation: "fast")
        row.add(0, .nan, 1, 0.5)
        return GradientReport(
            rows: [row], seed: 1, machine: machine, commit: nil, flags: ["gradcheck"], seconds: 1)
    }

    private static func train(_ ending: TrainingReport.Ending) -> TrainingReport {
        TrainingReport(
            ending: ending, plannedSteps: 2, steps: [.init(step: 1, loss: 4, gradientNorm: 1, learningRate: 1e-3)],
            validations: [.init(step: 1, loss: 4.5)], samples: [.init(step: 1, text: "so")],
            settings: [.init("model", "tiny")], tokensPerSecond: 10, peakMemory: 1, checkpoint: "c.h5",
            machine: machine, commit: nil, flags: [], seconds: 1)
    }

    private static func bench(_ kind: BenchmarkReport.Kind) -> BenchmarkReport {
        let times = BenchmarkReport.Times(seconds: 1e-3, spread: 1e-5, samples: 8)
        let accuracy = BenchmarkReport.Accuracy(
            worst: 0.5, typical: 0.1, rmse: .infinity, compared: 1, of: 2, finding: "out[0]")
        let comparison = BenchmarkReport.Comparison(
            ratio: 1, low: 0.9, high: 1.1, pairs: 5, looks: 1, verdict: .same, p: 0.5)
        let outcomes: [BenchmarkReport.Timing.Outcome] = [
            .timed(times, accuracy, comparison), .timed(times, accuracy, nil), .wrong(accuracy), .untimed(.sameCode),
            .untimed(.leftOut("it has none")), .untimed(.failed("it ended")),
        ]
        let row = BenchmarkReport.Row(
            operation: "gelu", pass: "forward", shape: "odd", place: "hidden", sizes: "N 8", threads: 1, operations: 1,
            bytes: 2, footprint: 3, ceiling: (1e-4, .l2),
            timings: outcomes.map { .init(name: "fast", implementation: "fast", outcome: $0) })
        let step = BenchmarkReport.StepTimes(
            forward: 1, backward: 2, update: 3, total: 6, spread: 0.1, tokensPerSecond: 10, peakMemory: 1, samples: 2,
            shares: [.init(kernel: "gelu forward", seconds: 1)])
        var report = BenchmarkReport(
            kind: kind, contestants: [.init(name: "fast", title: "fast")],
            ceilings: [
                .init(
                    threads: 1, gflops: 100, bandwidths: [.init(level: .l1, bytes: 1, read: 12, triad: 10, update: 11)])
            ], rows: [row],
            steps: [
                .init(
                    shape: "odd", description: "tiny", threads: 1,
                    timings: [
                        .init(name: "fast", note: nil, times: step, comparison: comparison),
                        .init(name: "torch", note: "it ended", times: nil, comparison: nil),
                    ])
            ], noise: .init(margin: 0.01, sameCode: 0.01, kernels: 1, detectable: 1.02, worstDetectable: .infinity),
            limits: ["odd"], machine: machine, commit: nil, date: RunRecord.now(), command: ["bench"], seconds: 1)
        if kind == .gate {
            report.gate = .init(
                base: "a", head: "b", findings: [.init(kind: .inaccurate, kernel: "gelu forward", text: "twice")],
                remarks: ["none"])
        }
        return report
    }

    private static func record(_ kind: RunRecord.Kind) -> any Record {
        switch kind {
        case .verify: verify()
        case .selftest: selfTest()
        case .gradcheck: gradientCheck()
        case .bench, .gate: bench(kind)
        case .train: train(.running)
        }
    }

    @Test(arguments: RunRecord.Kind.allCases)
    func recordsFollowTheirSchema(_ kind: RunRecord.Kind) throws {
        let record = Self.record(kind)
        let data = try JSON.data(record)
        #expect(try RecordSchema(kind.rawValue).problems(in: data) == [])
        #expect(record.run.kind == kind && record.run.schema == kind.schema)
        #expect(record.run.exitCode == [.train: nil, .bench: 0][kind, default: 1])
        // A key more, or one less, is noticed wherever it is; so is a record of another kind.
        let text = String(decoding: data, as: UTF8.self)
        let (extra, missing) = (
            text.replacing("\"cores\"", with: "\"kernels\""), text.replacing("\"seconds\"", with: "\"s\"")
        )
        for wrong in [extra, missing] { #expect(try RecordSchema(kind.rawValue).problems(in: Data(wrong.utf8)) != []) }
        for other in RunRecord.Kind.allCases where other != kind && (kind, other) != (.gate, .bench) {
            #expect(try RecordSchema(other.rawValue).problems(in: data) != [], "\(kind) passes as \(other)")
        }
        // Keys are written in one style; what a map is about is no key.
        let keys = text.matches(of: /"([^"]*)" :/).map { String($0.1) }
        #expect(keys.allSatisfy { $0.wholeMatch(of: /[a-z][a-zA-Z0-9]*/) != nil || $0 == "gelu forward" })
    }

    @Test func anEndHasACode() {
        #expect(Self.train(.finished).run.exitCode == 0)
        #expect(Self.train(.interrupted).run.exitCode == nil)
    }

    @Test func anotherFormIsNotRead() throws {
        let text = String(decoding: try JSON.data(Self.verify()), as: UTF8.self)
        let other = text.replacing("\"schema\" : 2", with: "\"schema\" : 1")
        #expect(throws: DecodingError.self) { try JSON.report(VerificationReport.self, from: Data(other.utf8)) }
    }
}
