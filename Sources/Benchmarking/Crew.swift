/// The live workers of a run.
final class Crew {
    /// The contestants, in the report's order.
    private(set) var workers: [Worker]
    /// The first contestant once more, to show how far two processes of the same code are apart.
    private(set) var twin: Worker

    /// Starts them all.
    init(_ commands: [WorkerCommand]) throws(WorkerError) {
        (workers, twin) = try Self.start(commands)
    }

    /// Ends all of them and starts new ones: other processes, other addresses.
    func restart() throws(WorkerError) { (workers, twin) = try Self.start(workers.map(\.command)) }

    /// Whether two contestants are of the same build.
    func sharesCode(_ a: Int, _ b: Int) -> Bool {
        workers[a].command.sharesCode(with: workers[b].command)
    }

    private static func start(
        _ commands: [WorkerCommand]
    ) throws(WorkerError) -> ([Worker], Worker) {
        var workers: [Worker] = []
        for command in commands { workers.append(try Worker(command)) }
        return (workers, try Worker(commands[0]))
    }
}
