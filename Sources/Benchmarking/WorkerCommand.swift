import ForeignKernels
import Foundation
import Platform

/// How to start a worker.
public struct WorkerCommand: Sendable {
    /// Where the worker's code is.
    enum Code: Sendable {
        /// A program of its own.
        case program([String])
        /// This process.
        case here(@Sendable () -> WorkerService)
    }

    /// The name in reports, such as `fast` or `torch`.
    public let name: String
    let code: Code
    let remedy: Remedy
    /// The seconds that any answer may take beyond what one of this package's programs may: an import or a compiler may
    /// come in between.
    let patience: Double
    /// The variables of the environment by which a user can choose its kernels.
    let settings: [String]

    /// What to do when it fails.
    struct Remedy: Sendable {
        /// Before it has said hello.
        let atStart: String
        /// After that.
        let atWork: String
    }

    init(name: String, code: Code, remedy: Remedy, patience: Double = 0, settings: [String] = []) {
        (self.name, self.code, self.remedy) = (name, code, remedy)
        (self.patience, self.settings) = (patience, settings)
    }

    /// Why it is not to be timed on a call: the reference would take too long.
    func refusal(of workload: Workload, threads: Int) -> String? {
        guard name == "reference" else { return nil }
        guard threads == 1 else { return "it has one thread" }
        let expected = Double(workload.demand.operations) / 1.5e9
        return expected > 1.5 ? "left out: about \(Formatting.seconds(expected)) a call" : nil
    }

    /// Whether the other is of the same build.
    func sharesCode(with other: WorkerCommand) -> Bool {
        switch (code, other.code) {
        case (.program(let a), .program(let b)): a[0] == b[0]
        case (.here, .here): true
        case (.program, .here), (.here, .program): false
        }
    }

    /// A worker of this package: the binary at `bench`, or this one, timing the set of kernels.
    public static func kernels(_ selection: String, name: String? = nil, bench: String? = nil) -> WorkerCommand {
        kernels(selection, name: name, bench: bench, settings: [])
    }

    /// The same, with the variables of the environment that choose its kernels.
    static func kernels(
        _ selection: String, name: String? = nil, bench: String? = nil, settings: [String]
    ) -> WorkerCommand {
        WorkerCommand(
            name: name ?? ForeignLibrary.name(of: selection),
            code: .program([
                bench ?? Bundle.main.executablePath ?? CommandLine.arguments[0], "worker", "--kernels", selection,
            ]), remedy: remedy(selection, isOther: bench != nil), settings: settings)
    }

    private static func remedy(_ selection: String, isOther: Bool) -> Remedy {
        if isOther {
            return Remedy(
                atStart: "that build of bench may be older than its worker mode; choose a later commit",
                atWork: "verify, at that commit, says what is wrong")
        }
        if ForeignLibrary.isPath(selection) {
            return Remedy(
                atStart: "mend what it does when it is loaded",
                atWork: "verify --kernels \(selection) says what is wrong with it; "
                    + "until that is mended, leave the operation out with --only")
        }
        return MatmulPeer(rawValue: selection) != nil
            ? Remedy(
                atStart: "see whether another copy of that library is in the way",
                atWork: "leave \(selection) out of --peers")
            : Remedy(atStart: "build bench anew", atWork: "verify --kernels \(selection) says what is wrong")
    }

    /// A worker in this process, for kernels that no other program has. A crash of theirs is one of the conductor.
    public static func here(_ name: String, _ service: @escaping @Sendable () -> WorkerService) -> WorkerCommand {
        WorkerCommand(name: name, code: .here(service), remedy: Remedy(atStart: "", atWork: "it runs in this process"))
    }

    /// The way to a worker that was just started.
    func start() throws(ChannelFailure) -> any WorkerChannel {
        switch code {
        case .program(let words): try ProcessChannel(words)
        case .here(let service): DirectChannel(service())
        }
    }
}

/// The way to a worker in this process, whose patience has no end: it cannot be ended.
private final class DirectChannel: WorkerChannel {
    private let service: WorkerService
    let lastWords = ""

    init(_ service: WorkerService) { self.service = service }

    func hello(within _: Double) -> WorkerAnswer { service.hello }

    func ask(_ request: WorkerRequest, within _: Double) throws(ChannelFailure) -> WorkerAnswer {
        do { return try service.answer(request) } catch { throw ChannelFailure("failed: \(error)") }
    }
}
