import Foundation
import Kernels

/// A choice of kernels that the catalog cannot meet.
public struct KernelSelectionError: Error, CustomStringConvertible {
    public let description: String
}

extension KernelCatalog {
    /// The operations of those names, as `--only` takes them.
    ///
    /// - Throws: ``KernelSelectionError`` when there is no operation of a name.
    public static func checkedOperations(_ names: [String]) throws(KernelSelectionError) -> Set<String> {
        if let unknown = names.first(where: { !operations.contains($0) }) {
            throw KernelSelectionError(
                description:
                    "--only: no operation is called '\(unknown)'; there are \(operations.joined(separator: ", "))")
        }
        return Set(names)
    }

    /// The set that `selection` names: names of implementations and `operation=name`, separated by commas.
    ///
    /// A set starts as the reference and is overridden, item by item, by the kernels that exist under that name:
    /// `fast`, `fast,matmul=reference`, `matmul=mine`.
    ///
    /// - Throws: ``KernelSelectionError`` when a name matches nothing.
    public static func set(
        named selection: String, workers: Workers = .one,
        from implementations: [Implementation<Float>] = implementations
    ) throws(KernelSelectionError) -> KernelSet<Float> {
        var set = KernelSet<Float>(reference(), workers: workers)
        for item in selection.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.last, !name.isEmpty, parts.count <= 2 else {
                throw KernelSelectionError(
                    description: "--kernels: cannot read '\(item)'; write a name, such as fast, or operation=name")
            }
            let operation = parts.count == 2 ? parts[0] : nil
            if let operation, !operations.contains(operation) {
                throw KernelSelectionError(
                    description: "--kernels: no operation is called '\(operation)'; "
                        + "there are \(operations.joined(separator: ", "))")
            }
            let chosen = implementations.filter {
                $0.name == name && (operation == nil || $0.kernelName.operation == operation)
            }
            guard !chosen.isEmpty else {
                let known = unique(
                    implementations.filter { operation == nil || $0.kernelName.operation == operation }.map(\.name))
                throw KernelSelectionError(
                    description: "--kernels: no implementation \(operation.map { "of \($0) " } ?? "")"
                        + "is called '\(name)'; there are \(known.joined(separator: ", "))")
            }
            if name == "fast" { try checkMachine() }
            for implementation in chosen { set.use(implementation) }
        }
        return set
    }

    /// Refuses instructions that this machine does not have, which would end the process; says so once if it has better.
    private static func checkMachine() throws(KernelSelectionError) {
        guard let features = InstructionSet.ofThisMachine else { return }
        if let complaint = InstructionSet.built.complaint(about: features) {
            throw KernelSelectionError(description: "--kernels: \(complaint)")
        }
        _ = advice
    }

    private static let advice: Void = {
        guard let advice = InstructionSet.built.advice(about: InstructionSet.ofThisMachine ?? []) else { return }
        FileHandle.standardError.write(Data("note: \(advice)\n".utf8))
    }()
}
