import Foundation

extension Machine {
    /// This machine, with kernels on `threads` threads.
    public static func current(threads: Int) -> Machine {
        Machine(
            processor: processorName(), cores: ProcessInfo.processInfo.activeProcessorCount,
            physicalCores: physicalCores(),
            memory: Int(ProcessInfo.processInfo.physicalMemory),
            system: ProcessInfo.processInfo.operatingSystemVersionString,
            compiler: compilerName, threads: threads)
    }

    /// The machine in one line.
    public var summary: String {
        let gigabytes = Int((Double(memory) / 1e9).rounded())
        return "\(processor), \(cores) cores, \(gigabytes) GB, \(system), \(compiler), \(threads) threads"
    }

    private static func processorName() -> String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return name?.trimmingCharacters(in: .whitespaces) ?? "unknown processor"
    }

    private static func physicalCores() -> Int? {
        let siblings = Affinity.processors.map { processor in
            try? String(
                contentsOfFile: "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list", encoding: .utf8
            )
        }
        let cores = Set(siblings.compactMap(\.self))
        return cores.isEmpty || siblings.contains(nil) ? nil : cores.count
    }

    private static var compilerName: String {
        #if compiler(>=6.4)
            "Swift 6.4 or later"
        #elseif compiler(>=6.3)
            "Swift 6.3"
        #else
            "Swift 6.2"
        #endif
    }
}
