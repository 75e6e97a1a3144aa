/// A backward kernel, the forward kernels whose derivative it computes, and shapes to try it on.
struct GradientPair {
    /// The backward kernel.
    let backward: String
    /// The forward kernels, in order; each may read what those before it wrote.
    let forward: [String]
    /// The kernel whose contract says how the results round.
    let rounding: String
    /// The sizes, each small enough for every element to be moved.
    let shapes: [[String: Int]]
    /// Whether the layer has no bias in the last of the shapes.
    var lastHasNoBias = false

    private init(
        _ operation: String, forward: [String]? = nil, rounding: String? = nil, lastHasNoBias: Bool = false,
        _ shapes: [[String: Int]]
    ) {
        backward = "\(operation) backward"
        self.forward = forward ?? ["\(operation) forward"]
        self.rounding = rounding ?? "\(operation) forward"
        self.shapes = shapes
        self.lastHasNoBias = lastHasNoBias
    }

    private static let heads = [["B": 2, "T": 5, "C": 6, "NH": 2], ["B": 1, "T": 9, "C": 8, "NH": 1]]
    private static let vocabularies = [["B": 2, "T": 3, "V": 7, "Vp": 10], ["B": 1, "T": 2, "V": 17, "Vp": 17]]

    /// Every backward kernel of the catalog; a test sees to it that none is missing.
    static let all = [
        GradientPair(
            "encoder", [["B": 2, "T": 3, "C": 5, "V": 4, "P": 4], ["B": 1, "T": 4, "C": 9, "V": 3, "P": 4]]),
        GradientPair("layernorm", [["B": 2, "T": 3, "C": 8], ["B": 1, "T": 4, "C": 17]]),
        GradientPair(
            "matmul", lastHasNoBias: true,
            [
                ["B": 2, "T": 3, "C": 5, "OC": 7], ["B": 1, "T": 5, "C": 17, "OC": 9],
                ["B": 1, "T": 3, "C": 6, "OC": 8],
            ]),
        GradientPair("attention", heads),
        GradientPair("gelu", [["N": 37], ["N": 8]]),
        GradientPair("residual", [["N": 19], ["N": 8]]),
        // The loss by way of the probabilities rounds no more than the contract of both at once allows.
        GradientPair(
            "crossentropy_softmax", forward: ["softmax forward", "crossentropy forward"],
            rounding: "classifier forward", vocabularies),
        GradientPair("flash_attention", heads),
        GradientPair("classifier", vocabularies),
    ]
}
