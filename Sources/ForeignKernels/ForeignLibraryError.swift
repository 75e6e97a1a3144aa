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
}
