import Foundation

/// Instructions that code is compiled for, and whether a CPU has them.
///
/// All of this is compiled into whoever asks: what is compiled here may end the process on the CPU that it would refuse.
public struct InstructionSet: Sendable {
    /// The name that PLUMBLINE_MARCH takes.
    public let name: String
    /// What a CPU must have, as Linux calls it in /proc/cpuinfo.
    public let features: Set<String>

    @export(implementation)
    init(name: String, features: Set<String>) {
        self.name = name
        self.features = features
    }

    /// AVX-512.
    @export(implementation)
    public static var v4: InstructionSet {
        InstructionSet(name: "x86-64-v4", features: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
    }

    /// AVX2.
    @export(implementation)
    public static var v3: InstructionSet { InstructionSet(name: "x86-64-v3", features: ["avx2", "fma", "bmi2"]) }

    /// What every CPU of the architecture has.
    @export(implementation)
    public static var plain: InstructionSet { InstructionSet(name: "x86-64", features: []) }

    /// What is wrong with running such code on a CPU with those features; nil if it has all.
    @export(implementation)
    public func complaint(about features: Set<String>) -> String? {
        let missing = self.features.subtracting(features).sorted()
        guard !missing.isEmpty else { return nil }
        let best = Self.v3.features.isSubset(of: features) ? Self.v3 : Self.plain
        return "the fast kernels were built for \(name), and this CPU has no \(missing.joined(separator: ", ")); build "
            + "again with PLUMBLINE_MARCH=\(best.name), or use --kernels reference"
    }

    /// What is worth knowing on a CPU with those features; nil if such code makes use of it.
    @export(implementation)
    public func advice(about features: Set<String>) -> String? {
        guard self.features.isEmpty, Self.v3.features.isSubset(of: features) else { return nil }
        return "the fast kernels were built for \(name), and are several times slower than this CPU allows; build "
            + "again with PLUMBLINE_MARCH=\(Self.v3.name), or with nothing set"
    }

    /// What this machine's CPU has; nil where that is not told, or goes without saying.
    @export(implementation)
    public static var ofThisMachine: Set<String>? {
        #if arch(x86_64)
            guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
            return features(in: text)
        #else
            return nil
        #endif
    }

    /// The features of the first CPU in the text of /proc/cpuinfo.
    @export(implementation)
    public static func features(in text: String) -> Set<String>? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else { return nil }
        return Set(line.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}

extension FastKernels {
    /// The instructions that this module is compiled for, as Package.swift chose them.
    @export(implementation)
    public static var instructionSet: InstructionSet {
        #if PLUMBLINE_X86_64_V4
            .v4
        #elseif PLUMBLINE_X86_64_V3
            .v3
        #else
            .plain
        #endif
    }

    /// What is wrong with running these kernels on this machine, which would then end the process; nil if nothing is.
    @export(implementation)
    public static var complaint: String? {
        InstructionSet.ofThisMachine.flatMap { instructionSet.complaint(about: $0) }
    }

    /// What would make these kernels faster on this machine; nil if nothing would.
    @export(implementation)
    public static var advice: String? { InstructionSet.ofThisMachine.flatMap { instructionSet.advice(about: $0) } }
}
