/// Follows a piece of work: what is under way, and the fraction done.
public typealias ProgressHandler = (_ activity: String, _ fraction: Double) -> Void
