/// The error of one tensor, gathered slab by slab: element by element against bounds, and in the mean against PyTorch.
///
/// Every test is written so that NaN fails. An infinity is right only where the truth is the same infinity.
public struct ErrorMeasure {
    /// The elements compared.
    public private(set) var count = 0
    /// The largest error as a fraction of the element's bound, where it is, and the bound, truth and answer there.
    public private(set) var worst = 0.0
    public private(set) var worstIndex = 0
    public private(set) var bound = 0.0
    public private(set) var expected = 0.0
    public private(set) var actual = 0.0
    /// The errors as fractions of the truth.
    public private(set) var relative = RelativeErrors()
    private var squares = 0.0
    private var torchSquares = 0.0
    private var truthSquares = 0.0

    /// Nothing measured yet.
    public init() {}

    /// The error of the worst element in units in the last place of the float32 nearest to the truth.
    public var ulps: Double {
        let nearest = Float(expected)
        return nearest.isFinite ? Self.error(actual, expected) / Double(nearest.ulp) : Self.error(actual, expected)
    }

    /// The root mean square of the answer's error, of PyTorch's, and of the truth.
    public var rmse: Double { root(squares) }
    public var torchRMSE: Double { root(torchSquares) }
    public var truthRMS: Double { root(truthSquares) }

    /// Takes the element at the flat `index`: what the kernel computed, and PyTorch where it was asked, the truth, and the
    /// bound.
    public mutating func add(index: Int, actual: Double, torch: Double?, truth: Double, bound: Double) {
        let error = Self.error(actual, truth)
        let torchError = torch.map { Self.error($0, truth) } ?? 0
        squares += error * error
        torchSquares += torchError * torchError
        truthSquares += truth.isFinite ? truth * truth : 0

        relative.add(error: error, truth: truth, bound: bound)

        let fraction = Self.fraction(error, of: bound)
        if count == 0 || fraction > worst {
            worst = fraction
            worstIndex = index
            self.bound = bound
            expected = truth
            self.actual = actual
        }
        count += 1
    }

    /// |actual − truth|; 0 for the same infinity, and NaN or infinity for any other that is not finite.
    public static func error(_ actual: Double, _ truth: Double) -> Double { actual == truth ? 0 : abs(actual - truth) }

    /// The error as a fraction of its bound: infinite where it is NaN, or where the bound is 0 and it is not.
    public static func fraction(_ error: Double, of bound: Double) -> Double {
        if error == 0 { return 0 }
        let fraction = error / bound
        return fraction.isNaN ? .infinity : fraction
    }

    private func root(_ squares: Double) -> Double { count == 0 ? 0 : (squares / Double(count)).squareRoot() }
}
