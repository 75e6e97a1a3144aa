/// A fixture that cannot be used: what is wrong, where, and how to mend it.
public struct FixtureError: Error, CustomStringConvertible, Sendable {
    /// The file's path.
    public let file: String
    /// The dataset, group or attribute, if it is one.
    public let dataset: String?
    /// What is wrong.
    public let problem: String
    /// How to mend it.
    public let remedy: String

    /// How a fixture of the project is mended.
    public static let remedy =
        "restore the file from version control, or write it anew with scripts/generate_fixtures.py"

    /// An error in `file`, at `dataset` if it lies there.
    public init(file: String, dataset: String? = nil, _ problem: String, remedy: String = Self.remedy) {
        self.file = file
        self.dataset = dataset
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String {
        "\(file): \(dataset.map { "\($0): " } ?? "")\(problem); \(remedy)"
    }
}
