import CHDF5
import Foundation

/// What went wrong, in which file, at which object.
public struct HDF5Error: Error, CustomStringConvertible, Sendable {
    /// Why something cannot be read that may be whole.
    public enum Cause: Sendable {
        /// The data went through a filter that is not installed.
        case missingFilter
        /// The way to the data leads out of the file.
        case otherFile
        /// Another program has the file open.
        case inUse
        /// The file carries the mark of a program that writes it.
        case marked
    }

    /// The file's path.
    public let file: String
    /// The path of the group, dataset or attribute in the file; empty for the file itself.
    public let object: String
    /// What failed.
    public let problem: String
    /// The cause, where it is not in the file itself.
    public let cause: Cause?
    /// What libhdf5 said about it; empty where it did not fail itself, or `problem` says it.
    public let detail: String

    /// An error at `object` of `file`, with what libhdf5's error stack holds. Where a link was refused, that is the
    /// problem, whatever failed of it.
    init(_ file: String, _ object: String, _ problem: String, _ cause: Cause? = nil) {
        let (detail, refused) = (HDF5Library.takeErrors(), LinkAccess.takeRefused())
        self.file = file
        self.object = object
        self.problem = refused.map { "it leads into another file, \($0), which is not followed" } ?? problem
        self.cause = refused == nil ? cause : .otherFile
        self.detail = self.cause == nil ? detail : ""
    }

    /// How to mend it, where the cause is not in the file itself.
    public var remedy: String? {
        switch cause {
        case .missingFilter: "set HDF5_PLUGIN_PATH to the folder that holds it, or store the data with gzip or plainly"
        case .otherFile: "copy what lies there into this file"
        case .inUse: "let that program close it"
        case .marked: "let that program close it, or take off the mark of one that is gone with h5clear -s"
        case nil: nil
        }
    }

    /// Why it failed, without where: what the operating system or libhdf5 said, or what failed.
    public var reason: String { detail.isEmpty ? problem : detail }

    public var description: String {
        (object.isEmpty ? file : "\(file): \(object)") + ": \(problem)" + (detail.isEmpty ? "" : " (\(detail))")
            + (remedy.map { "; \($0)" } ?? "")
    }
}
