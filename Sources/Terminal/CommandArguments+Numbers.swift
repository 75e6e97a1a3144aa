extension CommandArguments {
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
