import ForeignKernels

/// How long a worker may take to answer, in seconds, before it counts as one that hangs.
///
/// Generous, so that a slow machine beside others is not taken for a library that hangs: what is merely slow is timed.
enum Patience {
    /// What any answer may take besides the work that is asked for: the system may have other things to do.
    private static let least = 10.0
    /// A kernel that makes fewer operations in a second, and a disk that moves fewer bytes, do not count as working.
    private static let slowest = (operations: ForeignLibrary.slowest, bytes: 1e7)
    /// A call that takes so many times what one took before hangs.
    private static let slower = 100.0

    /// A program is loaded and says hello.
    static var hello: Double { 6 * least }

    /// Memory is filled from a file or written to one, and perhaps a call is made.
    static func transfer(bytes: Int, call: Double = 0) -> Double { least + Double(bytes) / slowest.bytes + call }

    /// Some calls are made, of which none takes longer than `call`, and one more as a warm-up.
    static func calls(_ count: Int, each call: Double, slowdown: Double) -> Double {
        least + Double(count + 1) * (1 + slowdown) * call
    }

    /// The longest that a call of so many operations may take.
    static func call(operations: Int) -> Double { Double(operations) / slowest.operations }

    /// The longest that a call may take where one took `seconds`.
    static func call(like seconds: Double) -> Double { slower * seconds }

    /// A training step is made.
    static func step(of task: StepTask) -> Double {
        // Forward and backward take six operations for each parameter and token, and the update some for each parameter.
        let operations = Double(task.parameters) * (6 * Double(task.batch * task.sequence) + 20)
        return least + operations / slowest.operations
    }

    /// A model is made, with its gradients and moments.
    static func model(of task: StepTask) -> Double { transfer(bytes: 16 * task.parameters) }

    /// A question is answered that needs no work.
    static var question: Double { least }
}

extension StepTask {
    /// About how many parameters the model has.
    fileprivate var parameters: Int { 12 * layers * channels * channels + (paddedVocabulary + blockSize) * channels }
}

extension KernelTask {
    /// The bytes of all arguments.
    var bytes: Int { arguments.reduce(0) { $0 + 4 * $1.shape.reduce(1, *) } }
}
