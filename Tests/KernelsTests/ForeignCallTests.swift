import ForeignKernels
import Kernels
import Tensors
import TestSupport
import Testing

/// Calls of a library's functions as a model makes them.
struct ForeignCallTests {
    @Test func resultMayLieWhereAnInputDoes() throws {
        let folder = try TemporaryFolder()
        let compiler = try Run(
            "/usr/bin/env",
            [
                "cc", "-shared", "-fPIC", "-I", "\(packageRoot)/include", "\(packageRoot)/examples/kernels.c", "-o",
                folder("libmine.so"), "-lm",
            ])
        try #require(compiler.code == 0, "\(compiler.errors)")
        let library = try ForeignLibrary(folder("libmine.so"), kernels: [Classifier.Backward<Float>.self])

        let logits = Tensor<Float>(repeating: 1, count: 4), dlosses = Tensor<Float>(repeating: 2, count: 1)
        let lse = Tensor<Float>(repeating: 1, count: 1), targets = Tensor<Int32>(repeating: 1, count: 1)
        let incidents = try CallIncident.during {
            KernelSet(library.implementations).run(
                Classifier.Backward(
                    dlogits: logits.view, dlosses: View(dlosses.view), logits: View(logits.view), lse: View(lse.view),
                    targets: View(targets.view), B: 1, T: 1, V: 3, Vp: 4))
        }
        #expect(incidents.isEmpty, "\(incidents.map(\.note))")
        #expect(Array(logits.view.buffer) == [2, 0, 2, 0])
    }
}
