import GPT2
import Kernels
import Reporting
import Tensors

/// The verdict on a whole model by a debug state: every kernel on the reference's inputs, the model on its own outputs,
/// and its training.
struct StateFixtureRun {
    let file: FixtureFile
    let request: VerificationRequest

    func run(_ ledger: inout Ledger) throws(FixtureError) {
        let state = try StateFixture(file)
        var model = try state.makeModel(request.kernels)
        let results = state.expectedResults(of: model)
        try file.requireResults(results)
        for path in results.keys.sorted() {
            for mode in path.hasPrefix("training/") ? [.training] : [ComparisonRow.Mode.isolated, .chained] {
                ledger.expect(.init(mode: mode, path: path), asked: request.modes.contains(mode))
            }
        }
        for mode in [ComparisonRow.Mode.isolated, .chained] where request.modes.contains(mode) {
            try pass(&model, mode, state, &ledger)
        }
        if request.modes.contains(.training) { try train(&model, state, &ledger) }
    }

    // MARK: - One pass

    /// Runs the model forward and backward, and compares every activation and gradient.
    private func pass(
        _ model: inout GPT2<Float>, _ mode: ComparisonRow.Mode, _ state: StateFixture, _ ledger: inout Ledger
    ) throws(FixtureError) {
        let file = file
        let watcher = CallWatcher(
            ModelTensors(model),
            forcing: mode == .isolated
                ? { tensor throws(FixtureError) in
                    try file.load("\(tensor.path)/float32", tensor.shape, into: tensor.view)
                } : nil)
        model.kernels.interceptor = watcher
        defer { model.kernels.interceptor = nil }
        // The comparisons are made by the watcher, while kernels run: the books are handed to it for that time.
        var books = ledger
        var ranked: [(order: Int, row: ComparisonRow)] = []
        try watcher.watch { write throws(FixtureError) in
            let entry = Ledger.Entry(mode: mode, path: write.tensor.path)
            let place = write.tensor.block.map { "\(state.model) h.\($0)" } ?? state.model
            guard isAsked(write.kernel) else { return books.leaveOut(entry) }
            try books.settle(entry)
            var row = row(write.kernel, mode, place, write.tensor.name)
            row.recordBand(try measure(write), shape: write.tensor.shape, roundings: write.roundings)
            ranked.append((write.order, row))
        } during: {
            model.forward()
            model.zeroGradients()
            model.backward()
        }
        // A tensor is compared when it is complete, and stands in the report where it was written.
        for (_, row) in ranked.sorted(by: { $0.order < $1.order }) { books.report(row) }
        ledger = books
    }

    private func measure(_ write: CallWatcher.Write) throws(FixtureError) -> ErrorMeasure {
        try measure(write.tensor.path, write.tensor.shape, View(write.tensor.view), write.coverage)
    }

    // MARK: - Training

    /// Makes every step of the fixture, and compares the losses, the norms of the gradient and the recorded states.
    private func train(_ model: inout GPT2<Float>, _ state: StateFixture, _ ledger: inout Ledger) throws(FixtureError) {
        let watcher = CallWatcher(ModelTensors(model), forcing: nil)
        model.kernels.interceptor = watcher
        defer { model.kernels.interceptor = nil }
        var losses: [Float] = []
        var norms: [Float] = []
        for step in 1...state.steps {
            try state.loadTokens(step: step, into: model)
            losses.append(Float(model.forward()))
            model.zeroGradients()
            model.backward()
            norms.append(Float(model.gradientNorm()))
            model.update(state.hyperparameters, step: step)
            guard state.recordedSteps.contains(step) else { continue }
            for tensor in model.parameterLayout.tensors.tensors {
                let states: [(group: String, name: String, view: View<Float>)] = [
                    ("parameters", tensor.name, model.parameters[tensor]),
                    ("m", "m \(tensor.name)", model.firstMoment(tensor)),
                    ("v", "v \(tensor.name)", model.secondMoment(tensor)),
                ]
                for (group, name, view) in states {
                    try compare(
                        "\(StateFixture.group(step: step))/\(group)/\(tensor.name)", tensor.shape, view,
                        watcher.roundings,
                        row(AdamW.Update<Float>.name, .training, "\(state.model) step \(step)", name), &ledger)
                }
            }
        }
        for (name, kernel, values) in [
            ("loss", CrossEntropy.Forward<Float>.name, losses), ("grad_norm", Encoder.Backward<Float>.name, norms),
        ] {
            let tensor = Tensor(values)
            try compare(
                "training/\(name)", [state.steps], View(tensor.view), watcher.roundings,
                row(kernel, .training, "\(state.model) steps", name), &ledger)
        }
    }

    private func compare(
        _ path: String, _ shape: [Int], _ view: View<Float>, _ roundings: Int, _ row: ComparisonRow,
        _ ledger: inout Ledger
    ) throws(FixtureError) {
        let entry = Ledger.Entry(mode: .training, path: path)
        guard request.operations.isEmpty || request.operations.contains(row.operation) else {
            return ledger.leaveOut(entry)
        }
        var row = row
        row.recordBand(try measure(path, shape, view, .all), shape: shape, roundings: roundings)
        try ledger.compare(entry, row)
    }

    // MARK: - Rows

    private func isAsked(_ kernel: KernelName?) -> Bool {
        request.operations.isEmpty || kernel.map { request.operations.contains($0.operation) } ?? false
    }

    private func row(
        _ kernel: KernelName?, _ mode: ComparisonRow.Mode, _ place: String, _ tensor: String
    ) -> ComparisonRow {
        var row = ComparisonRow(
            operation: kernel?.operation ?? Blame.model,
            implementation: kernel.flatMap { request.kernels.implementation(named: $0) } ?? Blame.model,
            pass: (kernel?.pass ?? .backward).rawValue, mode: mode, isOfState: true, case: place)
        row.tensor = tensor
        return row
    }

    /// Measures a tensor against the float64 and float32 runs at `path`, slab by slab.
    private func measure(
        _ path: String, _ shape: [Int], _ view: View<Float>, _ coverage: Coverage
    ) throws(FixtureError) -> ErrorMeasure {
        var measure = ErrorMeasure()
        let slab = 1 << 18
        for start in stride(from: 0, to: view.count, by: slab) {
            let range = start..<min(start + slab, view.count)
            let truth = try file.read("\(path)/float64", Double.self, elements: range)
            let torch = try file.read("\(path)/float32", Float.self, elements: range)
            for index in range where coverage.contains(index, shape: shape) {
                guard truth[index - start].isFinite, torch[index - start].isFinite else {
                    throw file.error(path, "element \(index) of the reference is not finite")
                }
                measure.add(
                    index: index, actual: Double(view[index]), torch: Double(torch[index - start]),
                    truth: truth[index - start], bound: 1)
            }
        }
        return measure
    }
}
