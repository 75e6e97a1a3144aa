import Accuracy
import Fixtures
import GPT2
import Kernels
import Reporting
import Tensors

/// The verdict on a whole model by a debug state: every kernel on the reference's inputs, the model on its own outputs,
/// and its training.
struct StateFixtureRun {
    let file: FixtureFile
    let request: VerificationRequest

    /// Judges all, into the ledger.
    ///
    /// - Throws: ``FixtureError`` when the fixture cannot be used, ``HarnessError`` where the machine has no room.
    func run(_ ledger: inout Ledger) throws {
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
        guard request.modes.contains(.training) else { return }
        model = try state.makeModel(request.kernels, .lean, parts: state.microBatches)
        try train(&model, state, &ledger)
    }

    // MARK: - One pass

    /// Runs the model forward and backward, and compares every activation and gradient.
    private func pass(
        _ model: inout GPT2<Float>, _ mode: ComparisonRow.Mode, _ state: StateFixture, _ ledger: inout Ledger
    ) throws {
        let file = file
        let watcher = CallWatcher(
            ModelTensors(model),
            forcing: mode == .isolated
                ? { tensor throws(FixtureError) in
                    try file.load("\(tensor.path)/float32", tensor.shape, into: tensor.view)
                } : nil)
        model.kernels.interceptor = intercepting(with: watcher)
        defer { model.kernels.interceptor = nil }
        // The comparisons are made by the watcher, while kernels run: the books are handed to it for that time.
        var books = ledger
        var judged: [Judged] = []
        try watcher.watch { write throws(FixtureError) in
            let (path, shape) = (write.tensor.path, write.tensor.shape)
            let entry = Ledger.Entry(mode: mode, path: path)
            guard isAsked(write.kernel) else { return books.leaveOut(entry) }
            try books.settle(entry)
            let measure = ComparisonRow.Measure(try self.measure(write), shape: shape, bandOf: write.roundings)
            let view = View(write.tensor.view)
            let explanation = try file.explain(measure, path, shape, write.coverage) { Double(view[$0]) }
            if mode == .chained { try checkPower(path, shape, write.coverage, band: measure.bound, state) }
            judged.append(Judged(write: write, measure: measure, explanation: explanation))
        } during: {
            model.forward()
            model.zeroGradients()
            model.backward()
        }
        try watcher.requireAllCalls()
        // Where a kernel alone can be wrong, it is asked what it makes of what it was given.
        let failed = mode == .isolated ? judged.filter { !$0.holds } : []
        let disagreements = try arbitrate(&model, failed)
        // A tensor is compared when it is complete, and stands in the report where it was written.
        for judged in judged.sorted(by: { $0.write.order < $1.write.order }) {
            let (write, path) = (judged.write, judged.write.tensor.path)
            books.report(
                ComparisonRow(
                    subject(
                        write.kernel, mode, write.tensor.block.map { "\(state.model) h.\($0)" } ?? state.model,
                        write.tensor.name),
                    measure: judged.measure, note: judged.note, explanation: judged.explanation,
                    isWiring: mode == .isolated && !judged.holds && !disagreements.contains(path),
                    seconds: write.seconds))
        }
        // What the model never writes, it got wrong.
        for path in books.unsettled(in: mode) {
            let row = ComparisonRow(
                subject(nil, mode, state.model, path), measure: nil, note: "no kernel wrote it", isWiring: true)
            try books.compare(Ledger.Entry(mode: mode, path: path), row)
        }
        ledger = books
    }

    /// A write, and what was found of it.
    private struct Judged {
        let write: CallWatcher.Write
        let measure: ComparisonRow.Measure
        let explanation: ComparisonRow.Explanation?

        var note: String? { ComparisonRow.note(write.findings) }
        var holds: Bool { measure.holds && write.findings.isEmpty }
    }

    /// Runs the pass again on the reference's inputs; gives the failed tensors whose kernels do not give what the reference
    /// kernels give on the same arguments.
    private func arbitrate(_ model: inout GPT2<Float>, _ failed: [Judged]) throws -> Set<String> {
        guard !failed.isEmpty else { return [] }
        let tensors = ModelTensors(model)
        let arbiter = Arbiter(tensors, bounds: failed.map { ($0.write.tensor.path, $0.measure.bound) })
        let forcing = CallWatcher(tensors) { [file] tensor throws(FixtureError) in
            try file.load("\(tensor.path)/float32", tensor.shape, into: tensor.view)
        }
        model.kernels.interceptor = intercepting(with: InterceptorChain(forcing, arbiter))
        try forcing.watch { _ throws(FixtureError) in
        } during: {
            model.forward()
            model.zeroGradients()
            model.backward()
        }
        try forcing.requireAllCalls()
        return arbiter.disagreements
    }

