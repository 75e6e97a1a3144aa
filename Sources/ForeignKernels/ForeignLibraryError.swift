import Foundation

/// A shared library that cannot be used: which, why, and how to mend it.
public struct ForeignLibraryError: Error, CustomStringConvertible, Sendable {
    let path: String
    let reason: String
    let remedy: String

    public var description: String { "\(path): \(reason); \(remedy)" }

    init(_ path: String, _ reason: String, remedy: String = "build it with -shared -fPIC for this machine") {
        self.path = path
        self.reason = reason
        self.remedy = remedy
    }

    /// That loading it fails for `reason`, in the words of `dlopen`.
    init(_ path: String, loading reason: String) {
        let isShort = [ENOMEM, EMFILE, ENFILE].contains { reason.contains(String(cString: strerror($0))) }
        let problem = "it cannot be loaded (\(reason))"
        if isShort {
            self.init(path, problem, remedy: "raise what ulimit -v and ulimit -n allow")
        } else {
            self.init(path, problem)
        }
    }
}
