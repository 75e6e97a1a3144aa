import Benchmarking
import Foundation
import KernelCatalog
import Kernels
import Reporting
import Terminal

let words = Array(CommandLine.arguments.dropFirst())
Terminal.run("bench") {
    switch words.first {
    case "worker": try WorkerMode.run(Array(words.dropFirst()))
    default: try BenchMode.run(words)
    }
}
