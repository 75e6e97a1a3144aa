import Foundation
import Sentinel

/// A series of calls in plain memory, which the process that makes them shares: what the arguments hold before each call,
/// and what it left.
///
/// The unsafe part: whoever wrote the tape says where the arguments lie. Words first, see ``Word``; then one ``Field`` after
/// another for each argument; then bytes.
struct CallTape {
    /// A word of the tape, by its place.
    enum Word: Int {
        /// The calls to make; the sets of inputs, which take turns; the arguments.
        case wanted, sets, arguments
        /// The calls made.
        case made
        /// The first call whose results had other bits than an earlier one on the same inputs, from 1 on; 0 if none, else the
        /// argument and the element.
        case deviant, deviantArgument, deviantElement
        /// The first input that was not as before after its call, from 1 on; 0 if none.
        case changed
        /// What leaks, from 1 on, and how much a call leaves behind; 0 if nothing.
        case leaking, leakPerCall
        /// 1 where memory was freed twice.
        case freedTwice
    }

    /// A word of what is said of an argument.
    enum Field: Int, CaseIterable {
        /// Where it lies, and its bytes.
        case address, bytes
        /// 1 where it is a result.
        case isResult
        /// Where in a set its bytes are, and where among a set's answers.
        case image, answer
        /// Where a byte for each element lies that says whether the contract speaks of it; 0 where it speaks of all.
        case mask
    }

    /// Where the words of the arguments begin.
    static let fieldStart = 18
    /// Words that say where the sets, and the answers, begin, and their bytes for each set.
    static let layout = (sets: 13, setBytes: 14, answers: 15, answerBytes: 16)

    private let words: UnsafeMutablePointer<UInt64>

    /// The tape at that address; nil for none.
    init?(at address: UInt) {
        guard let base = UnsafeMutablePointer<UInt64>(bitPattern: address) else { return nil }
        words = base
    }

    subscript(word: Word) -> Int {
        get { Int(truncatingIfNeeded: words[word.rawValue]) }
        nonmutating set { words[word.rawValue] = UInt64(newValue) }
    }

    subscript(argument: Int, field: Field) -> Int {
        get { Int(truncatingIfNeeded: words[Self.fieldStart + argument * Field.allCases.count + field.rawValue]) }
        nonmutating set {
            words[Self.fieldStart + argument * Field.allCases.count + field.rawValue] = UInt64(newValue)
        }
    }

    subscript(layout index: Int) -> Int {
        get { Int(truncatingIfNeeded: words[index]) }
        nonmutating set { words[index] = UInt64(newValue) }
    }

    /// The byte at that place of the tape.
    func byte(_ place: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(words) + place }

    /// The argument itself.
    func argument(_ index: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: self[index, .address]).unsafelyUnwrapped
    }

    /// What it holds before a call of that set.
    func image(_ index: Int, set: Int) -> UnsafeMutableRawPointer {
        byte(self[layout: Self.layout.sets] + set * self[layout: Self.layout.setBytes] + self[index, .image])
    }

    /// What it held after the first call of that set.
    func answer(_ index: Int, set: Int) -> UnsafeMutableRawPointer {
        byte(self[layout: Self.layout.answers] + set * self[layout: Self.layout.answerBytes] + self[index, .answer])
    }

    // MARK: - Running it

    /// Makes the calls, each by `call`, and notes what they do; ends early where memory leaks that the machine may need, or
    /// was freed twice, which is looked for in a child process only.
    func run(inChild isChild: Bool, _ call: () -> Void) {
        var (seen, leaks) = (Set<Int>(), LeakWatch())
        func make(_ number: Int) {
            let set = self.set(of: number)
            for index in 0..<self[.arguments] {
                argument(index).copyMemory(from: image(index, set: set), byteCount: self[index, .bytes])
            }
            call()
            self[.made] = number + 1
            compare(set, isFirst: seen.insert(set).inserted)
        }
        for number in 0..<self[.wanted] {
            make(number)
            guard (number + 1) % LeakWatch.window == 0 else { continue }
            if isChild && !LeakWatch.isHeapSound {
                self[.freedTwice] = 1
                return
            }
            guard let (resource, amount) = leaks.look() else { continue }
            // Where other threads do other work, it may be theirs.
            guard isChild || LeakWatch.blames(resource, { for _ in 0..<LeakWatch.window { make(number) } }) else {
                leaks = LeakWatch()
                continue
            }
            (self[.leaking], self[.leakPerCall]) = (resource.rawValue + 1, amount)
            return
        }
    }

    /// The set of a call: by multiples of the golden ratio, so that no two calls in a row have the same, and there is no
    /// period.
    private func set(of number: Int) -> Int {
        let fraction = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
        return Int(fraction.multipliedFullWidth(by: UInt64(self[.sets])).high)
    }

    private func compare(_ set: Int, isFirst: Bool) {
        for index in 0..<self[.arguments] {
            let (argument, bytes) = (argument(index), self[index, .bytes])
            if self[index, .isResult] == 0 {
                let isChanged = memcmp(argument, image(index, set: set), bytes) != 0
                if isChanged && self[.changed] == 0 { self[.changed] = index + 1 }
            } else if isFirst {
                answer(index, set: set).copyMemory(from: argument, byteCount: bytes)
            } else if memcmp(argument, answer(index, set: set), bytes) != 0 {
                guard self[.deviant] == 0, let element = deviance(index, set) else { continue }
                (self[.deviant], self[.deviantArgument], self[.deviantElement]) = (self[.made], index, element)
            }
        }
    }

    /// The first element of a result that differs from the answer, and that the contract speaks of.
    private func deviance(_ index: Int, _ set: Int) -> Int? {
        let (argument, answer, mask) = (argument(index), answer(index, set: set), self[index, .mask])
        return (0..<self[index, .bytes] / 4).first { element in
            let isSame =
                argument.loadUnaligned(fromByteOffset: 4 * element, as: UInt32.self)
                == answer.loadUnaligned(fromByteOffset: 4 * element, as: UInt32.self)
            return !isSame && (mask == 0 || byte(mask + element).load(as: UInt8.self) != 0)
        }
    }
}