    /// `inner`, behind the planted fault if there is one.
    private func intercepting(with inner: any KernelInterceptor<Float>) -> any KernelInterceptor<Float> {
        request.rewiring.map { InterceptorChain($0, inner) } ?? inner
    }

    private func measure(_ write: CallWatcher.Write) throws(FixtureError) -> ErrorMeasure {
        try measure(write.tensor.path, write.tensor.shape, View(write.tensor.view), write.coverage)
    }

    // MARK: - Training

    /// Makes every step of the fixture, and compares the losses, the norms of the gradient and the recorded states.
    private func train(_ model: inout GPT2<Float>, _ state: StateFixture, _ ledger: inout Ledger) throws {
        let watcher = CallWatcher(ModelTensors(model), forcing: nil)
        model.kernels.interceptor = intercepting(with: watcher)
        defer { model.kernels.interceptor = nil }
        var losses: [Float] = []
        var norms: [Float] = []
        for step in 1...state.steps {
            var loss = 0.0
            for part in 0..<state.microBatches {
                try state.loadTokens(step: step, part: part, of: state.microBatches, into: model)
                loss += model.forward() / Double(state.microBatches)
                model.backward(scale: 1 / Double(state.microBatches), overwrites: part == 0)
            }
            losses.append(Float(loss))
            norms.append(Float(model.gradientNorm()))
            model.update(state.hyperparameters, step: step)
            try watcher.requireAllCalls()
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
                        subject(AdamW.Update<Float>.name, .training, "\(state.model) step \(step)", name),
                        initial: group == "parameters" ? "parameters/\(tensor.name)" : nil, state, &ledger)
                }
            }
        }
        for (name, kernel, values) in [
            ("loss", CrossEntropy.Forward<Float>.name, losses), ("grad_norm", Encoder.Backward<Float>.name, norms),
        ] {
            let tensor = Tensor(values)
            try compare(
                "training/\(name)", [state.steps], View(tensor.view), watcher.roundings,
                subject(kernel, .training, "\(state.model) steps", name), state, &ledger)
        }
    }

    private func compare(
        _ path: String, _ shape: [Int], _ view: View<Float>, _ roundings: Int, _ subject: ComparisonRow.Subject,
        initial: String? = nil, _ state: StateFixture, _ ledger: inout Ledger
    ) throws(FixtureError) {
        let entry = Ledger.Entry(mode: .training, path: path)
        guard request.operations.isEmpty || request.operations.contains(subject.operation) else {
            return ledger.leaveOut(entry)
        }
        let measure = ComparisonRow.Measure(
            try self.measure(path, shape, view, .all), shape: shape, bandOf: roundings)
        let explanation = try file.explain(measure, path, shape, .all) { Double(view[$0]) }
        try checkPower(path, shape, .all, band: measure.bound, initial: initial, state)
        try ledger.compare(entry, ComparisonRow(subject, measure: measure, explanation: explanation))
    }

    /// Checks that a band rejects wrong answers; of tiny alone, since for larger models that takes minutes.
    private func checkPower(
        _ path: String, _ shape: [Int], _ coverage: Coverage, band: Double, initial: String? = nil,
        _ state: StateFixture
    ) throws(FixtureError) {
        guard state.model == "tiny" else { return }
        var d = try file.read("\(path)/float64", Double.self)
        if let initial {
            for (index, start) in try file.read(initial, Float.self).enumerated() { d[index] -= Double(start) }
        }
        for index in d.indices where !coverage.contains(index, shape: shape) { d[index] = 0 }
        let weak = FixturePower(d, band: band, shape: shape).weak.map(\.rawValue)
        guard weak.isEmpty else { throw file.error(path, "its band accepts the wrong answers \(weak)") }
    }

    // MARK: - Rows

    private func isAsked(_ kernel: KernelName?) -> Bool {
        request.operations.isEmpty || kernel.map { request.operations.contains($0.operation) } ?? false
    }

    private func subject(
        _ kernel: KernelName?, _ mode: ComparisonRow.Mode, _ place: String, _ tensor: String
    ) -> ComparisonRow.Subject {
        ComparisonRow.Subject(
            kernel, by: kernel.flatMap { request.kernels.implementation(named: $0) }, mode, place, tensor)
    }

    /// Measures a tensor against the float64 and float32 runs at `path`, slab by slab.
    private func measure(
        _ path: String, _ shape: [Int], _ view: View<Float>, _ coverage: Coverage
    ) throws(FixtureError) -> ErrorMeasure {
        try file.measure(path, shape, coverage) { Double(view[$0]) }
    }
}
