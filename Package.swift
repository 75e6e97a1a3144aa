// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Targets that loop over elements are optimised in every configuration, so that `swift run verify` is fast
// without `-c release`; each as a whole, so that what one file declares is inlined in the loops of another.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O", "-wmo", "-num-threads", "2", "-disable-batch-mode"])]

// FastKernels is compiled for one kind of CPU: PLUMBLINE_MARCH, or what this machine is. Its modules are optimised as a
// whole in every configuration too, so that kernels and the vectors they are written in end up in one loop. Functions
// begin at a cache line: a change to one kernel does not shift the loops of another, and with them its time.
let march = Context.environment["PLUMBLINE_MARCH"] ?? marchOfThisMachine()
let marchSettings: [SwiftSetting] =
    switch march {
    case "x86-64-v4": [.define("PLUMBLINE_X86_64_V4")]
    case "x86-64-v3": [.define("PLUMBLINE_X86_64_V3")]
    case "x86-64", "": []
    default: fatalError("PLUMBLINE_MARCH is \(march); it can be x86-64, x86-64-v3 (AVX2) or x86-64-v4 (AVX-512)")
    }
let marchFlags: [SwiftSetting] = marchSettings + [.unsafeFlags(march.isEmpty ? [] : ["-Xcc", "-march=\(march)"])]
let unchecked: [SwiftSetting] =
    marchFlags + [
        .unsafeFlags([
            "-Ounchecked", "-wmo", "-num-threads", "2", "-disable-batch-mode", "-Xllvm", "-align-all-functions=6",
        ])
    ]

