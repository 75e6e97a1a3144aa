/// Where a report's run took place.
public struct Machine: Codable, Sendable, Hashable {
    /// The processor's name.
    public var processor: String
    /// The processors that the process may use.
    public var cores: Int
    /// The cores that these are of, as the system says: fewer where two share one; nil where it does not say.
    public var physicalCores: Int?
    /// Memory, in bytes.
    public var memory: Int
    /// The operating system.
    public var system: String
    /// The compiler's version.
    public var compiler: String
    /// Threads that kernels were handed.
    public var threads: Int

    /// A machine as described.
    public init(
        processor: String, cores: Int, physicalCores: Int? = nil, memory: Int, system: String, compiler: String,
        threads: Int
    ) {
        self.processor = processor
        self.cores = cores
        self.physicalCores = physicalCores
        self.memory = memory
        self.system = system
        self.compiler = compiler
        self.threads = threads
    }
}
