import Foundation
import TestSupport
import Testing

/// The commands where the world is not friendly: streams that are closed or full, signals, places that cannot be written,
/// and sizes that cannot be.
struct WorldTests {
    private let folder: TemporaryFolder
    /// A run that is saved at `model.h5`.
    private let training =
        "train --text text.txt --model tiny --batch 2 --sequence 16 --sample-every 0 --validate-every 0"

    /// What a run of 20 steps saves, made once.
    private static let model = Result {
        let tests = try WorldTests(model: nil)
        #expect(try tests.sh("\(tests.training) --steps 20 --checkpoint model.h5").code == 0)
        return try tests.folder.data("model.h5")
    }

    init() throws { try self.init(model: Self.model.get()) }

    private init(model: Data?) throws {
        folder = try TemporaryFolder()
        try folder.write("text.txt", (0..<200).map { "line \($0 % 7) of a text, \($0)\n" }.joined())
        if let model { try folder.write("model.h5", model) }
    }

    /// Runs a line in the folder, with the binaries as its commands.
    private func sh(_ line: String, _ signal: Int32? = nil, after seconds: Double = 0) throws -> Run {
        let path = Run.binaries.path + ":/usr/local/bin:/usr/bin:/bin"
        return try Run(
            "/bin/sh", ["-c", line], in: folder.path, environment: ["PATH": path], signal: signal, after: seconds)
    }

    // MARK: - Streams

    static let commands = [
        "verify --list", "verify --fixture \(packageRoot)/fixtures/kernels/gelu.h5 --only gelu --mode isolated",
        "verify gradcheck --only gelu", "bench --only gelu --shapes tiny:1x3 --threads 1 --budget 0.001",
        "train --text text.txt --model tiny --batch 2 --sequence 16 --steps 2 --checkpoint model.h5 --overwrite",
        "generate --checkpoint model.h5 --tokens 5", "train --help", "verify --version",
    ]

