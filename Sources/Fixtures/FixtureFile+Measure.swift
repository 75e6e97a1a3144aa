import Accuracy
import HDF5
import Kernels

/// Comparisons with a result of a debug state, a group of `float32` and `float64`.
extension FixtureFile {
    /// Measures a tensor of `shape` against the float64 and float32 runs at `path`, slab by slab. An element that is nil
    /// is left out.
    package func measure(
        _ path: String, _ shape: [Int], _ coverage: Coverage, _ element: (Int) -> Double?
    ) throws(FixtureError) -> ErrorMeasure {
        var measure = ErrorMeasure()
        let (count, slab) = (shape.reduce(1, *), 1 << 18)
        for start in stride(from: 0, to: count, by: slab) {
            let range = start..<min(start + slab, count)
            let truth = try read("\(path)/float64", Double.self, elements: range)
            let torch = try read("\(path)/float32", Float.self, elements: range)
            for index in range where coverage.contains(index, shape: shape) {
                guard let actual = element(index) else { continue }
                guard truth[index - start].isFinite, torch[index - start].isFinite else {
                    throw error(path, "element \(index) of the reference is not finite")
                }
                measure.add(
                    index: index, actual: actual, torch: Double(torch[index - start]),
                    truth: truth[index - start], bound: 1)
            }
        }
        return measure
    }
}
