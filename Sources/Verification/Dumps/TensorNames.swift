/// The names that other programs give to a debug state's tensors, and what has to be done to them.
struct TensorNames {
    private static let model = "transformer."
    /// What torch.compile and DistributedDataParallel put before names.
    private static let wrappers = ["_orig_mod.", "module."]

    /// What a parameter's name may begin with.
    private static let beginnings = ["transformer", "h", "wte", "wpe", "ln_f", "_orig_mod", "module"]

    private var changes: [String] = []

    /// The changes that make the reference's names of those noted.
    var remedy: String { changes.joined(separator: ", ") }

    /// The expected names by what is left of them without the model's name and a gradient's `d`.
    static func keys(_ expected: [String]) -> [String: String] {
        Dictionary(expected.map { (key($0), $0) }) { first, _ in first }
    }

    /// The expected name that `found` stands for, by ``keys(_:)``; nil if it stands for none.
    func expected(_ found: String, _ keys: [String: String]) -> String? { keys[Self.key(found)] }

    /// Takes down what makes the name `expected` of `found`.
    mutating func note(_ found: String, for expected: String) {
        guard let (above, group, name) = Self.parts(found), let (_, _, goal) = Self.parts(expected) else { return }
        var needed: [String] = []
        if !above.isEmpty { needed.append("leave out the group \(above) around them") }
        if name.contains("/") { needed.append("write a '.' where they have a '/'") }
        for wrapper in Self.wrappers where name.contains(wrapper) { needed.append("leave out '\(wrapper)'") }
        if goal.contains(Self.model), !name.contains(Self.model.dropLast()) {
            needed.append("write '\(Self.model)' before wte, wpe, h and ln_f of parameters")
        }
        if group == "gradients", Self.bare(name, isGradient: false) == Self.bare(goal, isGradient: true) {
            needed.append("write a 'd' before a gradient's name")
        }
        for change in needed where !changes.contains(change) { changes.append(change) }
    }

    /// The group of tensors in a path, the groups above it, and the name below it.
    private static func parts(_ path: String) -> (above: String, group: String, name: String)? {
        let parts = path.split(separator: "/").map(String.init)
        guard let index = parts.firstIndex(where: DumpFile.groups.contains), index + 1 < parts.count else { return nil }
        return (parts[..<index].joined(separator: "/"), parts[index], parts[(index + 1)...].joined(separator: "/"))
    }

    private static func key(_ path: String) -> String {
        guard let (_, group, name) = parts(path) else { return path }
        return group + "/" + bare(name, isGradient: group == "gradients")
    }

    /// A name without what goes before it; of a gradient's, without its `d`, which stands before a parameter's whole name
    /// and before the last part of an activation's.
    private static func bare(_ name: String, isGradient: Bool) -> String {
        var parts = name.split { $0 == "/" || $0 == "." }.map(String.init)
        if isGradient, let last = parts.indices.last {
            let isParameter = ["weight", "bias"].contains(parts[last])
            let index = isParameter ? 0 : last
            let rest = String(parts[index].dropFirst())
            if parts[index].first == "d", !isParameter || beginnings.contains(rest) { parts[index] = rest }
        }
        parts.removeAll { $0 == "transformer" || wrappers.contains($0 + ".") }
        return parts.joined(separator: ".")
    }
}
