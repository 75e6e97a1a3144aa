import Platform

extension VerificationReport {
    /// The verdict in one line of at most 80 columns.
    public var headline: String {
        let (drawn, others) = (rows.filter { $0.mode == .drawn }, rows.filter { $0.mode != .drawn })
        let calls = KernelSummary.ofKernels(drawn).reduce(0) { $0 + $1.calls(in: .drawn) }
        func parts(_ text: (_ failed: Int, _ of: Int) -> String) -> String {
            let failed = Set(drawn.filter { $0.verdict == .fail }.map { "\($0.kernel) \($0.case)" }).count
            let (each, call) = (others.count == 1 ? "comparison" : "comparisons", calls == 1 ? "call" : "calls")
            let compared = text(others.count { $0.verdict == .fail }, others.count) + " \(each)"
            let tried = text(failed, calls) + " drawn \(call)"
            if drawn.isEmpty { return compared }
            return others.isEmpty ? tried : compared + ", " + tried
        }
        switch verdict {
        case .pass:
            let worst = Formatting.fraction(rows.map(\.worst).max() ?? 0)
            let line = "PASS: \(parts { Formatting.count($1) }) in \(Formatting.seconds(seconds)), worst \(worst)"
            return line.count > 67 ? line : line + " of its bound"
        case .fail:
            let found = parts { "\(Formatting.count($0)) of \(Formatting.count($1))" }
            return "FAIL: \(found) in \(Formatting.seconds(seconds))"
        }
    }

    /// How to read the tables, those of details among them, in lines of at most 80 columns.
    public func legendLines(withDetails: Bool) -> [String] {
        ["worst: largest error over its bound; torch: error over PyTorch's in float32."]
            + (withDetails ? ["digits: right decimal digits of 99 in 100 elements that owe any, at the worst."] : [])
            + (drawn.map { ["drawn: calls at sizes and on inputs that --seed \($0.seed) draws."] } ?? [])
    }

    /// What each shared library has and has not, in lines of at most 80 columns.
    public var libraryLines: [String] {
        libraries.flatMap { library in
            let count =
                "\(library.name): \(library.provided.count) of "
                + "\(library.provided.count + library.missing.count) kernels"
            guard !library.missing.isEmpty else { return [count] }
            return ["\(count); not provided, and taken from reference:"]
                + Formatting.wrapped(library.missing.joined(separator: ", "), indent: 4)
        }
    }

    /// What is wrong and was allowed, in lines of at most 80 columns.
    public var allowedLines: [String] {
        rows.flatMap { row in
            row.allowed.map { Formatting.wrapped("allowed: \(row.title): \($0)") } ?? []
        }
    }

    /// What is worth knowing and not wrong, in lines of at most 80 columns.
    public var remarkLines: [String] {
        rows.flatMap { row in row.remark.map { Formatting.wrapped("note: \(row.title): \($0)") } ?? [] }
    }

    /// What failed, in lines of at most 80 columns; each failure with the command that repeats it.
    public var failureLines: [String] {
        let shown = telling
        let others = rows.count { $0.verdict == .fail } - shown.count
        return shown.flatMap(\.failureLines)
            + (others > 0 ? ["and \(Formatting.count(others)) more, in the report", ""] : [])
    }

    /// What is to blame and how to see it again, in lines of at most 80 columns.
    public var blameLines: [String] {
        guard let blamed else { return [] }
        let row = rows.first {
            $0.verdict == .fail && $0.operation == blamed.operation && $0.pass == blamed.pass
                && $0.tensor == blamed.tensor
        }
        return Formatting.wrapped("Blamed: \(blamed.explanation).") + (row?.repetitionLines ?? [])
    }

    /// A few failures that say the most: of each kernel that is wrong alone two; where none is, the first tensors of a model
    /// that diverge, since all after them follow.
    private var telling: [ComparisonRow] {
        let failures = rows.filter { $0.verdict == .fail }
        let alone = failures.filter { [.isolated, .drawn].contains($0.mode) && !$0.isWiring }
        var seen: [String: Int] = [:]
        let few = (alone.isEmpty ? failures : alone).filter { row in
            seen[row.kernel, default: 0] += 1
            return seen[row.kernel, default: 0] <= 2
        }
        return Array(few.prefix(alone.isEmpty ? 3 : 8))
    }
}

extension ComparisonRow {
    /// What the row is about: `gelu forward, isolated, bend: out`.
    var title: String { "\(kernel), \(mode.rawValue), \(`case`): \(tensor)" }

    /// What was found, in words.
    public var finding: String {
        let error = measure.flatMap { measure in
            measure.worst > 1
                ? "error \(Formatting.number(measure.worst)) of its bound; worst at \(Formatting.index(measure.index)): "
                    + "expected \(Formatting.exact(measure.expected)), got \(Formatting.exact(measure.actual))"
                    + " (\(Formatting.number(measure.ulps)) ulp)" : nil
        }
        let given = isWiring ? "the kernel gives what the reference kernel gives on the same arguments" : nil
        return [note, explanation?.pattern, error, given].compactMap { $0 }.joined(separator: "; ")
    }

    /// What failed and how to repeat it, in lines of at most 80 columns, the last of them empty.
    fileprivate var failureLines: [String] {
        let findings = finding.split(separator: ";").flatMap { Formatting.wrapped(String($0), indent: 4) }
        return Formatting.wrapped(title) + findings + repetitionLines.map { "    " + $0 } + [""]
    }

    /// The command that repeats it, as a shell takes it, in lines that leave room for an indentation of 4.
    var repetitionLines: [String] {
        guard let repetition else { return [] }
        let width = 76
        let line = "repeat: " + repetition
        guard line.count > width else { return [line] }
        // A line goes on after a flag and its value, not between them.
        var lines: [String] = []
        for part in repetition.split(separator: " --", omittingEmptySubsequences: false) {
            let part = lines.isEmpty ? "repeat: \(part)" : "--\(part)"
            if let last = lines.last, last.count + part.count + 3 <= width {
                lines[lines.count - 1] += " " + part
            } else {
                lines.append(part)
            }
        }
        return lines.enumerated().map { number, line in
            (number == 0 ? "" : "    ") + line + (number == lines.count - 1 ? "" : " \\")
        }
    }
}
