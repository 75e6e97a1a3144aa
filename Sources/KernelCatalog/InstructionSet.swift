import Foundation

/// The instructions that the fast kernels were compiled for, as Package.swift chose them.
struct InstructionSet: Sendable {
    /// The name that PLUMBLINE_MARCH takes.
    let name: String
    /// What a CPU must have, as Linux calls it in /proc/cpuinfo.
    let features: Set<String>

    static let v4 = InstructionSet(
        name: "x86-64-v4", features: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
    static let v3 = InstructionSet(name: "x86-64-v3", features: ["avx2", "fma", "bmi2"])
    static let plain = InstructionSet(name: "x86-64", features: [])

    /// That of this build.
    static var built: InstructionSet {
        #if PLUMBLINE_X86_64_V4
            v4
        #elseif PLUMBLINE_X86_64_V3
            v3
        #else
            plain
        #endif
    }

    /// What is wrong with running this build's kernels on a CPU with those features; nil if it has all.
    func complaint(about features: Set<String>) -> String? {
        let missing = self.features.subtracting(features).sorted()
        guard !missing.isEmpty else { return nil }
        let best = Self.v3.features.isSubset(of: features) ? Self.v3 : Self.plain
        return "fast was built for \(name), and this CPU has no \(missing.joined(separator: ", ")); build again with "
            + "PLUMBLINE_MARCH=\(best.name), or use --kernels reference"
    }

    /// What is worth knowing on a CPU with those features; nil if this build makes use of it.
    func advice(about features: Set<String>) -> String? {
        guard self.features.isEmpty, Self.v3.features.isSubset(of: features) else { return nil }
        return "fast was built for \(name), and is several times slower than this CPU allows; build again with "
            + "PLUMBLINE_MARCH=\(Self.v3.name), or with nothing set"
    }

    /// What this machine's CPU has; nil where that is not told, or goes without saying.
    static let ofThisMachine: Set<String>? = {
        #if arch(x86_64)
            guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
            return features(in: text)
        #else
            return nil
        #endif
    }()

    /// The features of the first CPU in the text of /proc/cpuinfo.
    static func features(in text: String) -> Set<String>? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else { return nil }
        return Set(line.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}
