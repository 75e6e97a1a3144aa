import Foundation

/// Where the errors of a tensor are: a grid of cells, each of which stands for a block of elements and holds the largest
/// error in it.
public struct HeatMap: Codable, Sendable, Hashable {
    /// The rows and columns of the tensor, its outer extents taken as one.
    public let rows, columns: Int
    /// A text for each row of the grid, a character for each cell: a blank for what is not specified, `0` for what holds,
    /// `1` for an error of up to 10 times its bound, `2` for up to 100 and so on to `9`, `x` for NaN and infinity.
    public let cells: [String]

    /// The most rows and columns of the grid.
    static let limit = (rows: 32, columns: 64)

    /// The map of a tensor of that shape, whose element at a flat index is off by that fraction of its bound; nil for an
    /// element that is not specified.
    public init(shape: [Int], fraction: (Int) -> Double?) {
        let columns = max(shape.last ?? 1, 1)
        let rows = max(shape.reduce(1, *) / columns, 1)
        let grid = (rows: min(rows, Self.limit.rows), columns: min(columns, Self.limit.columns))
        var worst = [Double](repeating: -1, count: grid.rows * grid.columns)
        for row in 0..<rows {
            for column in 0..<columns {
                guard let fraction = fraction(row * columns + column) else { continue }
                let cell = row * grid.rows / rows * grid.columns + column * grid.columns / columns
                // NaN counts as the largest.
                worst[cell] = fraction <= worst[cell] ? worst[cell] : fraction.isNaN ? .infinity : fraction
            }
        }
        self.rows = rows
        self.columns = columns
        cells = (0..<grid.rows).map { row in
            String(worst[row * grid.columns..<(row + 1) * grid.columns].map(Self.character))
        }
    }

    private static func character(_ fraction: Double) -> Character {
        switch fraction {
        case ..<0: " "
        case ...1: "0"
        case .infinity: "x"
        default: Character(String(min(9, 1 + Int(log10(fraction)))))
        }
    }
}
