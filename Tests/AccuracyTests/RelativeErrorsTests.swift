import Accuracy
import Testing

struct RelativeErrorsTests {
    /// Of a thousand elements of 1, so many off by each amount.
    private func errors(_ amounts: [(count: Int, error: Double)]) -> RelativeErrors {
        var errors = RelativeErrors()
        for (count, error) in amounts {
            for _ in 0..<count { errors.add(error: error, truth: -2, bound: 1e-2) }
        }
        return errors
    }

    @Test func percentiles() {
        let errors = errors([(600, 3e-7), (395, 3e-5), (5, 3e-3)])
        #expect(errors.count == 1000 && errors.worst == 1.5e-3 && errors.withoutDigits == 0)
        #expect((1.5e-7..<3e-7).contains(errors.percentile(0.5)))
        #expect((1.5e-5..<3e-5).contains(errors.percentile(0.99)))
        #expect(errors.percentile(1) == 1.5e-3)
        var both = errors
        both.add(self.errors([(2000, 3e-7)]))
        #expect(both.count == 3000 && both.worst == errors.worst && both.percentile(0.8) < 3e-7)
    }

    @Test func exactResults() {
        let errors = errors([(10, 0)])
        #expect(errors.count == 10 && errors.worst == 0 && errors.percentile(0.99) == 0)
    }

    /// Whoever owes no digit may lack them all; what has none is counted all the same.
    @Test func cancelledResults() {
        var errors = RelativeErrors()
        errors.add(error: 1e-6, truth: -1e-6, bound: 2e-6)
        #expect(errors.count == 0 && errors.withoutDigits == 1)
        errors.add(error: 1e-6, truth: 1, bound: 2e-6)
        errors.add(error: 0, truth: 0, bound: 0)
        #expect(errors.count == 1 && errors.withoutDigits == 1 && errors.worst == 1e-6)
    }

    @Test func noNumbers() {
        var errors = RelativeErrors()
        for _ in 0..<10 { errors.add(error: .nan, truth: 1, bound: 1e-6) }
        #expect(errors.withoutDigits == 10 && errors.worst.isNaN && errors.percentile(0.5).isNaN)
    }
}
