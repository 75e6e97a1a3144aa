import KernelCatalog
import Platform
import SelfTest
import Terminal

/// `bench selftest`: whether the gate finds what it should, on this machine, now.
enum TimingSelfTestMode {
    private static let syntax = CommandSyntax(
        "bench selftest",
        summary:
            "Puts slowdowns of 0, 5 and 10 % into one of two workers of the same code, and shows how many the gate's way of deciding finds.",
        flags: [
            Flag("--kernels", "SET", help: "The kernels to time; fast if not given."),
            Flag("--trials", "N", help: "Trials for each slowdown; 100 if not given."),
        ],
        examples: [("bench selftest", "Find out what a gate on this machine can tell apart.")])

    static func run(_ words: [String]) throws -> ExitCode {
        let arguments = try syntax.parse(words)
        let selection = arguments.value("--kernels") ?? "fast"
        _ = try KernelCatalog.standard.set(named: selection)
        let bar = ProgressBar()
        let outcome = try TimingSelfTest(.kernels(selection), trials: try arguments.count("--trials") ?? 100) {
            bar.show($0, fraction: $1)
        }.run()
        bar.clear()
        let table = Formatting.plain(
            [["slowdown", "trials", "SLOW", "SAME", "FAST", "UNSURE", "measured", "scatter", "pairs"]]
                + outcome.results.map { result in
                    [
                        Formatting.percent(result.injected), "\(result.trials)", "\(result.slow)", "\(result.same)",
                        "\(result.fast)", "\(result.unsure)", Formatting.percent(result.measured),
                        Formatting.percent(result.deviation), "\(result.pairs)",
                    ]
                }, right: Set(0...8))
        let style = Style.standardOutput
        Terminal.print(style.bold(table[0]))
        for line in table.dropFirst() { Terminal.print(line) }
        Terminal.print("")
        Terminal.print(
            style.dim(
                "Within \(Formatting.percent(outcome.margin)) is the same: so far apart are processes of one code here."
            ))
        let verdict =
            outcome.holds
            ? "PASS: at least 95 % of the slowdowns found, at most 1 % false alarms"
            : "FAIL: too few slowdowns found or too many false alarms on this machine, now"
        Terminal.print(outcome.holds ? style.green(verdict) : style.red(verdict))
        return outcome.holds ? .held : .didNotHold
    }
}
