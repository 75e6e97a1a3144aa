import Foundation
import Platform

/// The way to a worker in a process of its own: lines over its standard input and output, which are a socket.
final class ProcessChannel: WorkerChannel {
    private var program: ChildProgram
    private let socket: Int32
    private let errors: UnnamedFile
    private var pending = Data()
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    /// Starts the program.
    init(_ words: [String]) throws(ChannelFailure) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            let error = ChildProgramError(words[0], error: errno)
            throw ChannelFailure(error.problem, remedy: error.remedy)
        }
        var isStarted = false
        defer {
            close(ends[1])
            if !isStarted { close(ends[0]) }
        }
        socket = ends[0]
        do {
            errors = try UnnamedFile()
            // Swift's own account of a crash takes seconds and many lines, of which none is for who asked for a time.
            program = try ChildProgram(
                words, environment: ["SWIFT_BACKTRACE": "enable=no"],
                .init(input: ends[1], output: ends[1], errors: errors.descriptor), death: .sudden)
        } catch let error as ChildProgramError {
            throw ChannelFailure(error.problem, remedy: error.isMissing ? nil : error.remedy)
        } catch {
            throw ChannelFailure("there is no file for what it says: \(error)", remedy: "see df and ulimit -n")
        }
        isStarted = true
    }

    deinit { close(socket) }

    func ask(_ request: WorkerRequest, within seconds: Double) throws(ChannelFailure) -> WorkerAnswer {
        let deadline = SuspendingClock.now + .seconds(seconds)
        do {
            try send(encoder.encode(request) + Data("\n".utf8), until: deadline)
        } catch {
            throw error as? ChannelFailure ?? ChannelFailure("\(error)")
        }
        return try answer(until: deadline, of: seconds)
    }

    func hello(within seconds: Double) throws(ChannelFailure) -> WorkerAnswer {
        try answer(until: .now + .seconds(seconds), of: seconds)
    }

    private func send(_ data: Data, until deadline: SuspendingClock.Instant) throws(ChannelFailure) {
        var rest = data[...]
        while !rest.isEmpty {
            guard Descriptors.wait(for: [.room(socket)], within: deadline.secondsFromNow)[0] else { return }
            // A worker that has ended shows as an error, not as a signal that ends this process too.
            let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
            let count = rest.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, flags) }
            // Why it has ended shows when its answer is read.
            if count < 0, errno != EAGAIN, errno != EINTR { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }

    private func answer(
        until deadline: SuspendingClock.Instant, of seconds: Double
    ) throws(ChannelFailure) -> WorkerAnswer {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end]
                pending = Data(pending[(end + 1)...])
                do {
                    return try decoder.decode(WorkerAnswer.self, from: line)
                } catch {
                    let start = String(decoding: line.prefix(120), as: UTF8.self)
                    throw ChannelFailure("said '\(Formatting.printable(start))'")
                }
            }
            // What it started may hold its end of the socket open when it has ended.
            let events = [Descriptors.Event.input(socket), .input(program.handle)]
            let isThere = Descriptors.wait(for: events, within: deadline.secondsFromNow)
            var part = [UInt8](repeating: 0, count: 1 << 16)
            let count = isThere[0] ? recv(socket, &part, part.count, Int32(MSG_DONTWAIT)) : 0
            if count > 0 {
                pending.append(contentsOf: part[..<count])
            } else if count == 0 || errno != EINTR {
                throw isThere.contains(true) ? gone() : silent(seconds)
            }
        }
    }

    /// It closed its output, or has ended.
    private func gone() -> ChannelFailure {
        let end = program.wait(within: 1)
        return ChannelFailure(end.map { "\($0)" } ?? "closed its output")
    }

    private func silent(_ seconds: Double) -> ChannelFailure {
        program.end()
        return ChannelFailure("gave no answer for \(Formatting.seconds(seconds.rounded())), and was ended")
    }

    var lastWords: String {
        errors.text(last: 1 << 12).split(whereSeparator: \.isNewline).last.map { Formatting.printable($0) } ?? ""
    }
}
