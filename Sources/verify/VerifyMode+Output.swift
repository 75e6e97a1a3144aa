import Platform
import Reporting
import Terminal

/// How `verify` and its modes show a report.
extension VerifyMode {
    /// What of a report is shown.
    enum Extent {
        /// A line for each kernel and model.
        case summary
        /// Every result and layer before that.
        case details
        /// The results of one case.
        case oneCase
    }

    /// Shows a report, with `remarks` of the mode's own before the verdict, and writes it to `folder`, if there is one; says
    /// how the command ends.
    static func publish(
        _ report: VerificationReport, to folder: OutputFolder?, _ extent: Extent = .summary, remarks: [String] = []
    ) throws -> ExitCode {
        let style = Style.standardOutput
        let summary = [report.kernelLines, report.modelLines]
        let tables =
            switch extent {
            case .summary: summary
            case .details: [report.resultLines, report.layerLines, report.trainingLines] + summary
            case .oneCase: [report.resultLines]
            }
        for section in tables where !section.isEmpty {
            Terminal.print(style.bold(section[0]))
            for line in section.dropFirst() { Terminal.print(line.hasSuffix("FAIL") ? style.red(line) : line) }
            Terminal.print("")
        }
        let notes = extent == .summary ? [] : report.remarkLines
        for section in [report.libraryLines, report.allowedLines, notes, remarks] where !section.isEmpty {
            for line in section { Terminal.print(line) }
            Terminal.print("")
        }
        for line in report.failureLines { Terminal.print(style.red(line)) }
        for line in GitHubActions.annotations(of: report) { Terminal.print(line) }
        for line in report.legendLines(withDetails: extent != .summary) { Terminal.print(style.dim(line)) }
        let failure = write(report, to: folder)
        // What matters most stands next to the prompt.
        Terminal.print("")
        for line in report.blameLines { Terminal.print(line) }
        Terminal.print(report.verdict == .pass ? style.green(report.headline) : style.red(report.headline))
        if let failure { throw failure }
        return report.verdict == .pass ? .held : .didNotHold
    }

    /// Writes a report; gives why it could not be: the verdict is shown even so.
    private static func write(_ report: VerificationReport, to folder: OutputFolder?) -> (any Error)? {
        guard let folder else { return nil }
        do {
            try folder.write(report.files())
            Terminal.print(
                Style.standardOutput.dim("Every comparison: \(folder("verify.md")) and \(folder("verify.json"))"))
            try GitHubActions.summarize(report.markdown)
            return nil
        } catch {
            return error
        }
    }

    /// What of the report is to be shown.
    static func extent(_ arguments: CommandArguments) -> Extent { arguments.has("--details") ? .details : .summary }
}
