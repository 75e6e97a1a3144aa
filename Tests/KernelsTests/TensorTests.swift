import Tensors
import Testing

/// Tensors of any size are aligned and hold what they are made with.
struct TensorTests {
    @Test(arguments: [0, 1, 1000, 1 << 20, (1 << 22) + 1]) func contents(_ count: Int) {
        for value in [Float(0), -0.0, 1] {
            let tensor = Tensor(repeating: value, count: count)
            #expect(UInt(bitPattern: tensor.view.base) % UInt(Tensor<Float>.alignment) == 0)
            #expect(tensor.view.buffer.allSatisfy { $0.bitPattern == value.bitPattern })
            tensor.view.fill(2)
            let copy = Tensor(tensor.view.buffer)
            #expect(copy.view.buffer.elementsEqual(tensor.view.buffer))
        }
    }
}
