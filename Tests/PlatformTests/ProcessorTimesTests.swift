@testable import Platform
import Testing

struct ProcessorTimesTests {
    /// The text of proc(5)'s example form: user nice system idle iowait irq softirq steal guest guest_nice.
    private static let text = """
        cpu  600 20 100 9000 50 1 2 40 0 0
        cpu0 100 10 50 4000 50 0 2 30 0 0
        cpu1 500 10 50 5000 0 1 0 10 0 0
        cpu11 7 7 7 7 7 7 7 7 7 7
        intr 12345
        """

    @Test func ofTheProcessorsAskedFor() throws {
        let one = try #require(ProcessorTimes(Self.text, processors: [1], tick: 0.01))
        #expect(abs(one.busy - 5.61) < 1e-9 && abs(one.stolen - 0.1) < 1e-9)
        let both = try #require(ProcessorTimes(Self.text, processors: [0, 1], tick: 0.01))
        #expect(abs(both.busy - 7.23) < 1e-9 && abs(both.stolen - 0.4) < 1e-9)
        #expect(ProcessorTimes(Self.text, processors: [2], tick: 0.01) == nil)
    }
}
