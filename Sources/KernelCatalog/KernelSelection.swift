import FastKernels
import ForeignKernels
import Foundation
import Kernels

/// A choice of kernels that the catalog cannot meet.
public struct KernelSelectionError: Error, CustomStringConvertible {
    public let description: String
}

/// The kernels that a choice names.
public struct KernelSelection {
    /// The kernels.
    public var kernels: KernelSet<Float>
    /// The shared libraries that some of them are in.
    public var libraries: [ForeignLibrary] = []
}

extension KernelCatalog {
    /// The operations of those names, as `--only` takes them.
    ///
    /// - Throws: ``KernelSelectionError`` when there is no operation of a name.
    public func checkedOperations(_ names: [String]) throws(KernelSelectionError) -> Set<String> {
        if let unknown = names.first(where: { !operations.contains($0) }) {
            throw KernelSelectionError(
                description:
                    "--only: no operation is called '\(unknown)'; there are \(operations.joined(separator: ", "))")
        }
        return Set(names)
    }

    /// The set that `selection` names; see ``selection(named:workers:)``.
    ///
    /// - Throws: ``KernelSelectionError`` when a name matches nothing.
    public func set(
        named selection: String, workers: Workers = .one
    ) throws(KernelSelectionError) -> KernelSet<Float> {
        try self.selection(named: selection, workers: workers).kernels
    }

    /// The kernels that `selection` names: implementations, paths of shared libraries, and `operation=` either of these,
    /// separated by commas.
    ///
    /// A set starts as the reference, fused kernels composed of it, and is overridden, item by item, by the kernels that exist under that name:
    /// `fast`, `fast,matmul=reference`, `matmul=mine`, `./libmine.so`. A library's kernels run in child processes.
    ///
    /// - Throws: ``KernelSelectionError`` when a name matches nothing, or a library cannot be used.
    public func selection(
        named selection: String, workers: Workers = .one
    ) throws(KernelSelectionError) -> KernelSelection {
        // What is fused is composed of the kernels chosen, where they are all that there is.
        let plain = reference.filter { !($0.kernel is any FusedKernel.Type) }
        var found = KernelSelection(kernels: KernelSet(plain, workers: workers))
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
            let all = ForeignLibrary.isPath(name) ? try library(name, &found) : implementations
            let candidates = all.filter { operation == nil || $0.kernelName.operation == operation }
            let chosen = candidates.filter { $0.name == ForeignLibrary.name(of: name) }
            guard !chosen.isEmpty else {
                if let library = found.libraries.first(where: { $0.path == name }) {
                    throw KernelSelectionError(
                        description: "--kernels: \(name) has no \(operation ?? ""); it has "
                            + Self.unique(library.provided.map(\.operation)).joined(separator: ", "))
                }
                let known = Self.unique(candidates.map(\.name))
                throw KernelSelectionError(
                    description: "--kernels: no implementation \(operation.map { "of \($0) " } ?? "")"
                        + "is called '\(name)'; there are \(known.joined(separator: ", "))")
            }
            if chosen.contains(where: isFast) { try Self.checkMachine() }
            for implementation in chosen { found.kernels.use(implementation) }
        }
        return found
    }

    /// The kernels of the library at `path`, opened once.
    private func library(
        _ path: String, _ found: inout KernelSelection
    ) throws(KernelSelectionError) -> [Implementation<Float>] {
        if let library = found.libraries.first(where: { $0.path == path }) { return library.implementations }
        if let namesake = found.libraries.first(where: { $0.name == ForeignLibrary.name(of: path) }) {
            throw KernelSelectionError(
                description: "--kernels: \(namesake.path) and \(path) have one name in reports; rename one")
        }
        do {
            let library = try ForeignLibrary(path, kernels: kernels)
            found.libraries.append(library)
            return library.implementations
        } catch {
            throw KernelSelectionError(description: "--kernels: \(error)")
        }
    }

    /// Whether the implementation is one of the module FastKernels.
    private func isFast(_ implementation: Implementation<Float>) -> Bool {
        fast.contains { $0.name == implementation.name && $0.kernelName == implementation.kernelName }
    }

    /// Refuses instructions that this machine does not have, which would end the process; says so once if it has better.
    private static func checkMachine() throws(KernelSelectionError) {
        if let complaint { throw KernelSelectionError(description: "--kernels: \(complaint)") }
        _ = advice
    }

    private static let complaint = FastKernels.complaint
    private static let advice: Void = {
        guard let advice = FastKernels.advice else { return }
        FileHandle.standardError.write(Data("note: \(advice)\n".utf8))
    }()
}
