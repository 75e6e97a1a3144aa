import Terminal

Terminal.run(
    "verify",
    modes: [
        "compare": CompareMode.run, "gradcheck": GradientCheckMode.run, "selftest": FaultSelfTestMode.run,
    ], VerifyMode.run)
