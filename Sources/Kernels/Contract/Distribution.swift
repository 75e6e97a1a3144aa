import Tensors

/// How the numbers of an argument are drawn: of mantissas at random and light tails, so that their sums round at random.
///
/// Every number is exact in float32.
public enum Distribution: Sendable, Hashable, Codable {
    /// Uniform in ±scale/2, times uniform in 0.5 to 1.5: a product, so that sums of such numbers round.
    case signed(Float)
    /// Uniform in 0 to scale, 0 excluded.
    case positive(Float)
    /// Uniform in 0.5 to 1.5.
    case nearOne

    /// What most arguments are drawn from.
    public static let wide = Distribution.signed(4)

    /// The number that a random word makes.
    public func number(from bits: UInt64) -> Float {
        let uniform = Float(bits >> 40) * 0x1p-24
        return switch self {
        case .signed(let scale): (uniform - 0.5) * scale * (0.5 + Float(bits & 0xff_ffff) * 0x1p-24)
        case .positive(let scale): (1 - uniform) * scale
        case .nearOne: 0.5 + uniform
        }
    }
}
