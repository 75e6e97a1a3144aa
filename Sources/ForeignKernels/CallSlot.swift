import Sentinel
import Tensors

/// What the process of a kernel is told of a call, and what it tells of it, in memory that both share.
struct CallSlot {
    /// A call to make.
    struct Question {
        /// The arguments, as ``ForeignArguments/words``.
        let words: [UInt64]
        /// The pages that are closed meanwhile.
        let pages: [PageProtection]
        /// Where the tape of the series lies that is to be run; 0 for one call.
        let tape: UInt
    }

    /// What a kernel did besides computing.
    struct Answer {
        /// What it left on its own thread and on others, as bits of ``FloatingPointEnvironment/Changes``.
        var float, floatElsewhere: UInt64
        /// What it left of its process, see ``ProcessState/Changes``.
        var kept, handlers: UInt64

        /// In words.
        var notes: [String] {
            FloatingPointEnvironment.Changes(rawValue: UInt32(truncatingIfNeeded: float)).notes()
                + FloatingPointEnvironment.Changes(rawValue: UInt32(truncatingIfNeeded: floatElsewhere)).notes(
                    onAnotherThread: true)
                + ProcessState.Changes(kinds: UInt32(truncatingIfNeeded: kept), handlers: handlers).notes
        }
    }

    /// The most words and pages that a call has.
    private static let most = (words: 64, pages: 64)
    private static let (answerStart, start) = (4, 16)
    private let memory: GuardedBuffer

    /// A slot that processes share which begin from now on.
    ///
    /// - Throws: ``HarnessError`` where there is no memory for it.
    init() throws(HarnessError) {
        memory = try GuardedBuffer(of: UInt64.self, count: Self.start + Self.most.words + 3 * Self.most.pages, .aligned)
    }

    private var view: MutableView<UInt64> { memory.view(of: UInt64.self) }

    /// The call to make next.
    var question: Question {
        get {
            let pages = (0..<Int(view[1])).map { index in
                let place = Self.start + Self.most.words + 3 * index
                return PageProtection(
                    addresses: UInt(view[place])..<UInt(view[place + 1]), isInput: view[place + 2] == 1)
            }
            return Question(
                words: (0..<Int(view[0])).map { view[Self.start + $0] }, pages: pages, tape: UInt(view[2]))
        }
        nonmutating set {
            precondition(newValue.words.count <= Self.most.words && newValue.pages.count <= Self.most.pages)
            view[0] = UInt64(newValue.words.count)
            view[1] = UInt64(newValue.pages.count)
            view[2] = UInt64(newValue.tape)
            answer = Answer(float: 0, floatElsewhere: 0, kept: 0, handlers: 0)
            for (index, word) in newValue.words.enumerated() { view[Self.start + index] = word }
            for (index, page) in newValue.pages.enumerated() {
                let place = Self.start + Self.most.words + 3 * index
                view[place] = UInt64(page.addresses.lowerBound)
                view[place + 1] = UInt64(page.addresses.upperBound)
                view[place + 2] = page.isInput ? 1 : 0
            }
        }
    }

    /// What the kernel did in the last call that returned.
    var answer: Answer {
        get {
            func word(_ index: Int) -> UInt64 { view[Self.answerStart + index] }
            return Answer(float: word(0), floatElsewhere: word(1), kept: word(2), handlers: word(3))
        }
        nonmutating set {
            let words = [
                newValue.float, newValue.floatElsewhere, newValue.kept, newValue.handlers,
            ]
            for (index, word) in words.enumerated() { view[Self.answerStart + index] = word }
        }
    }
}
