/// The indices, outermost first, of the element at the flat index of a tensor of `shape`.
package func indices(of flat: Int, in shape: [Int]) -> [Int] {
    var rest = flat
    var indices: [Int] = []
    for extent in shape.reversed() where extent > 0 {
        indices.append(rest % extent)
        rest /= extent
    }
    return indices.reversed()
}
