import KernelCatalog
import Kernels
import Reporting

/// The isolated verdict on one operation: each case of its fixture, each result of the case, element by element.
struct KernelFixtureRun {
    let file: FixtureFile
    let request: VerificationRequest

    func run(_ ledger: inout Ledger) throws(FixtureError) {
        let operation = try file.string("operation", of: "/")
        let kernels = KernelCatalog.kernels.filter { $0.name.operation == operation }
        guard !kernels.isEmpty else {
            throw file.error(nil, "there is no operation '\(operation)'")
        }
        let passes = kernels.map { $0.name.pass.rawValue }
        if let stranger = try file.children(of: "/").first(where: {
            $0 != FixtureFile.manifestName && !passes.contains($0)
        }) {
            throw file.error(stranger, "\(operation) has no such pass")
        }
        for kernel in kernels {
            let cases = try file.children(of: kernel.name.pass.rawValue)
            guard !cases.isEmpty else { throw file.error(kernel.name.pass.rawValue, "it has no cases") }
            for name in cases { try run(kernel, case: name, &ledger) }
        }
        try file.requireAllRead()
    }

    private func run<K: Kernel<Float>>(_ kernel: K.Type, case name: String, _ ledger: inout Ledger) throws(FixtureError)
    {
        let kernelCase = try KernelCase(kernel, file, group: "\(K.name.pass.rawValue)/\(name)")
        let entries = kernelCase.results.map {
            Ledger.Entry(mode: .isolated, path: "\(kernelCase.group)/\($0.argument.name)")
        }
        let isAsked =
            request.modes.contains(.isolated)
            && (request.operations.isEmpty || request.operations.contains(K.name.operation))
        for entry in entries { ledger.expect(entry, asked: isAsked) }
        guard isAsked else { return }

        let trial = KernelTrial(kernel, kernelCase, request.kernels)
        let template = ComparisonRow(
            operation: K.name.operation, implementation: request.kernels.implementation(of: kernel) ?? "none",
            pass: K.name.pass.rawValue, mode: .isolated, isOfState: false, case: name)
        for (entry, (result, answers)) in zip(entries, zip(kernelCase.results, trial.answers)) {
            var row = template
            row.record(result, answers, sizes: kernelCase.sizes)
            row.find(trial.findings)
            try ledger.compare(entry, row)
        }
        // What was found at an argument that is no result has a row of its own.
        let names = kernelCase.results.map(\.argument.name)
        for argument in Set(trial.findings.map(\.argument)).subtracting(names).sorted() {
            var row = template
            row.tensor = argument
            row.find(trial.findings)
            ledger.report(row)
        }
    }
}

extension ComparisonRow {
    /// Fills in the worst of several answers for one result, element by element against its bound, and judges.
    fileprivate mutating func record(_ result: KernelCase.Result, _ answers: [[Float]], sizes: [String: Int]) {
        let (argument, shape) = (result.argument, result.argument.shape)
        tensor = argument.name
        var worstAnswer: [Float] = []
        for answer in answers {
            var measure = ErrorMeasure()
            for index in answer.indices where argument.coverage.contains(index, shape: shape) {
                measure.add(
                    index: index, actual: Double(answer[index]), torch: Double(result.torch[index]),
                    truth: result.truth[index], bound: result.bound[index])
            }
            guard worstAnswer.isEmpty || measure.worst > worst else { continue }
            worstAnswer = answer
            record(measure, shape: shape)
        }
        verdict = count > 0 && worst <= 1 ? .pass : .fail
        guard verdict == .fail else { return }
        explain(
            actual: worstAnswer.map(Double.init), truth: result.truth, bound: result.bound,
            initial: result.initial?.map(Double.init), shape: shape, coverage: argument.coverage, sizes: sizes)
    }

    /// Notes what was found at the row's argument beside its values, if anything, and judges.
    fileprivate mutating func find(_ findings: [(argument: String, note: String)]) {
        let notes = findings.filter { $0.argument == tensor }.map(\.note)
        guard !notes.isEmpty else { return }
        note = notes.joined(separator: "; ")
        verdict = .fail
    }
}
