import KernelCatalog
import Kernels
import ReferenceKernels
import Reporting
import Testing
import Verification

/// Kernels that are right at every size that a fixture has, and not at those that models have.
struct DrawnCasesTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let implementation: Implementation<Float>

        /// The reference kernel, whose results `spoil` changes.
        init<K: Kernel<Float>>(
            _ description: String, _ kernel: K.Type, _ reference: @escaping @Sendable (K) -> Void,
            _ spoil: @escaping @Sendable (K) -> Void
        ) {
            testDescription = description
            implementation = Implementation("spoilt") { (call: K, _: Workers) in
                reference(call)
                spoil(call)
            }
        }
    }

    static let faults = [
        Fault("nothing after 100 000 elements", GELU.Forward<Float>.self, ReferenceKernels.geluForward) { call in
            for i in 0..<call.N where i >= 100_000 { call.out[i] = 0 }
        },
        Fault("column 50 256 is 0", Softmax.Forward<Float>.self, ReferenceKernels.softmaxForward) { call in
            for row in 0..<call.B * call.T where call.V > 50_256 { call.probs[row * call.Vp + 50_256] = 0 }
        },
        Fault("row 1 023 is that before", Attention.Forward<Float>.self, ReferenceKernels.attentionForward) { call in
            guard call.T > 1023 else { return }
            for i in 0..<call.C { call.out[1023 * call.C + i] = call.out[1022 * call.C + i] }
        },
        Fault("tokens in 15 bits", Encoder.Forward<Float>.self, ReferenceKernels.encoderForward) { call in
            for row in 0..<call.B * call.T where call.inp[row] >= 1 << 15 {
                for i in 0..<call.C {
                    call.out[row * call.C + i] = call.wte[(Int(call.inp[row]) & 0x7fff) * call.C + i]
                }
            }
        },
        Fault(
            "the last term is left out where C mod 64 is 1", Matmul.Forward<Float>.self, ReferenceKernels.matmulForward
        ) { call in
            guard call.C > 64, call.C % 64 == 1 else { return }
            for row in 0..<call.B * call.T {
                for o in 0..<call.OC {
                    call.out[row * call.OC + o] -=
                        call.inp[(row + 1) * call.C - 1] * call.weight[(o + 1) * call.C - 1]
                }
            }
        },
    ]

    @Test(arguments: faults)
    func faultsOfRealSizes(_ fault: Fault) throws {
        let name = fault.implementation.kernelName
        let drawn = try verify("fast", replacing: [fault.implementation], only: [name.operation], modes: [.drawn])
        #expect(drawn.verdict == .fail)
        #expect(drawn.blamed?.operation == name.operation && drawn.blamed?.pass == name.pass.rawValue)
        #expect(drawn.drawn.map { $0.calls > 30 } == true)
        let fixture = try verify(
            "fast", replacing: [fault.implementation], only: [name.operation], modes: [.isolated])
        #expect(fixture.verdict == .pass)
    }
}
