import Foundation
import Platform
import Reporting
import SelfTest
import Terminal

/// `verify selftest`: tries the harness itself and writes the report.
enum FaultSelfTestMode {
    private static let syntax = CommandSyntax(
        "verify selftest",
        summary:
            "Plants faults in kernels and in the model's wiring, each of which must be caught and rightly blamed, and tries right kernels of many kinds, none of which may be called wrong or leave its bounds.",
        flags: [
            Flag(
                "--variants", "N",
                help:
                    "How many right kernels to try by fixtures and as many at drawn sizes, and of each kernel in search of large errors; 1024 if not given."
            ),
            Flag("--seed", "N", help: "What the choices of the right kernels are drawn from; 1 if not given."),
            Flag("--report", "DIR", help: "Where selftest.md and selftest.json go; reports if not given."),
        ],
        examples: [("verify selftest", "Try the whole catalogue.")])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        let folder = try OutputFolder(arguments.value("--report") ?? "reports")
        let started = ContinuousClock.now
        let bar = ProgressBar()
        let test = SelfTest(
            root: ".", variants: try arguments.count("--variants") ?? 1024,
            seed: UInt64(try arguments.count("--seed") ?? 1)
        ) { bar.show($0, fraction: $1) }
        let found = try test.run()
        bar.clear()

        let report = SelfTestReport(
            faults: found.faults, variants: found.variants, drawnVariants: found.drawnVariants, models: found.models,
            falseAlarms: found.falseAlarms, searched: found.searched, tightness: found.tightness,
            detection: found.detection, seed: found.seed,
            machine: .current(threads: ProcessInfo.processInfo.activeProcessorCount), commit: RunFacts.commit(),
            flags: words, seconds: started.secondsToNow)

        let style = Style.standardOutput
        for line in report.lines { Terminal.print(line) }
        Terminal.print(report.holds ? style.green(report.headline) : style.red(report.headline))
        try folder.write([("selftest.json", JSON.data(report)), ("selftest.md", Data(report.markdown.utf8))])
        Terminal.print(style.dim("Every fault and bound: \(folder("selftest.md")) and \(folder("selftest.json"))"))
        return report.holds ? .held : .didNotHold
    }
}
