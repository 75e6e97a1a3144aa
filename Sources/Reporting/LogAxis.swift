import Foundation

/// A logarithmic axis: where a value lies on a drawing.
struct LogAxis {
    /// The values at its ends.
    let range: ClosedRange<Double>
    /// The places of its ends, in pixels; falling for an axis that points up.
    let start, end: Double

    /// An axis whose ends are the nearest of 1, 2 and 5 times a power of 10 that hold all positive values.
    init(holding values: [Double], from start: Double, to end: Double) {
        let values = values.filter { $0 > 0 && $0.isFinite }
        let (least, most) = (values.min() ?? 1, values.max() ?? 10)
        let low = Self.steps(around: least).last { $0 <= least } ?? least
        let high = Self.steps(around: most).first { $0 >= most } ?? most
        range = low...max(high, low * 2)
        (self.start, self.end) = (start, end)
    }

    /// Where `value` lies; at an end if it is beyond.
    subscript(value: Double) -> Double {
        let value = min(max(value, range.lowerBound), range.upperBound)
        let fraction = log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
        return start + (end - start) * fraction
    }

    /// Where to write numbers: about `count` of them.
    func ticks(_ count: Int = 7) -> [Double] {
        let decades = Int(floor(log10(range.lowerBound)))...Int(ceil(log10(range.upperBound)))
        let all = [[1.0, 2, 5], [1, 3], [1]].map { digits in
            decades.flatMap { decade in digits.map { $0 * pow(10, Double(decade)) } }
                .filter { $0 > range.lowerBound * 0.999 && $0 < range.upperBound * 1.001 }
        }
        return all.first { $0.count <= count } ?? all[2]
    }

    /// A tick's number: as short as it can be.
    static func name(_ value: Double) -> String {
        value >= 1 ? String(format: "%.0f", value) : String(format: "%.3g", value)
    }

    private static func steps(around value: Double) -> [Double] {
        let decade = Int(floor(log10(value)))
        return (decade - 1...decade + 1).flatMap { decade in [1.0, 2, 5].map { $0 * pow(10, Double(decade)) } }
    }
}
