/// What a verification found of one kernel in one mode.
struct KernelSummary {
    let operation: String
    let pass: String
    let implementation: String
    let mode: ComparisonRow.Mode
    private(set) var tensors = 0
    private(set) var failed = 0
    /// The largest error as a fraction of its bound.
    private(set) var worst = 0.0
    /// Root mean square errors as multiples of PyTorch's, one for each tensor where PyTorch made any.
    private var ratios: [Double] = []

    /// The median of the tensors' root mean square errors, each as a multiple of PyTorch's; nil where it made none.
    var errorRatio: Double? { ratios.isEmpty ? nil : ratios.sorted()[ratios.count / 2] }

    /// A summary of each kernel in each mode, in the order in which they first appear.
    static func of(_ rows: [ComparisonRow]) -> [KernelSummary] {
        var order: [String: Int] = [:]
        var summaries: [KernelSummary] = []
        for row in rows {
            let key = "\(row.mode) \(row.operation) \(row.pass)"
            let index = order[key] ?? summaries.count
            if index == summaries.count {
                order[key] = index
                summaries.append(
                    KernelSummary(
                        operation: row.operation, pass: row.pass, implementation: row.implementation, mode: row.mode))
            }
            summaries[index].add(row)
        }
        return summaries
    }

    private init(operation: String, pass: String, implementation: String, mode: ComparisonRow.Mode) {
        self.operation = operation
        self.pass = pass
        self.implementation = implementation
        self.mode = mode
    }

    private mutating func add(_ row: ComparisonRow) {
        tensors += 1
        if row.verdict == .fail { failed += 1 }
        worst = max(worst, row.worst)
        guard let measure = row.measure, measure.torchRMSE > 0, measure.rmse.isFinite else { return }
        ratios.append(measure.rmse / measure.torchRMSE)
    }
}
