import Terminal

let words = Array(CommandLine.arguments.dropFirst())
Terminal.run("verify") {
    switch words.first {
    case "selftest": try FaultSelfTestMode.run(Array(words.dropFirst()))
    case "compare": try CompareMode.run(Array(words.dropFirst()))
    case "gradcheck": try GradientCheckMode.run(Array(words.dropFirst()))
    default: try VerifyMode.run(words)
    }
}
