import Foundation

/// What the harness could not have of the machine, or what befell it from outside. It says nothing of any kernel.
public struct HarnessError: Error, CustomStringConvertible, Sendable {
    /// What is wrong.
    public let problem: String
    /// How to mend it.
    public let remedy: String

    public var description: String { "\(problem); \(remedy)" }

    /// An error of that problem and remedy.
    public init(_ problem: String, remedy: String) { (self.problem, self.remedy) = (problem, remedy) }

    /// That the system refuses `what`, for the reason of that number.
    init(refused what: String, _ reason: Int32) {
        let (lack, remedy) =
            switch reason {
            case EMFILE:
                (
                    "too few file descriptors: ulimit -n is \(Self.limit(RLIMIT_NOFILE))",
                    "raise it, with ulimit -n 1024"
                )
            case ENFILE: ("the system has too many files open", "close some, or raise fs.file-max")
            case EAGAIN:
                (
                    "too many processes, of this user or in this container: ulimit -u is \(Self.limit(__RLIMIT_NPROC))",
                    "raise it, or end some of them"
                )
            case ENOMEM:
                (
                    "too little memory: ulimit -v is \(Self.limit(RLIMIT_AS, unit: 1024))",
                    "raise it, with ulimit -v unlimited, or free memory"
                )
            case ENOBUFS: ("too many arguments are guarded at a time", "judge fewer kernels at a time, with --only")
            default: (String(cString: strerror(reason)), "see that this system allows it")
            }
        self.init("\(what) cannot be had: \(lack)", remedy: remedy)
    }

    /// Ends this process with the error in one line and code 2: from where nobody can be told.
    public func end() -> Never {
        let name = (CommandLine.arguments.first ?? "") as NSString
        // FileHandle would trap where standard error is closed.
        let line = Array("\(name.lastPathComponent): \(self)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        exit(2)
    }

    private static func limit(_ resource: __rlimit_resource, unit: rlim_t = 1) -> String {
        let limit = rlimit.soft(resource)
        return limit == rlim_t.max ? "unlimited" : "\(limit / unit)"
    }
}

extension rlimit {
    /// The limit that holds for this process.
    static func soft(_ resource: __rlimit_resource) -> rlim_t {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        return limit.rlim_cur
    }
}
