/// What a verification found of one kernel, in one mode or in several.
struct KernelSummary {
    let operation: String
    let pass: String
    let implementation: String
    /// The mode of its first row.
    let mode: ComparisonRow.Mode
    private(set) var tensors = 0
    private(set) var failed = 0
    /// The largest error as a fraction of its bound; nil where nothing was measured.
    private(set) var worst: Double?
    /// The right decimal digits of 99 in a hundred elements that owe any, of the tensor that has the fewest; nil where none
    /// owes any.
    private(set) var digits: Double?
    /// Root mean square errors as multiples of PyTorch's, one for each tensor where PyTorch made any.
    private var ratios: [Double] = []
    /// The calls that were judged of each tensor, by mode.
    private var calls: [ComparisonRow.Mode: [String: Int]] = [:]

    /// The median of the tensors' root mean square errors, each as a multiple of PyTorch's; nil where it made none.
    var errorRatio: Double? { ratios.isEmpty ? nil : ratios.sorted()[ratios.count / 2] }

    /// The calls that were judged in that mode: not every one has every result.
    func calls(in mode: ComparisonRow.Mode) -> Int { calls[mode]?.values.max() ?? 0 }

    /// A summary of each kernel in each mode, in the order in which they first appear.
    static func of(_ rows: [ComparisonRow]) -> [KernelSummary] { grouped(rows) { "\($0.mode) \($0.kernel)" } }

    /// A summary of each kernel in all modes together, in the order in which they first appear.
    static func ofKernels(_ rows: [ComparisonRow]) -> [KernelSummary] { grouped(rows) { $0.kernel } }

    /// A summary of rows that belong together; there is one at least.
    init(_ rows: [ComparisonRow]) {
        (operation, pass, implementation) = (rows[0].operation, rows[0].pass, rows[0].implementation)
        mode = rows[0].mode
        for row in rows { add(row) }
    }

    private static func grouped(_ rows: [ComparisonRow], by key: (ComparisonRow) -> String) -> [KernelSummary] {
        ComparisonRow.grouped(rows, by: key).map { KernelSummary($0) }
    }

    private mutating func add(_ row: ComparisonRow) {
        tensors += 1
        calls[row.mode, default: [:]][row.tensor, default: 0] += row.calls
        if row.verdict == .fail { failed += 1 }
        guard let measure = row.measure else { return }
        worst = max(worst ?? 0, measure.worst)
        if let relative = measure.relative, relative.count > 0 {
            digits = min(digits ?? .infinity, relative.digits)
        }
        guard measure.torchRMSE > 0, measure.rmse.isFinite else { return }
        ratios.append(measure.rmse / measure.torchRMSE)
    }
}

extension ComparisonRow {
    /// The kernel's name, such as `gelu forward`.
    var kernel: String { "\(operation) \(pass)" }

    /// The rows that have a key in common, in the order in which keys first appear.
    static func grouped(_ rows: [ComparisonRow], by key: (ComparisonRow) -> String) -> [[ComparisonRow]] {
        var indices: [String: Int] = [:]
        var groups: [[ComparisonRow]] = []
        for row in rows {
            let key = key(row)
            if let index = indices[key] {
                groups[index].append(row)
            } else {
                indices[key] = groups.count
                groups.append([row])
            }
        }
        return groups
    }
}
