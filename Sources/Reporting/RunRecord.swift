import Foundation
import Platform

/// What every record says of the run behind it, under the key `run`.
///
/// `docs/schema` holds a JSON Schema for the record of each kind.
public struct RunRecord: Codable, Sendable, Hashable {
    /// The kinds of records.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Kernels compared with the truth; by another program's dump or llm.c's files as well.
        case verify
        /// The harness tried itself.
        case selftest
        /// Gradients against differences.
        case gradcheck
        /// How fast kernels are.
        case bench
        /// Whether a change may be merged.
        case gate
        /// A training run.
        case train

        /// The version of the record's form, which grows with every change that a reader would notice.
        public var schema: Int {
            switch self {
            case .bench, .gate: 5
            case .verify: 2
            case .selftest, .gradcheck, .train: 1
            }
        }
    }

    /// What was run.
    public let kind: Kind
    /// The version of the record's form.
    public let schema: Int
    /// The version of the program.
    public let plumbline: String
    /// When the record was made, in UTC, as `2026-11-24T10:00:00Z`.
    public let date: String
    /// The words of the command line.
    public let command: [String]
    /// The commit of the sources, with `+` behind it where they were changed; nil outside a checkout.
    public let commit: String?
    /// Where it ran.
    public let machine: Machine
    /// Wall time, in seconds.
    public let seconds: Double
    /// What the command ends with: 0 where all held, 1 where something did not; nil where it goes on, or was stopped.
    public internal(set) var exitCode: Int?

    /// The record of a run that ends at `date`.
    public init(
        _ kind: Kind, command: [String], commit: String?, machine: Machine, seconds: Double, exitCode: Int?,
        date: String = RunRecord.now()
    ) {
        (self.kind, schema, plumbline) = (kind, kind.schema, plumblineVersion)
        (self.date, self.command, self.commit) = (date, command, commit)
        (self.machine, self.seconds, self.exitCode) = (machine, seconds, exitCode)
    }

    /// Reads what ``encode(to:)`` wrote.
    ///
    /// - Throws: A `DecodingError` as well where the form is of another version.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        kind = try values.decode(Kind.self, forKey: .kind)
        schema = try values.decode(Int.self, forKey: .schema)
        guard schema == kind.schema else {
            throw DecodingError.dataCorruptedError(
                forKey: .schema, in: values,
                debugDescription: "its form is version \(schema), and \(kind.schema) is read here")
        }
        plumbline = try values.decode(String.self, forKey: .plumbline)
        date = try values.decode(String.self, forKey: .date)
        command = try values.decode([String].self, forKey: .command)
        commit = try values.decodeIfPresent(String.self, forKey: .commit)
        machine = try values.decode(Machine.self, forKey: .machine)
        seconds = try values.decode(Double.self, forKey: .seconds)
        exitCode = try values.decodeIfPresent(Int.self, forKey: .exitCode)
    }

    /// This moment, as records say it.
    public static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
}

/// A report that is kept as a record.
public protocol Record: Codable, Sendable {
    /// The run behind it.
    var run: RunRecord { get }
}

extension Record {
    /// Where it ran.
    public var machine: Machine { run.machine }
    /// The commit of the sources, with `+` behind it where they were changed; nil outside a checkout.
    public var commit: String? { run.commit }
    /// Wall time, in seconds.
    public var seconds: Double { run.seconds }
    /// The words of the command line behind the command's name.
    public var flags: [String] { Array(run.command.dropFirst()) }

    /// The run in lines of Markdown.
    var runLines: [String] {
        [
            "- Command: `\(run.command.joined(separator: " "))`",
            "- Commit: \(commit.map { "`\($0)`" } ?? "unknown")",
            "- Machine: \(machine.summary)",
        ]
    }
}
