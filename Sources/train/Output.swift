import ModelFormats
import Platform
import Terminal

/// Where a run writes. All of it is tried when it begins: what cannot be written is better known then than after an hour.
struct Output: ~Copyable {
    /// The file that it is saved to.
    var checkpoint: CheckpointFile
    /// Where the model goes at the end, in a form for others; nil if nowhere.
    let export: String?
    /// The folder of the report.
    let reports: OutputFolder

    /// The places that the flags name, with the checkpoint.
    init(_ arguments: CommandArguments, _ checkpoint: consuming CheckpointFile) throws {
        let reports = try OutputFolder(arguments.value("--report") ?? "reports")
        let export = arguments.value("--export")
        if let export { try StoredModel.attemptExport(to: export) }
        self.checkpoint = checkpoint
        self.reports = reports
        self.export = export
    }
}
