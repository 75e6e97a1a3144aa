import Fixtures
import Reporting

/// The books of one fixture: every result that it lists is compared in each mode, or left out by the request. Whatever
/// remains is an error, so that no tensor passes by being forgotten.
struct Ledger {
    /// A result, by its path in the fixture, judged in one mode.
    struct Entry: Hashable {
        let mode: ComparisonRow.Mode
        let path: String
    }

    private let file: FixtureFile
    private let progress: (Double) -> Void
    private var open: Set<Entry> = []
    private var listed = 0
    private var compared = 0
    /// The comparisons.
    private(set) var rows: [ComparisonRow] = []

    /// Books for `file`; `progress` is told the fraction of what is listed that is done.
    init(file: FixtureFile, progress: @escaping (Double) -> Void) {
        self.file = file
        self.progress = progress
    }

    /// Lists a result to compare; one that is not asked for is left out at once.
    mutating func expect(_ entry: Entry, asked: Bool = true) {
        listed += 1
        if asked { open.insert(entry) }
    }

    /// Books the comparison of a listed result; its row is to be reported.
    mutating func settle(_ entry: Entry) throws(FixtureError) {
        guard open.remove(entry) != nil else { throw file.error(entry.path, "compared twice, or not listed") }
        compared += 1
        progress(Double(listed - open.count) / Double(listed))
    }

    /// Books the comparison of a listed result and reports its row.
    mutating func compare(_ entry: Entry, _ row: ComparisonRow) throws(FixtureError) {
        try settle(entry)
        report(row)
    }

    /// Leaves out a listed result that turns out not to be asked for.
    mutating func leaveOut(_ entry: Entry) { open.remove(entry) }

    /// Reports a row: of a result that was settled, or a finding of its own, such as a changed input.
    mutating func report(_ row: ComparisonRow) { rows.append(row) }

    /// The results of that mode that were asked for and not compared yet, sorted.
    func unsettled(in mode: ComparisonRow.Mode) -> [String] { open.filter { $0.mode == mode }.map(\.path).sorted() }

    /// Checks that nothing is left.
    func close() throws(FixtureError) -> VerificationReport.Fixture {
        if let forgotten = open.min(by: { $0.path < $1.path }) {
            throw file.error(
                forgotten.path, "\(open.count) results were never compared, the first of them in mode \(forgotten.mode)"
            )
        }
        return VerificationReport.Fixture(
            path: file.path, sha256: file.digest, listed: listed, compared: compared,
            leftOut: listed - compared)
    }
}
