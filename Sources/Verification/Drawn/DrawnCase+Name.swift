import Accuracy
import KernelCatalog
import Kernels
import Platform

/// The name of a drawn case says all of it but the seed, and needs no quotes in a shell.
extension DrawnCase {
    /// What the names of drawn cases begin with.
    static let prefix = "drawn:"

    /// The name within its kernel: the sizes, `-bias` for an argument that the call goes without, the class of values if it is
    /// not the usual, and what it overwrites: `drawn:B=1,T=3,C=65,OC=2,-dbias,values=hard,overwrites=activations`.
    var name: String { Self.name(kernel, call) }

    private static func name<K: Kernel<Float>>(_: K.Type, _ call: DrawnCall) -> String {
        let overwritten = Overwriting.named.filter { call.overwrites.contains($0.option) }.map(\.name)
        let parts =
            call.signature(K.self).sizes.map { "\($0.name)=\($0.value)" } + call.absent.sorted().map { "-\($0)" }
            + (call.values == .usual ? [] : ["values=\(call.values.rawValue)"])
            + (overwritten.isEmpty ? [] : ["overwrites=\(overwritten.joined(separator: "+"))"])
        return prefix + parts.joined(separator: ",")
    }

    /// The case of `kernel` of that name, its inputs drawn by `seed`.
    ///
    /// - Throws: ``CaseNameError`` where the contract knows no such size or argument, where a size breaks its rule, or where
    ///   the call needs more memory than the machine has.
    init<K: Kernel<Float>>(_ kernel: K.Type, named name: String, seed: UInt64) throws(CaseNameError) {
        let known = K().signature
        var (sizes, absent, overwrites): ([String: Int], Set<String>, Overwriting) = ([:], [], [])
        var values = ValueClass.usual
        for part in name.dropFirst(Self.prefix.count).split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            if part.hasPrefix("-") {
                let optional = known.arguments.filter(\.isOptional).map(\.name)
                guard optional.contains(String(part.dropFirst())) else {
                    throw CaseNameError(
                        "\(K.name) has no argument '\(part.dropFirst())' that a call can go without",
                        String(part.dropFirst()), among: optional)
                }
                absent.insert(String(part.dropFirst()))
            } else if words.count == 2, words[0] == "values" {
                let known = ValueClass.allCases.map(\.rawValue)
                guard let named = ValueClass(rawValue: words[1]) else {
                    throw CaseNameError("there are no values called '\(words[1])'", words[1], among: known)
                }
                values = named
            } else if words.count == 2, words[0] == "overwrites" {
                overwrites = try Self.overwriting(words[1])
            } else if words.count == 2 {
                let names = known.sizes.map(\.name)
                guard names.contains(words[0]) else {
                    throw CaseNameError("\(K.name) has no size '\(words[0])'", words[0], among: names)
                }
                guard let value = Int32(words[1]), value >= 0 else {
                    throw CaseNameError("\(words[0]) needs a whole number of at most \(Int32.max), not '\(words[1])'")
                }
                guard sizes.updateValue(Int(value), forKey: words[0]) == nil else {
                    throw CaseNameError("\(words[0]) is given twice")
                }
            } else {
                let example = known.sizes.map { "\($0.name)=\(max($0.least, $0.divisor))" }.joined(separator: ",")
                throw CaseNameError("cannot read '\(part)'; write the sizes, such as \(Self.prefix)\(example)")
            }
        }
        let signature: Signature
        do {
            signature = try K.signature(sizes: sizes, overwrites: overwrites)
        } catch {
            throw CaseNameError(error.description)
        }
        // The truth's inputs in double, and those of the kernel in float, twice each.
        let bytes = signature.arguments.reduce(0.0) { $0 + 24 * Double($1.count) }
        guard bytes < Double(Machine.current(threads: 1).memory) else {
            throw CaseNameError(
                "\(K.name) at these sizes needs \(Formatting.number(bytes / 1e9)) GB; choose smaller ones")
        }
        self.init(kernel, sizes: sizes, absent: absent, overwrites: overwrites, values: values, seed: seed)
    }

    private static func overwriting(_ text: String) throws(CaseNameError) -> Overwriting {
        var found: Overwriting = []
        for word in text.split(separator: "+", omittingEmptySubsequences: false).map(String.init) {
            guard let named = Overwriting.named.first(where: { $0.name == word }) else {
                throw CaseNameError(
                    "nothing that is overwritten is called '\(word)'", word, among: Overwriting.named.map(\.name))
            }
            found.insert(named.option)
        }
        return found
    }
}