    @Test(arguments: commands)
    func closedAndFullStreams(_ command: String) throws {
        for lost in [">&-", ">/dev/full"] {
            let run = try sh("\(command) \(lost)")
            #expect(run.code == 2, "\(lost): \(run.errors)")
            let lines = run.errors.split(separator: "\n").filter { $0.contains("standard output cannot be written") }
            #expect(lines.count == 1 && !run.errors.contains("Fatal"), "\(lost): \(run.errors)")
            let both = try sh("\(command) \(lost) 2\(lost)")
            #expect(both.code == 2 && both.errors.isEmpty, "\(lost) for both")
        }
        let silent = try sh("\(command) 2>&- <&-")
        #expect(silent.code == 0 && !silent.output.isEmpty, "\(silent.errors)")
        let closed = try sh("{ \(command) 2>errors; echo $? >code; } | true; cat code errors")
        // Killed by the pipe that nobody reads, or done before.
        let (code, rest) = try #require(
            closed.output.split(separator: "\n", maxSplits: 1).first.map { ($0, $0.endIndex) })
        #expect(code == "141" || code == "0", "\(closed.output[rest...])")
        #expect(!closed.output.contains("Fatal"))
    }

    /// What was computed is saved, although it cannot be shown.
    @Test func resultsAreSavedAllTheSame() throws {
        #expect(try sh("\(training) --steps 5 --checkpoint full.h5 >/dev/full").code == 2)
        #expect(folder.names().contains("full.h5"))
        #expect(try folder.data("reports/train.json").count > 0)
    }

    // MARK: - Signals

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129), (SIGQUIT, -SIGQUIT)] as [(Int32, Int32)])
    func signals(_ signal: Int32, code: Int32) throws {
        for command in [
            "\(training) --steps 100000000 --checkpoint s.h5 --overwrite", "\(training) --accumulate 1048576",
            "generate --checkpoint model.h5 --tokens 100000000 --seed 1",
        ] {
            let run = try sh("exec \(command)", signal, after: 0.5)
            #expect(run.code == code, "\(command): \(run.errors)")
            #expect(!run.errors.contains("Backtrace") && !run.errors.contains("Thread"), "\(run.errors)")
        }
        #expect(folder.names().allSatisfy { !$0.hasPrefix(".plumbline") })
    }

    /// `nohup` and a shell's `&` begin a command with signals ignored.
    @Test func ignoredSignalsStayIgnored() throws {
        let line = """
            trap '' HUP INT QUIT
            \(training) --steps 100000000 --checkpoint i.h5 & child=$!
            sleep 0.5; kill -HUP $child; kill -INT $child; kill -QUIT $child
            sleep 0.3; kill -TERM $child; wait $child
            """
        #expect(try sh(line).code == 143)
    }

    // MARK: - Files

    /// The options that name a file to write, with what else the command needs.
    static let outputs = [
        "train --text text.txt --model tiny --batch 2 --sequence 16 --steps 1 --checkpoint",
        "train --text text.txt --write-data", "generate --checkpoint model.h5 --prompt a --logits",
        "train --text text.txt --model tiny --batch 2 --sequence 16 --steps 1 --checkpoint x.h5 --overwrite --export",
    ]
    /// What lies there, and whether all of the options, those that write bytes in their order, or none can be written.
    static let places: [(place: String, made: String, fits: Set<Int>)] = [
        ("new.bin", "true", [0, 1, 2, 3]), ("sub/folder/new.bin", "true", [0, 1, 2, 3]),
        ("link.bin", "ln -s target.bin link.bin", [0, 1, 2, 3]),
        ("link.bin", "cp model.h5 target.bin; ln -s target.bin link.bin", [1, 2, 3]),
        ("notes.bin", "echo notes >notes.bin", [1, 2, 3]),
        ("pipe.bin", "mkfifo pipe.bin; timeout 10 cat pipe.bin >through &", [1, 3]),
        ("folder.bin", "mkdir folder.bin", []), ("text.txt/x.bin", "true", []), ("/proc/none/x.bin", "true", []),
        ("''", "true", []), (String(repeating: "n", count: 300) + ".bin", "true", []),
    ]

    @Test(arguments: outputs.indices, places.indices)
    func outputFiles(_ option: Int, _ number: Int) throws {
        let (place, made, fits) = Self.places[number]
        let run = try sh("(\(made)) >/dev/null 2>&1; \(Self.outputs[option]) \(place)")
        #expect(run.code == (fits.contains(option) ? 0 : 2), "\(run.errors)")
        if run.code == 2 {
            #expect(run.errors.split(separator: "\n").count == 1 && run.errors.count < 600, "\(run.errors)")
        }
        #expect(folder.names().allSatisfy { !$0.hasPrefix(".plumbline") })
        if place == "notes.bin", option == 0 {
            #expect(try String(decoding: folder.data(place), as: UTF8.self) == "notes\n")
        }
        if place == "link.bin", fits.contains(option) {
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: folder(place))
            #expect(link == "target.bin")
        }
    }

    /// The folder of a report is tried before anything is computed.
    @Test(
        arguments: commands.filter {
            !$0.contains("--list") && !$0.hasPrefix("generate") && !$0.contains("--help") && !$0.contains("--version")
        })
    func reportFolders(_ command: String) throws {
        for place in ["''", "text.txt", "text.txt/below", "/proc/none"] {
            let run = try sh("\(command) --report \(place)")
            #expect(run.code == 2 && run.output.isEmpty, "\(place): \(run.output)")
            #expect(run.errors.split(separator: "\n").count == 1 && !run.errors.contains("Cocoa"), "\(run.errors)")
        }
    }

    // MARK: - Two at once

    @Test func aCheckpointHasOneRun() throws {
        let line = """
            \(training) --steps 100000000 --checkpoint c.h5 & first=$!
            sleep 0.5
            train --resume c.h5; echo "resumed: $?"
            \(training) --steps 1 --checkpoint c.h5 --overwrite; echo "overwritten: $?"
            kill -TERM $first; wait $first; echo "first: $?"
            train --resume c.h5 --steps 0 >/dev/null; echo "then: $?"
            """
        let run = try sh(line)
        for says in ["resumed: 2", "overwritten: 2", "first: 143", "then: 0"] {
            #expect(run.output.contains(says), "\(run.output)\(run.errors)")
        }
        #expect(run.errors.split(separator: "\n").filter { $0.contains("c.h5: another run is writing it") }.count == 2)
    }

    @Test func twoRunsOfNoName() throws {
        let run = try sh(
            "\(training) --steps 20 >/dev/null & \(training) --steps 20 >/dev/null; a=$?; wait $!; echo $a $?")
        #expect(run.output == "0 0\n", "\(run.errors)")
        #expect(folder.names(in: "checkpoints") == ["train-2.h5", "train.h5"])
    }

    @Test func twoReportsAtOnce() throws {
        let verify = "verify --fixture \(packageRoot)/fixtures/kernels/gelu.h5 --only gelu --mode isolated >/dev/null"
        let run = try sh("\(verify) & \(verify); a=$?; wait $!; echo $a $?")
        #expect(run.output == "0 0\n", "\(run.errors)")
        #expect(folder.names(in: "reports") == ["verify.json", "verify.junit.xml", "verify.md"])
    }

    // MARK: - Too much

    @Test(arguments: [
        ("train --text text.txt --steps 9223372036854775807", "too many to be counted"),
        ("train --text text.txt --accumulate 9223372036854775807", "too many to be counted"),
        ("train --text text.txt --batch 1000000000000", "576 PB of memory, and there are"),
        ("train --text text.txt --layers 1048576", "12.2 TB of memory, and there are"),
        ("train --text text.txt --threads 99999", "--threads 99999 is too many"),
        ("verify --threads 99999", "--threads 99999 is too many"),
        ("bench --threads 99999", "--threads 99999 is too many"),
        ("(ulimit -v 500000; train --text text.txt --batch 4096 --sequence 128)", "and there are 512 MB"),
    ])
    func tooLarge(_ command: String, says: String) throws {
        let run = try sh(command)
        #expect(
            run.code == 2 && run.errors.contains(says) && run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    }

    @Test func aShardIsCutShort() throws {
        let run = try sh(
            """
            train --text text.txt --write-data d.bin >/dev/null
            train --data d.bin --model tiny --batch 2 --sequence 16 --steps 100000000 --checkpoint d.h5 >/dev/null & child=$!
            sleep 0.5; truncate -s 1500 d.bin; wait $child; echo $?
            """)
        #expect(
            run.output == "2\n" && run.errors.contains("train: d.bin: it ends at byte"), "\(run.errors)"
        )
        #expect(folder.names().contains("d.h5"))
    }

    // MARK: - Words

    @Test(arguments: [
        ("verify selftst", "there is no mode 'selftst' (did you mean selftest?)"),
        ("bench gat", "there is no mode 'gat' (did you mean gate?)"),
        ("bench selftest --repor", "there is no flag --repor (there are --kernels, --trials"),
        ("generate --checkpoint model.h5 --prompt \"$(printf '\\377\\376')\"", "is not valid UTF-8"),
        ("train --text \"$(printf 'a\\377')\"", "is not valid UTF-8"),
    ])
    func wordsThatAreNone(_ command: String, says: String) throws {
        let run = try sh(command)
        #expect(run.code == 2 && run.errors.contains(says), "\(run.errors)")
    }
}