/// The highest level of x86-64 that this machine offers; empty for another architecture.
func marchOfThisMachine() -> String {
    #if arch(x86_64)
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = information.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        let flags = Set(line.split(separator: " "))
        return flags.isSuperset(of: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
            ? "x86-64-v4" : flags.isSuperset(of: ["avx2", "fma", "bmi2"]) ? "x86-64-v3" : "x86-64"
    #else
        return ""
    #endif
}

let package = Package(
    name: "Plumbline",
    products: [.library(name: "Plumbline", targets: ["Kernels", "Verification"])],
    targets: [
        // MARK: - Machine, files and memory
        .target(name: "CPlatform"),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Platform", dependencies: ["CCrypto", "CPlatform"]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .target(name: "HDF5", dependencies: ["CHDF5"]),
        .target(name: "Tensors", swiftSettings: optimized),
        .target(name: "CSentinel"),
        .target(name: "Sentinel", dependencies: ["CSentinel", "Tensors"], swiftSettings: optimized),

        // MARK: - Kernels
        .target(name: "Kernels", dependencies: ["Tensors"], swiftSettings: optimized),
        .target(name: "ReferenceKernels", dependencies: ["Kernels"], swiftSettings: optimized),
        .target(name: "CInstructions"),
        .target(name: "FastKernels", dependencies: ["CInstructions", "Kernels", "Tensors"], swiftSettings: unchecked),
        .systemLibrary(name: "CFFI", pkgConfig: "libffi", providers: [.apt(["libffi-dev"])]),
        .target(
            name: "ForeignKernels", dependencies: ["CFFI", "Kernels", "Sentinel", "Tensors"], swiftSettings: optimized),
        .target(
            name: "KernelCatalog", dependencies: ["FastKernels", "ForeignKernels", "Kernels", "ReferenceKernels"]),
        .target(
            name: "Accuracy", dependencies: ["Kernels", "Platform", "Tensors"], swiftSettings: optimized),

        // MARK: - Model
        .target(name: "GPT2", dependencies: ["Kernels", "Tensors"], swiftSettings: optimized),
        .target(
            name: "ModelFormats", dependencies: ["GPT2", "Kernels", "Platform", "Tensors"], swiftSettings: optimized),

        // MARK: - Training
        .target(name: "Tokenizer", swiftSettings: optimized),
        .target(
            name: "Training",
            dependencies: ["GPT2", "HDF5", "Kernels", "ModelFormats", "Platform", "Tensors", "Tokenizer"],
            swiftSettings: optimized),

        // MARK: - Harness
        .target(name: "Reporting", dependencies: ["Platform"]),
        .target(
            name: "Fixtures", dependencies: ["Accuracy", "GPT2", "HDF5", "Kernels", "Platform", "Tensors"],
            swiftSettings: optimized),
        .target(
            name: "Verification",
            dependencies: [
                "Accuracy", "Fixtures", "ForeignKernels", "GPT2", "HDF5", "KernelCatalog", "Kernels", "ModelFormats",
                "Platform", "Reporting", "Sentinel", "Tensors",
            ],
            swiftSettings: optimized),
        .target(
            name: "Benchmarking",
            dependencies: [
                "Accuracy", "FastKernels", "ForeignKernels", "GPT2", "KernelCatalog", "Kernels", "Platform",
                "Reporting", "Tensors",
            ],
            swiftSettings: optimized),
        .target(
            name: "GradientCheck",
            dependencies: ["Accuracy", "KernelCatalog", "Kernels", "Reporting", "Sentinel", "Tensors"],
            swiftSettings: optimized),
        .target(
            name: "SelfTest",
            dependencies: [
                "Accuracy", "Benchmarking", "Fixtures", "KernelCatalog", "Kernels", "Platform", "Reporting", "Sentinel",
                "Tensors", "Verification",
            ],
            swiftSettings: optimized),

        // MARK: - Commands
        .target(name: "Terminal", dependencies: ["Platform"]),
        .executableTarget(
            name: "verify",
            dependencies: [
                "ForeignKernels", "GPT2", "GradientCheck", "KernelCatalog", "Kernels", "Platform", "Reporting",
                "SelfTest",
                "Terminal", "Verification",
            ]),
        .executableTarget(
            name: "train",
            dependencies: [
                "GPT2", "KernelCatalog", "Kernels", "ModelFormats", "Platform", "Reporting", "Terminal", "Tokenizer",
                "Training",
            ]),
        .executableTarget(
            name: "generate",
            dependencies: [
                "GPT2", "HDF5", "KernelCatalog", "Kernels", "Platform", "Tensors", "Terminal", "Tokenizer", "Training",
            ]),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Benchmarking", "ForeignKernels", "GPT2", "KernelCatalog", "Kernels", "Platform", "Reporting",
                "SelfTest",
                "Terminal",
            ]),

        // MARK: - Tests
        .target(name: "TestSupport", dependencies: ["Platform"], path: "Tests/TestSupport"),
        .testTarget(name: "PlatformTests", dependencies: ["Platform", "TestSupport"]),
        .testTarget(name: "HDF5Tests", dependencies: ["CHDF5", "HDF5", "TestSupport"]),
        // Vectors are passed in other registers where the instructions are others.
        .testTarget(
            name: "KernelsTests",
            dependencies: ["FastKernels", "ForeignKernels", "KernelCatalog", "Kernels", "Tensors", "TestSupport"],
            swiftSettings: marchFlags),
        .testTarget(name: "TokenizerTests", dependencies: ["TestSupport", "Tokenizer"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "GPT2", "HDF5", "KernelCatalog", "Kernels", "ModelFormats", "Tensors", "TestSupport", "Tokenizer",
                "Training",
            ]),
        .testTarget(name: "GPT2Tests", dependencies: ["GPT2", "KernelCatalog", "Kernels", "Tensors"]),
        .testTarget(
            name: "VerificationTests",
            dependencies: [
                "Fixtures", "GPT2", "GradientCheck", "HDF5", "KernelCatalog", "Kernels", "ModelFormats",
                "ReferenceKernels", "Reporting", "SelfTest", "Sentinel", "Tensors", "TestSupport", "Verification",
            ]),
        .testTarget(
            name: "NewOperationTests",
            dependencies: [
                "Accuracy", "Benchmarking", "ForeignKernels", "GPT2", "GradientCheck", "KernelCatalog", "Kernels",
                "Reporting", "SelfTest", "Tensors", "TestSupport", "Verification",
            ]),
        .testTarget(
            name: "AccuracyTests",
            dependencies: ["Accuracy", "KernelCatalog", "Kernels", "Tensors"]),
        .testTarget(name: "FixturesTests", dependencies: ["Accuracy", "Fixtures", "KernelCatalog", "Kernels"]),
        .testTarget(
            name: "BenchmarkingTests",
            dependencies: [
                "Benchmarking", "GPT2", "KernelCatalog", "Kernels", "Platform", "ReferenceKernels", "Reporting",
                "Tensors", "TestSupport",
            ]),
        .testTarget(name: "ReportingTests", dependencies: ["Platform", "Reporting", "TestSupport"]),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["HDF5", "Platform", "Reporting", "TestSupport", "bench", "generate", "train", "verify"],
            exclude: ["faults.c"]),
    ],
    swiftLanguageModes: [.v6]
)
