/// How much memory a model takes.
public enum ActivationMemory: Sendable, CaseIterable {
    /// Every activation and every gradient has a place of its own, to be looked at after a pass.
    case complete
    /// What training needs: attention and classifier are fused, so that nothing of (T, T) is kept and no probabilities,
    /// and the gradients of all blocks' activations take turns in the same few places.
    case lean
}
