import Testing

@testable import Reporting

struct BinomialTests {
    /// Against the quantiles of the beta distribution, the 0.05th of k and n − k + 1.
    @Test(arguments: [
        (0, 10, 0.0), (1, 1, 0.05), (9, 10, 0.60583670), (300, 300, 0.99006392), (487, 600, 0.78345575),
    ])
    func lowest(_ successes: Int, _ tried: Int, _ expected: Double) {
        #expect(abs(Binomial.lowest(successes, of: tried) - expected) < 1e-6)
    }
}
