import KernelCatalog
import Kernels
import Reporting
import Tensors

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
        let group = "\(K.name.pass.rawValue)/\(name)"
        let first = KernelCase(file, group: group)
        let call = try first.load(kernel)
        let paths = first.results.map { "\(group)/\($0.argument.name)" }
        let isAsked =
            request.modes.contains(.isolated)
            && (request.operations.isEmpty || request.operations.contains(K.name.operation))
        for path in paths { ledger.expect(Ledger.Entry(mode: .isolated, path: path), asked: isAsked) }
        guard isAsked else {
            for path in paths { file.skip(path) }
            return
        }

        request.kernels.run(call)
        let second = KernelCase(file, group: group)
        request.kernels.run(try second.load(kernel))

        let template = ComparisonRow(
            operation: K.name.operation, implementation: request.kernels.implementation(of: kernel) ?? "none",
            pass: K.name.pass.rawValue, mode: .isolated, isOfState: false, case: name)
        for (result, again) in zip(first.results, second.results) {
            let argument = result.argument
            var row = template
            row.tensor = argument.name
            let measure = try measure(result, at: "\(group)/\(argument.name)")
            row.record(measure, shape: argument.shape)
            row.verdict = measure.worst <= 1 ? .pass : .fail
            if let index = firstDifference(result, again) {
                row.verdict = .fail
                row.note = "a second run on the same inputs gave other bits, first at element \(index)"
            }
            try ledger.compare(Ledger.Entry(mode: .isolated, path: "\(group)/\(argument.name)"), row)
        }
        for (argument, note) in first.trespasses {
            var row = template
            row.tensor = argument
            row.verdict = .fail
            row.note = note
            ledger.report(row)
        }
    }

    private func measure(_ result: KernelCase.Result, at path: String) throws(FixtureError) -> ErrorMeasure {
        let argument = result.argument
        try file.checkFactor(of: path, is: argument.c)
        let truth = try file.read("\(path)/float64", Double.self)
        let torch = try file.read("\(path)/float32", Float.self)
        let gauge = try file.read("\(path)/gauge", Float.self)
        var measure = ErrorMeasure()
        for index in 0..<argument.count where argument.coverage.contains(index, shape: argument.shape) {
            if truth[index].isNaN || !(gauge[index] >= 0 && gauge[index].isFinite) {
                throw file.error(path, "element \(index) has the truth \(truth[index]) with the gauge \(gauge[index])")
            }
            measure.add(
                index: index, actual: Double(result.view[index]), torch: Double(torch[index]), truth: truth[index],
                bound: argument.bound(gauge: Double(gauge[index])))
        }
        return measure
    }

    private func firstDifference(_ a: KernelCase.Result, _ b: KernelCase.Result) -> Int? {
        (0..<a.argument.count).first {
            a.argument.coverage.contains($0, shape: a.argument.shape) && a.view[$0].bitPattern != b.view[$0].bitPattern
        }
    }
}
