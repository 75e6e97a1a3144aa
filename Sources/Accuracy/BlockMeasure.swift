import Kernels

/// The second yardstick: the errors of each block of a result, by their root mean square, beside what rounding at random makes
/// of the same sums.
///
/// The bound of a sum is right and far: at 3072 terms a plain loop's errors reach a thousandth of it, and a tile that is
/// wrong by 10⁻⁴ stays within. At random, right orders of summation make at most half of the deviation that
/// ``ErrorLaw/random`` gives, whatever they are.
public struct BlockMeasure: Sendable {
    /// How many deviations the root mean square error of a right kernel's block may reach: twice that again for what is
    /// common to a block, of which there is but one.
    public static let most = 4.0
    /// What a plain loop reaches, about.
    private static let usual = 0.5
    /// The rows and columns of a block.
    private static let (rows, columns) = (8, 32)

    /// The root mean square error of the worst block, in deviations; 0 where none was measured.
    public private(set) var worst = 0.0
    /// Its rows, of the tensor as a matrix of its last axis, and its columns.
    public private(set) var worstRows = 0..<0, worstColumns = 0..<0

    /// Whether every block holds.
    public var holds: Bool { worst <= Self.most }

    /// The blocks of a matrix of `rowLength` columns: of the errors and deviations of the elements at those flat indices.
    ///
    /// - Parameters:
    ///   - width: how many columns of the result each column stands for.
    ///   - indices: ascending.
    init(
        rowLength: Int, width: Int = 1, indices: some BidirectionalCollection<Int>, errors: [Double],
        deviations: [Double]
    ) {
        let across = (rowLength + Self.columns - 1) / Self.columns
        // A column that stands for many is a block's width by itself.
        let columns = width == 1 ? Self.columns : 1
        let blocksAcross = width == 1 ? across : rowLength
        let blocksDown = ((indices.last ?? 0) / rowLength + Self.rows) / Self.rows
        var blocks = [(errors: Double, deviations: Double)](repeating: (0, 0), count: blocksDown * blocksAcross)
        for (position, index) in indices.enumerated() {
            let block = index / rowLength / Self.rows * blocksAcross + index % rowLength / columns
            let (error, deviation) = (errors[position], deviations[position])
            blocks[block].errors += error * error
            blocks[block].deviations += deviation * deviation
        }
        var found = (block: 0, fraction: 0.0)
        for (block, sums) in blocks.enumerated() {
            let fraction = ErrorMeasure.fraction(sums.errors, of: sums.deviations)
            if fraction > found.fraction { found = (block, fraction) }
        }
        worst = found.fraction.squareRoot()
        let row = found.block / blocksAcross * Self.rows
        let column = found.block % blocksAcross * columns * width
        (worstRows, worstColumns) = (row..<row + Self.rows, column..<min(column + columns * width, rowLength * width))
    }

    /// What a block that does not hold is told by.
    public func words(of argument: Argument) -> String {
        let many = worst < 1e6 ? "\(Int(worst / Self.usual)) times" : "more than a million times"
        let (rows, columns) = (worstRows, worstColumns)
        let place =
            argument.axes.count > 1
            ? "rows \(rows.lowerBound) to \(rows.upperBound - 1), columns \(columns.lowerBound) to \(columns.upperBound - 1)"
            : "elements \(columns.lowerBound) to \(columns.upperBound - 1)"
        return "\(place): error \(many) what rounding at random makes"
    }
}
