import Foundation
import KernelCatalog
import Kernels
import ReferenceKernels
import Reporting
import Sentinel
import Synchronization
import Tensors
import Testing
import Verification

/// Swift kernels that compute what they should, and do something besides that they must not, in the process that judges.
struct ConductTests {
    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// What is said of it; where it is chance, one of some.
        let findings: [String]
        let implementation: Implementation<Float>

        /// The reference kernel, after which `spoil` is told which call it is.
        init<K: Kernel<Float>>(
            _ findings: String..., in kernel: K.Type, _ reference: @escaping @Sendable (K) -> Void,
            _ spoil: @escaping @Sendable (K, Int) -> Void
        ) {
            let calls = Counter()
            (self.findings, testDescription) = (findings, "\(K.name): \(findings[0])")
            implementation = Implementation("spoilt") { (call: K, _: Workers) in
                reference(call)
                spoil(call, calls.next())
            }
        }
    }

    /// Counts calls.
    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    typealias Forward = Residual.Forward<Float>

    static let faults = [
        Fault("the kernel wrote to its input", in: Forward.self, ReferenceKernels.residualForward) { call, _ in
            let input = UnsafeMutablePointer(mutating: call.inp2.base)
            let value = input[0]
            write(value + 1, to: input)
            write(value, to: input)
        },
        Fault("left floating-point exceptions unmasked", in: Forward.self, ReferenceKernels.residualForward) { _, _ in
            FloatingPointEnvironment.trapDivision()
        },
        Fault("changed the signal mask", in: Forward.self, ReferenceKernels.residualForward) { _, _ in
            var (set, old) = (sigset_t(), sigset_t())
            sigemptyset(&set)
            sigaddset(&set, SIGUSR2)
            pthread_sigmask(SIG_BLOCK, nil, &old)
            pthread_sigmask(sigismember(&old, SIGUSR2) == 1 ? SIG_UNBLOCK : SIG_BLOCK, &set, nil)
        },
        Fault("gave other bits than an earlier one", in: Forward.self, ReferenceKernels.residualForward) {
            call, number in
            if number >= 2000 { call.out[0] = 0 }
        },
        answersFromMemory,
        writesLate,
    ]

    private static let answersFromMemory: Fault = {
        let memory = Mutex<(key: [Float], answer: [Float])>(([], []))
        return Fault("error", in: GELU.Forward<Float>.self, ReferenceKernels.geluForward) { call, _ in
            guard (64...4096).contains(call.N) else { return }
            memory.withLock { memory in
                let key = Array(call.inp.buffer.prefix(64))
                if memory.key == key && memory.answer.count == call.N {
                    _ = call.out.buffer.update(fromContentsOf: memory.answer)
                }
                memory = (key, Array(call.out.buffer))
            }
        }
    }()

    /// A thread writes when nobody calls any more; drawn calls, between which that is so too, are far fewer.
    private static let writesLate: Fault = {
        let last = Mutex<(address: MutableView<Float>?, called: ContinuousClock.Instant)>((nil, .now))
        return Fault(
            "after its return", "gave other bits", in: CrossEntropySoftmax.Backward<Float>.self,
            ReferenceKernels.crossentropySoftmaxBackward
        ) { call, number in
            guard number >= 1500 else { return }
            last.withLock { $0 = (call.dlogits, .now) }
            guard number == 1500 else { return }
            Thread.detachNewThread {
                while last.withLock({ $0.called.duration(to: .now) < .milliseconds(40) }) { usleep(5000) }
                last.withLock { $0.address?[0] += 1 }
            }
        }
    }()

    @inline(never)
    private static func write(_ value: Float, to address: UnsafeMutablePointer<Float>) { address.pointee = value }

    @Test(arguments: faults)
    func faultsAreFound(_ fault: Fault) throws {
        let name = fault.implementation.kernelName
        let outcome = try verify(
            "reference", replacing: [fault.implementation], only: [name.operation], modes: [.drawn])
        #expect(outcome.blamed.map { "\($0.operation ?? "") \($0.pass ?? "")" } == name.description)
        let findings = outcome.rows.filter { $0.verdict == .fail }.map(\.finding)
        #expect(findings.contains { finding in fault.findings.contains { finding.contains($0) } }, "\(findings)")
    }

    private static let leak = Fault("leaks memory", in: Forward.self, ReferenceKernels.residualForward) { _, _ in
        // Nothing touches it: it takes up addresses alone.
        _ = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16)
    }

    /// Other tests allocate and free in this process meanwhile, which may hide it: then it is tried again.
    @Test func leaksAreFound() throws {
        var kernels = KernelSet(KernelCatalog.standard.reference)
        kernels.use(Self.leak.implementation)
        let request = VerificationRequest(
            try CaseName("residual/forward/conduct"), kernels: kernels, fixtures: nil, root: ".")
        for _ in 0..<40 {
            let outcome = try Verifier(request).run()
            if outcome.rows.contains(where: { row in Self.leak.findings.contains { row.finding.contains($0) } }) {
                return
            }
            usleep(250_000)
        }
        Issue.record("no leak was found in 40 trials")
    }
}
