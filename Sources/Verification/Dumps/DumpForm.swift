import Fixtures
import HDF5

/// What of a dump has not the form of the reference: names, shapes and types. None of it is a divergence of a kernel, and
/// a tensor that does not fit is not judged.
struct DumpForm {
    /// A tensor that the reference has.
    struct Expected {
        let path: String
        let shape: [Int]
        /// Its shape without the vocabulary's padding, where it has some.
        let unpadded: [Int]?
    }

    /// A way of not fitting, in the order in which it is said.
    private enum Misfit: Int, CaseIterable {
        case renamed, flattened, unitAxes, transposed, shape, type, missing, unknown, contradictory
    }

    /// The names of the tensors that fit, and of those that are rightly named as not materialised.
    private(set) var fitting: Set<String> = []
    private(set) var notMaterialised: Set<String> = []
    private let expected: [Expected]
    private var examples: [Misfit: [String]] = [:]
    private var names = TensorNames()

    /// The form of `dump`, of which `expected` is expected.
    init(of dump: DumpFile, expected: [Expected]) throws(FixtureError) {
        self.expected = expected
        var strangers = Set(dump.datasets.keys).union(dump.notMaterialised).subtracting(expected.map(\.path))
        var missing: [Expected] = []
        for tensor in expected {
            switch (dump.datasets[tensor.path] != nil, dump.notMaterialised.contains(tensor.path)) {
            case (true, true): add(.contradictory, tensor.path)
            case (false, true): notMaterialised.insert(tensor.path)
            case (false, false): missing.append(tensor)
            case (true, false):
                let (type, shape) = try dump.describe(tensor.path)
                if let misfit = Self.misfit(type, shape, tensor) {
                    add(
                        misfit,
                        misfit == .type
                            ? "\(tensor.path), which holds \(type)"
                            : "\(tensor.path) of \(shape) for \(tensor.shape)"
                                + (tensor.unpadded.map { " (or \($0), without padding)" } ?? ""))
                } else {
                    fitting.insert(tensor.path)
                }
            }
        }
        if examples[.transposed] != nil { withdrawSquares() }
        let keys = TensorNames.keys(missing.map(\.path))
        var found: [String: String] = [:]
        for stranger in strangers.sorted() {
            guard let path = names.expected(stranger, keys), found[path] == nil else { continue }
            found[path] = stranger
            strangers.remove(stranger)
        }
        for tensor in missing {
            if let other = found[tensor.path] {
                names.note(other, for: tensor.path)
                add(.renamed, "\(other) for \(tensor.path)")
            } else {
                add(.missing, tensor.path)
            }
        }
        for stranger in strangers.sorted() { add(.unknown, stranger) }
    }

    /// What does not fit, how many tensors it concerns, and an example of each; nil where all fits.
    var problem: String? {
        guard !examples.isEmpty else { return nil }
        let findings = Misfit.allCases.compactMap { misfit in
            examples[misfit].map { "\($0.count) \(Self.description(of: misfit)), such as \($0[0])" }
        }
        return "the form is not the reference's: of \(expected.count) tensors, " + findings.joined(separator: "; ")
    }

    /// How that is likely to be mended.
    var remedy: String {
        Misfit.allCases.filter { examples[$0] != nil }.map { misfit in
            switch misfit {
            case .renamed: names.remedy
            case .flattened: "write them with all their axes"
            case .unitAxes: "leave out the axes of 1"
            case .transposed: "transpose them: linear weights are (out, in)"
            case .shape: "write them for the reference's tokens and sizes"
            case .type: "write them as float32"
            case .missing: "write them, or name them in the attribute \(DumpFile.attribute)"
            case .unknown: "leave them out"
            case .contradictory: "take them out of the attribute \(DumpFile.attribute)"
            }
        }.joined(separator: "; ")
    }

    /// Square weights beside transposed ones are transposed too, and nothing of their form tells.
    private mutating func withdrawSquares() {
        for tensor in expected where fitting.contains(tensor.path) && tensor.path.hasSuffix(".weight") {
            guard tensor.shape.count == 2, tensor.shape[0] == tensor.shape[1] else { continue }
            fitting.remove(tensor.path)
            add(.transposed, tensor.path)
        }
    }

    private mutating func add(_ misfit: Misfit, _ example: String) { examples[misfit, default: []].append(example) }

    /// How a dataset of that type and shape misses its form; nil where it fits.
    private static func misfit(_ type: ElementType, _ shape: [Int], _ tensor: Expected) -> Misfit? {
        guard type.isFloat else { return .type }
        let forms = [tensor.shape] + (tensor.unpadded.map { [$0] } ?? [])
        if forms.contains(shape) { return nil }
        if shape.count == 1, forms.contains(where: { $0.reduce(1, *) == shape[0] }) { return .flattened }
        if forms.contains(where: { $0.filter { $0 != 1 } == shape.filter { $0 != 1 } }) { return .unitAxes }
        let turned = Array(shape.dropLast(2) + shape.suffix(2).reversed())
        return forms.contains(turned) ? .transposed : .shape
    }

    private static func description(of misfit: Misfit) -> String {
        switch misfit {
        case .renamed: "under other names"
        case .flattened: "flattened"
        case .unitAxes: "with other axes of 1"
        case .transposed: "transposed"
        case .shape: "of another shape"
        case .type: "of a type that is not judged"
        case .missing: "missing, and not named as not materialised"
        case .unknown: "unknown to it"
        case .contradictory: "named as not materialised, and there"
        }
    }
}
