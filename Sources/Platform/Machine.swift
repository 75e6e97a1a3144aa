/// Where a report's run took place.
public struct Machine: Codable, Sendable, Hashable {
    /// The processor's name.
    public var processor: String
    /// The cores that the process may use.
    public var cores: Int
    /// Memory, in bytes.
    public var memory: Int
    /// The operating system.
    public var system: String
    /// The compiler's version.
    public var compiler: String
    /// Threads that kernels were handed.
    public var threads: Int

    /// A machine as described.
    public init(processor: String, cores: Int, memory: Int, system: String, compiler: String, threads: Int) {
        self.processor = processor
        self.cores = cores
        self.memory = memory
        self.system = system
        self.compiler = compiler
        self.threads = threads
    }
}
