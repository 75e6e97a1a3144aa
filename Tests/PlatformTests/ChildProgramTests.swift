import Foundation
import Platform
import TestSupport
import Testing

/// A program is started with what it is given and nothing else, and ended with what it started.
struct ChildProgramTests {
    private func shell(
        _ script: String, environment: [String: String] = [:]
    ) throws -> (end: ChildProgram.End, output: String) {
        let outcome = try Subprocess.run(["sh", "-c", script], environment: environment)
        return (outcome.end, outcome.output.trimmingCharacters(in: .newlines))
    }

    @Test func streamsAndEnds() throws {
        let outcome = try Subprocess.run(
            ["sh", "-c", "cat; echo $NEW; echo no >&2; exit 3"], environment: ["NEW": "a new variable"])
        #expect(outcome.output == "a new variable\n" && outcome.errors == "no\n" && outcome.end == .exited(3))
        #expect(try shell("kill -SEGV $$").end == .signalled(SIGSEGV))
        #expect(Subprocess.output(of: ["sh", "-c", "echo ' yes '"]) == "yes")
        #expect(Subprocess.output(of: ["false"]) == nil)
    }

    @Test func inheritsNothing() throws {
        // Both stay open across an exec, were they not closed.
        let descriptors = (0..<2).map { _ in dup(2) }
        defer { for descriptor in descriptors { close(descriptor) } }
        #expect(try shell("cd /proc/self/fd && echo *").output == "0 1 2 3", "3 is that of the listing")
        #expect(try shell("ulimit -c").output == "0")
        let status = try shell("grep Sig /proc/self/status").output
        #expect(status.contains("SigBlk:\t0000000000000000"))
        let group = try shell("echo $$ $(ps -o pgid= -p $$)").output.split(separator: " ")
        #expect(group[0] == group[1])
    }

    @Test func ignoredSignalsStayIgnored() throws {
        let before = signal(SIGUSR2, SIG_IGN)
        defer { signal(SIGUSR2, before) }
        #expect(try shell("kill -USR2 $$; echo goes on").output == "goes on")
        #expect(try shell("kill -USR1 $$").end == .signalled(SIGUSR1))
    }

    @Test func endsWithWhatItStarted() throws {
        let process = try #require(pid_t(try shell("sleep 1000 >&- 2>&- & echo $!").output))
        #expect(RunningCommand.wait { kill(process, 0) != 0 || isZombie(process) })
    }

    /// A process that has ended, and of which nobody has taken notice.
    private func isZombie(_ process: pid_t) -> Bool {
        let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
        return String(decoding: status, as: UTF8.self).contains(") Z ")
    }

    @Test(arguments: [ChildProgram.Death.sudden, .gentle])
    func isEndedWhenItTakesTooLong(_ death: ChildProgram.Death) throws {
        var program = try ChildProgram(["sleep", "1000"], .init(input: 0, output: 1, errors: 2), death: death)
        #expect(program.wait(within: 0.01) == nil)
        #expect(program.end() == .signalled(death == .sudden ? SIGKILL : SIGINT))
        #expect(program.wait(within: 0) == program.end())
        #expect(throws: ChildProgramError.self) { try Subprocess.run(["sleep", "1000"], within: 0.01) }
    }

    @Test func cannotBeStarted() throws {
        let folder = try TemporaryFolder()
        func error(_ words: [String], in place: String? = nil) -> ChildProgramError? {
            #expect(throws: ChildProgramError.self) {
                try Subprocess.run(words, log: folder("log"), in: place, death: .sudden, within: 10)
            }
        }
        let missing = try #require(error(["no-such-program"]))
        #expect(missing.isMissing && missing.description.contains("no-such-program cannot be started (No such file"))
        let placeless = try #require(error(["true"], in: "/no/such"))
        #expect(!placeless.isMissing && placeless.description.contains("in /no/such"))
        #expect(try #require(error(["/etc/passwd"])).description.contains("whether you may run it"))
    }

    /// Another process reads and writes it by its path, and it is nowhere else.
    @Test func unnamedFile() throws {
        let file = try UnnamedFile()
        try Array("one\u{0}two".utf8).withUnsafeBytes { try file.write($0) }
        #expect(try shell("tr -d '\\0' < \(file.path)").output == "onetwo")
        #expect(try shell("printf three >> \(file.path)").end == .exited(0))
        #expect(file.text() == "one\u{0}twothree" && file.text(last: 4) == "hree")
        #expect(try UnnamedFile().text().isEmpty)
    }
}
