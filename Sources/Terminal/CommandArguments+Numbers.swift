import Foundation

extension CommandArguments {
    /// The threads that `--threads` asks for; as many as there are processors if it is not given.
    ///
    /// - Throws: ``UsageError`` when they are no number, or more than `most`.
    public func threads(upTo most: Int) throws(UsageError) -> Int {
        guard let text = value("--threads") else { return ProcessInfo.processInfo.activeProcessorCount }
        return try Self.threads(text, upTo: most)
    }

    /// A number of threads in `--threads`, as ``threads(upTo:)``.
    public static func threads(_ text: String, upTo most: Int) throws(UsageError) -> Int {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        guard let number = Int(text), number > 0 else {
            throw UsageError("--threads needs whole numbers above 0, not '\(text)'")
        }
        guard number <= most else {
            throw UsageError(
                "--threads \(number) is too many: this machine has \(processors) processors, and takes up to \(most)")
        }
        return number
    }

    /// The flag's value as a whole number, 0 or above.
    ///
    /// - Throws: ``UsageError`` when it is something else.
    public func whole(_ flag: String) throws(UsageError) -> Int? {
        guard let text = value(flag) else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw UsageError("\(flag) needs a whole number, 0 or above, not '\(text)'")
        }
        return number
    }

    /// The flag's value as a number of that range.
    ///
    /// - Throws: ``UsageError`` when it is something else.
    public func number(_ flag: String, in range: ClosedRange<Double>) throws(UsageError) -> Double? {
        guard let text = value(flag) else { return nil }
        guard let number = Double(text), range.contains(number) else {
            let limits =
                range.upperBound.isFinite
                ? "from \(range.lowerBound) to \(range.upperBound)" : "of at least \(range.lowerBound)"
            throw UsageError("\(flag) needs a number \(limits), not '\(text)'")
        }
        return number
    }
}
