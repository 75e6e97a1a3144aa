/// The live workers of a run.
final class Crew {
    /// The contestants, in the report's order.
    private(set) var workers: [WorkerProcess]
    /// The first contestant once more, to show how far two processes of the same code are apart.
    private(set) var twin: WorkerProcess

    /// Starts them all.
    init(_ commands: [WorkerCommand]) throws(WorkerError) {
        (workers, twin) = try Self.start(commands)
    }

    /// Ends all of them and starts new ones: other processes, other addresses.
    func restart() throws(WorkerError) { (workers, twin) = try Self.start(workers.map(\.command)) }

    /// Whether two contestants are of the same build.
    func sharesCode(_ a: Int, _ b: Int) -> Bool {
        workers[a].command.executable == workers[b].command.executable
    }

    private static func start(
        _ commands: [WorkerCommand]
    ) throws(WorkerError) -> ([WorkerProcess], WorkerProcess) {
        var workers: [WorkerProcess] = []
        for command in commands { workers.append(try WorkerProcess(command)) }
        return (workers, try WorkerProcess(commands[0]))
    }
}
