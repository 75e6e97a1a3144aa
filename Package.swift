// swift-tools-version: 6.2
import PackageDescription

// Targets that loop over elements are optimised in every configuration, so that `swift run verify` is fast
// without `-c release`.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"])]
let unchecked: [SwiftSetting] = [.unsafeFlags(["-Ounchecked", "-Xcc", "-march=native"])]

let package = Package(
    name: "Plumbline",
    targets: [
        // MARK: - Files and memory
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .target(name: "HDF5", dependencies: ["CHDF5"]),
        .target(name: "Tensors", swiftSettings: optimized),

        // MARK: - Kernels
        .target(name: "Kernels", dependencies: ["Tensors"], swiftSettings: optimized),
        .target(name: "ReferenceKernels", dependencies: ["Kernels"], swiftSettings: optimized),
        .target(name: "FastKernels", dependencies: ["Kernels"], swiftSettings: unchecked),
        .target(name: "KernelCatalog", dependencies: ["ReferenceKernels", "FastKernels"]),

        // MARK: - Model
        .target(name: "GPT2", dependencies: ["Kernels"], swiftSettings: optimized),

        // MARK: - Training
        .target(name: "Tokenizer", swiftSettings: optimized),
        .target(
            name: "Training", dependencies: ["GPT2", "HDF5", "Reporting", "Tokenizer"], swiftSettings: optimized),

        // MARK: - Harness
        .target(
            name: "Verification", dependencies: ["GPT2", "HDF5", "KernelCatalog", "Reporting"],
            swiftSettings: optimized),
        .target(
            name: "Benchmarking", dependencies: ["GPT2", "KernelCatalog", "FastKernels", "Reporting"],
            swiftSettings: optimized),
        .target(name: "Reporting"),

        // MARK: - Commands
        .target(name: "Terminal"),
        .executableTarget(name: "verify", dependencies: ["Verification", "Reporting", "Terminal"]),
        .executableTarget(
            name: "train", dependencies: ["GPT2", "KernelCatalog", "Tokenizer", "Training", "Reporting", "Terminal"]),
        .executableTarget(
            name: "generate",
            dependencies: ["GPT2", "HDF5", "KernelCatalog", "Tokenizer", "Training", "Reporting", "Terminal"]),
        .executableTarget(name: "bench", dependencies: ["Benchmarking", "Reporting", "Terminal"]),

        // MARK: - Tests
        .testTarget(name: "HDF5Tests", dependencies: ["HDF5"]),
        .testTarget(name: "KernelsTests", dependencies: ["KernelCatalog"]),
        .testTarget(name: "TokenizerTests", dependencies: ["Tokenizer"]),
        .testTarget(name: "TrainingTests", dependencies: ["Training", "KernelCatalog"]),
        .testTarget(name: "GPT2Tests", dependencies: ["GPT2", "KernelCatalog"]),
        .testTarget(name: "VerificationTests", dependencies: ["Verification"]),
        .testTarget(name: "BenchmarkingTests", dependencies: ["Benchmarking"]),
        .testTarget(name: "ReportingTests", dependencies: ["Reporting"]),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
        .testTarget(name: "CommandTests", dependencies: ["verify", "bench", "Reporting"]),
    ],
    swiftLanguageModes: [.v6]
)
