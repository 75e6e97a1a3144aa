/// SIMD and threads: the only place for clever code.
public enum FastKernels {}
