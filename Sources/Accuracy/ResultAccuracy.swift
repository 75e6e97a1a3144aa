/// How far the results of a call are from the truth.
package struct ResultAccuracy: Sendable {
    /// The largest error as a fraction of the element's bound.
    package let worst: Double
    /// The root mean square of those fractions.
    package let typical: Double
    /// The root mean square error.
    package let rmse: Double
    /// The elements compared, and those of all results.
    package let compared, total: Int
    /// The worst element in words, where it is beyond its bound.
    package let finding: String?
}
