import Foundation
import TestSupport
import Testing

/// `bench gate` where there is no gate: without a checkout, a commit, or a build, beside another, and after a kill.
///
/// `swift` is a script here: what is tried is what the gate makes of its output and its end.
struct BenchGateTests {
    /// A checkout of two commits, and a `swift` for it.
    private final class Checkout {
        let folder: TemporaryFolder
        var path: String { folder("checkout") }
        let environment: [String: String]

        init(swift: String = "exit 1") throws {
            folder = try TemporaryFolder()
            for name in ["checkout/Sources", "bin"] {
                try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
            }
            try folder.write("bin/swift", "#!/bin/sh\n\(swift)\n")
            chmod(folder("bin/swift"), 0o755)
            environment = [
                "PATH": "\(folder("bin")):\(ProcessInfo.processInfo.environment["PATH"] ?? "")",
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CEILING_DIRECTORIES": folder.path, "READY": folder("ready"),
            ]
            try git("init", "--quiet")
            for number in 1...2 {
                try folder.write("checkout/Sources/main.swift", "print(\(number))\n")
                try git("add", "-A")
                try git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "commit \(number)")
            }
        }

        func git(_ words: String...) throws {
            let run = try Run("/usr/bin/env", ["git"] + words, in: path, environment: environment)
            try #require(run.code == 0, "\(run.errors)")
        }

        func gate(_ flags: String..., in name: String = "checkout") throws -> Run {
            try Run("bench", ["gate", "--base"] + flags, in: folder(name), environment: environment)
        }
    }

    @Test func theCompilersErrors() throws {
        let checkout = try Checkout(
            swift: """
                echo "error: emit-module command failed with exit code 1"
                for i in 1 2 3 4 5 1; do
                    echo "$PWD/$3/Sources/main.swift:$i:3: error: cannot find 'x$i' in scope"
                    echo "  |   \\`- error: cannot find 'x$i' in scope"
                done
                exit 1
                """)
        let run = try checkout.gate("HEAD~1")
        #expect(run.code == 2 && run.output.isEmpty && run.errors.split(separator: "\n").count == 1)
        for says in [
            "cannot be built: Sources/main.swift:1:3: error: cannot find 'x1' in scope; Sources/main.swift:2:3",
            "x3' in scope; and 2 more; the whole output is in .build/gate/base.log",
        ] { #expect(run.errors.contains(says), "\(run.errors)") }
    }

    @Test func noCommitOrCheckout() throws {
        let checkout = try Checkout()
        let clone = ["clone", "--quiet", "--depth", "1", "file://\(checkout.path)", checkout.folder("shallow")]
        try #require(try Run("/usr/bin/env", ["git"] + clone, environment: checkout.environment).code == 0)
        for (folder, base, says) in [
            ("shallow", "HEAD~1", "no commit 'HEAD~1' here, since this clone is shallow; git fetch --unshallow"),
            ("shallow", "HEAD~1", "fetch-depth: 0"), ("checkout", "nobody", "no commit 'nobody' here; git fetch"),
            ("bin", "HEAD", "this is no git checkout"), ("checkout/Sources", "HEAD", "run it in \(checkout.path)"),
        ] {
            let run = try checkout.gate(base, in: folder)
            #expect(run.code == 2 && run.errors.split(separator: "\n").count == 1)
            #expect(run.errors.hasPrefix("bench: gate") && run.errors.contains(says), "\(run.errors)")
        }
    }

    /// Of two gates the second is refused; of one that is killed nothing goes on, and the next is not disturbed.
    @Test func twoAtOnceAndAKill() throws {
        let checkout = try Checkout(swift: "[ -e $READY ] && exit 1\nsleep 1000 &\ntouch $READY\nwait")
        let first = try RunningCommand(
            "bench", ["gate", "--base", "HEAD~1"], in: checkout.path, environment: checkout.environment)
        #expect(RunningCommand.wait { FileManager.default.fileExists(atPath: checkout.folder("ready")) })
        let second = try checkout.gate("HEAD~1")
        #expect(second.code == 2 && second.errors.contains("another gate runs in this checkout (process "))
        #expect(first.end(by: SIGKILL) == .signalled(SIGKILL))
        // Of a build by SwiftPM, the compilers end with it; this one's child is left to end by itself.
        #expect(RunningCommand.wait { !first.processes.contains { Self.name(of: $0) == "swift" } })
        #expect(first.temporary.names().isEmpty)
        #expect(try checkout.gate("HEAD~1").errors.contains("cannot be built"))
        for process in first.processes { kill(Int32(process), SIGKILL) }
    }

    private static func name(of process: Int) -> String {
        let name = FileManager.default.contents(atPath: "/proc/\(process)/comm") ?? Data()
        return String(decoding: name, as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    /// What a kill in the middle of `git worktree add` or `git checkout` leaves is in nobody's way.
    @Test(arguments: [
        "touch .git/worktrees/base/index.lock", "rm -r .build/gate/base/.git",
        "rm -r .build/gate/base; echo initializing > .git/worktrees/base/locked", "echo > .git/worktrees/base/HEAD",
        "rm -r .git/worktrees/base",
    ])
    func halfMade(_ damage: String) throws {
        let checkout = try Checkout()
        #expect(try checkout.gate("HEAD~1").errors.contains("the base"))
        let damaged = try Run("/bin/sh", ["-c", damage], in: checkout.path)
        try #require(damaged.code == 0, "\(damaged.errors)")
        #expect(try checkout.gate("HEAD").errors.contains("cannot be built"))
        let content = try checkout.folder.data("checkout/.build/gate/base/Sources/main.swift")
        #expect(content == Data("print(2)\n".utf8))
    }
}
