import CPlatform
import Foundation

/// A program that this one started, in a process and a process group of its own.
///
/// It ends with this one, whatever ends that, even a kill; with the thread that started it, to be exact, so that has to be
/// one that stays. It leaves no core dump, has no descriptors of this process but its three streams, and its signals are
/// as they are by default, except those that this process ignores. When it has ended, so has what it left in its group.
public struct ChildProgram: ~Copyable, Sendable {
    /// How a program is ended.
    public enum Death: Sendable {
        /// At once.
        case sudden
        /// As by Ctrl-C, upon which it ends what it started and puts its files in order (of `swift build`, SIGTERM ends the
        /// compilers only sometimes); at once if that takes too long.
        case gentle

        fileprivate var signal: Int32 { self == .sudden ? SIGKILL : SIGINT }
    }

    /// How a program ended.
    public enum End: Sendable, Equatable {
        /// By itself, with that exit code.
        case exited(Int32)
        /// By a signal.
        case signalled(Int32)
    }

    /// The descriptors of the streams that a program has.
    public struct Streams: Sendable {
        /// What it reads, and where what it prints and what it says of its errors goes.
        public var input, output, errors: Int32

        /// The streams of these descriptors, which stay open here.
        public init(input: Int32, output: Int32, errors: Int32) {
            (self.input, self.output, self.errors) = (input, output, errors)
        }
    }

    /// A descriptor that is readable when the program has ended.
    public let handle: Int32
    /// Its number, and that of its group.
    public let process: Int32
    private let death: Death
    /// How it ended, as soon as anybody has asked.
    private var ended: End?

    /// The seconds that a gentle death may take.
    private static let patience = 20.0

    /// Starts the program `words[0]`, looked for along `PATH`, with the arguments that follow.
    ///
    /// - Parameters:
    ///   - environment: What it has in its environment besides, or instead of, what this process has.
    ///   - folder: Where it works; the working directory if nil.
    /// - Throws: ``ChildProgramError`` when it cannot be started: what is lacking.
    public init(
        _ words: [String], environment: [String: String] = [:], in folder: String? = nil, _ streams: Streams,
        death: Death
    ) throws(ChildProgramError) {
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        let started = withCStrings(words) { words in
            withCStrings(variables) { variables in
                withCStrings([folder ?? "."]) { folders in
                    var program = child_program()
                    (program.words, program.environment) = (words, variables)
                    program.folder = folders?[0]
                    program.streams = (streams.input, streams.output, streams.errors)
                    program.death = death.signal
                    return child_start(&program)
                }
            }
        }
        guard started.error == 0 else {
            let place = started.step == child_step_folder ? folder : nil
            throw ChildProgramError(words[0], in: place, error: started.error)
        }
        (process, handle, self.death) = (started.process, started.handle, death)
    }

    deinit {
        if ended == nil { _ = Self.end(process, handle, death) }
        close(handle)
    }

    /// Waits for its end, for up to that many seconds; nil where it has not ended then.
    public mutating func wait(within seconds: Double) -> End? {
        if ended == nil, Descriptors.wait(for: [.input(handle)], within: seconds)[0] { ended = Self.reap(process) }
        return ended
    }

    /// Ends it, if it has not ended, and says how it ended.
    @discardableResult
    public mutating func end() -> End {
        let end = ended ?? Self.end(process, handle, death)
        ended = end
        return end
    }

    private static func end(_ process: Int32, _ handle: Int32, _ death: Death) -> End {
        kill(-process, death.signal)
        if !Descriptors.wait(for: [.input(handle)], within: patience)[0] { kill(-process, SIGKILL) }
        return reap(process)
    }

    private static func reap(_ process: Int32) -> End {
        let end = child_reap(process)
        return end.is_signal == 0 ? .exited(end.detail) : .signalled(end.detail)
    }
}

extension ChildProgram.End: CustomStringConvertible {
    /// What it did: `ended with code 3`, `was ended by signal 11 (Segmentation fault)`.
    public var description: String {
        switch self {
        case .exited(let code): "ended with code \(code)"
        case .signalled(SIGKILL): "was killed by signal \(SIGKILL), as by the system where memory is lacking"
        case .signalled(let signal): "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }
}

/// A program that cannot be started, or does not end: what is lacking, and how to get it.
public struct ChildProgramError: Error, CustomStringConvertible, Sendable {
    /// What is wrong, such as `git cannot be started (No such file or directory)`.
    public let problem: String
    /// How to mend it.
    public let remedy: String
    /// Whether there is no such program.
    public let isMissing: Bool

    public var description: String { "\(problem); \(remedy)" }

    init(problem: String, remedy: String) { (self.problem, self.remedy, isMissing) = (problem, remedy, false) }

    /// The program `name` cannot be started, in `folder` where that is what is wrong, because of an error of the system's.
    public init(_ name: String, in folder: String? = nil, error: Int32) {
        let place = folder.map { " in \($0)" } ?? ""
        problem = "\(name) cannot be started\(place) (\(String(cString: strerror(error))))"
        isMissing = folder == nil && error == ENOENT
        remedy =
            switch error {
            case ENOENT: folder == nil ? "install it, or name it so that PATH leads to it" : "make that folder"
            case EACCES, EPERM: "see whether you may run it"
            case EAGAIN: "end other processes, or raise the limit on them, see ulimit -u"
            case EMFILE, ENFILE: "raise the limit on open files, see ulimit -n"
            case ENOMEM: "free memory, or raise the limit on it, see ulimit -v"
            case ENOSYS: "Linux 5.3 or later is needed"
            default: "see whether it runs by itself"
            }
    }
}

/// Calls `body` with the strings as C has them: an array of pointers that ends with a null pointer.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    let pointers = copies.map { $0.map { UnsafePointer<CChar>($0) } } + [nil]
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
}
