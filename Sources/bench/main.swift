import Terminal

Terminal.run(
    "bench", modes: ["gate": GateMode.run, "selftest": TimingSelfTestMode.run, "worker": WorkerMode.run], BenchMode.run)
