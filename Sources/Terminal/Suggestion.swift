/// What to say of an unknown word: the nearest of those that are known, or all of a few where none is near.
public func suggestion(_ word: String, among known: [String]) -> String {
    let nearest = known.map { (word: $0, distance: editDistance($0, word)) }.min { $0.distance < $1.distance }
    guard let nearest else { return "" }
    if nearest.distance > 3, known.count > 8 { return "" }
    return nearest.distance <= 3 ? " (did you mean \(nearest.word)?)" : " (there are \(known.joined(separator: ", ")))"
}

/// The fewest insertions, deletions and replacements that turn one word into the other.
///
/// Source: Wagner and Fischer 1974, The string-to-string correction problem.
func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let replaced = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
