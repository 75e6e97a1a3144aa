import KernelCatalog
import Kernels
import Tensors

/// A fault of which a kernel shows nothing at the sizes and values of fixtures: it is right but for some calls.
struct SizedFault: Sendable {
    /// What is wrong, in words.
    let name: String
    /// Whether calls of those sizes go wrong; the others are made rightly.
    var isActive: @Sendable (_ sizes: [String: Int]) -> Bool = { _ in true }
    /// Whether single calls show it; if not, it is tried by the kernel's properties alone.
    var isOfCalls = true
    /// Makes a call, wrongly.
    let body: @Sendable (FaultyCall) -> Void

    /// The fault in the newest of the catalog's implementations of the kernel, which are right.
    func planted<K: Kernel<Float>>(in kernel: K.Type, of catalog: KernelCatalog) -> Fault {
        let memory = CommonFault.FaultMemory()
        let (right, isActive, body) = (catalog.implementations, isActive, body)
        let implementation = Implementation<Float>("faulty") { (call: K, workers: Workers) in
            let (set, presented) = (KernelSet(right, workers: workers), call.presented)
            guard isActive(presented.signature.sizesByName) else { return set.run(call) }
            body(FaultyCall(call, presented, by: set, memory))
        }
        let isShown = isOfCalls
        return Fault(name, in: implementation, at: { isShown && isActive($0) })
    }
}
