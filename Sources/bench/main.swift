import Foundation
import KernelCatalog
import Kernels
import Terminal

let words = Array(CommandLine.arguments.dropFirst())
Terminal.run("bench") {
    switch words.first {
    case "gate": try GateMode.run(Array(words.dropFirst()))
    case "selftest": try TimingSelfTestMode.run(Array(words.dropFirst()))
    case "worker": try WorkerMode.run(Array(words.dropFirst()))
    default: try BenchMode.run(words)
    }
}
