import Kernels
import ReferenceKernels
import Testing
import Verification

/// A kernel author's own test: one line.
struct ConformanceTests {
    @Test func aRightKernelConforms() throws {
        try Verifier.requireConformance(of: Implementation("mine", ReferenceKernels.geluForward))
    }

    @Test func aWrongKernelDoesNot() throws {
        let wrong = Implementation<Float>("mine") { (a: Residual.Forward<Float>) in
            for i in 0..<a.N { a.out[i] = 1.07 * (a.inp1[i] + a.inp2[i]) }
        }
        let error = #expect(throws: NonconformanceError.self) { try Verifier.requireConformance(of: wrong) }
        #expect(error?.description.contains("residual forward (mine)") == true)
        #expect(error?.description.contains("off by a constant factor 1.07") == true, "\(error?.description ?? "")")
    }

    /// An infinity that is right says nothing of the other elements.
    @Test func aMatchingInfinityHidesNothing() throws {
        let wrong = Implementation<Float>("mine") { (a: CrossEntropy.Forward<Float>) in
            ReferenceKernels.crossentropyForward(a)
            for i in 0..<a.losses.count where a.losses[i].isFinite { a.losses[i] += 1e-4 * max(1, a.losses[i]) }
        }
        #expect(throws: NonconformanceError.self) { try Verifier.requireConformance(of: wrong) }
    }

    /// Inputs read one element too far, with no effect on the result.
    @Test func aStrayRead() throws {
        let wrong = Implementation<Float>("mine") { (a: Residual.Forward<Float>) in
            for i in 0..<a.N {
                let next = a.inp1.base[i + 1]
                a.out[i] = a.inp1[i] + a.inp2[i] + (next == 12_345 ? 1 : 0)
            }
        }
        let error = #expect(throws: NonconformanceError.self) { try Verifier.requireConformance(of: wrong) }
        #expect(error?.description.contains("read past the argument's end") == true, "\(error?.description ?? "")")
    }
}
