import Kernels
import Tensors

struct EncoderForwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    /// The position and the token that row (b, t) takes.
    var position: @Sendable (_ b: Int, _ t: Int, _ a: Encoder.Forward<Float>) -> Int = { _, t, _ in t }
    var token: @Sendable (_ row: Int, _ a: Encoder.Forward<Float>) -> Int = { row, a in Int(a.inp[row]) }
    var positionFactor: Float = 1

    func run(_ a: Encoder.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.B * a.T) { row in
            let (b, t) = (row / a.T, row % a.T)
            let (token, position) = (token(row, a), position(b, t, a))
            for i in 0..<a.C {
                a.out[row * a.C + i] = a.wte[token * a.C + i] + positionFactor * a.wpe[position * a.C + i]
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("the position of the next token") { $0.position = { _, t, a in min(t + 1, a.P - 1) } },
        Change("positions counted through the batch") { $0.position = { b, t, a in (b * a.T + t) % a.P } },
        Change("positions counted from the end") { $0.position = { _, t, a in a.T - 1 - t } },
        Change("no position") { $0.positionFactor = 0 },
        Change("the position twice") { $0.positionFactor = 2 },
        Change("the next token") { $0.token = { row, a in Int(a.inp[(row + 1) % (a.B * a.T)]) } },
        Change("the tokens of the first sequence") { $0.token = { row, a in Int(a.inp[row % a.T]) } },
    ]
}

struct EncoderBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    /// Whether a row counts for a token's, and for a position's gradient.
    var countsForToken: @Sendable (_ row: Int, _ a: Encoder.Backward<Float>) -> Bool = { _, _ in true }
    var countsForPosition: @Sendable (_ b: Int, _ a: Encoder.Backward<Float>) -> Bool = { _, _ in true }
    var position: @Sendable (_ t: Int, _ a: Encoder.Backward<Float>) -> Int = { t, _ in t }
    var positionFactor: @Sendable (_ a: Encoder.Backward<Float>) -> Float = { _ in 1 }

    func run(_ a: Encoder.Backward<Float>, _ workers: Workers) {
        var rows: [Int: [Int]] = [:]
        for row in 0..<a.B * a.T where countsForToken(row, a) { rows[Int(a.inp[row]), default: []].append(row) }
        let tokens = rows.sorted { $0.key < $1.key }
        workers.forEach(tokens.count) { index in
            let (token, rows) = tokens[index]
            for i in 0..<a.C {
                a.dwte[token * a.C + i] = arithmetic.sum(from: a.dwte[token * a.C + i], rows.count) {
                    a.dout[rows[$0] * a.C + i]
                }
            }
        }
        let factor = positionFactor(a)
        for t in 0..<a.T {
            for i in 0..<a.C {
                let place = position(t, a) * a.C + i
                a.dwpe[place] = arithmetic.sum(from: a.dwpe[place], a.B) {
                    countsForPosition($0, a) ? factor * a.dout[($0 * a.T + t) * a.C + i] : 0
                }
            }
        }
    }

    static let faults: [Change<Self>] = [
        Change("a repeated token counts once") {
            $0.countsForToken = { row, a in !(0..<row).contains { a.inp[$0] == a.inp[row] } }
        },
        Change("a repeated token counts for its last place") {
            $0.countsForToken = { row, a in !(row + 1..<a.B * a.T).contains { a.inp[$0] == a.inp[row] } }
        },
        Change("the last row forgotten") { $0.countsForToken = { row, a in row < a.B * a.T - 1 } },
        Change("positions of the first sequence alone") { $0.countsForPosition = { b, _ in b == 0 } },
        Change("the position's gradient averaged over the batch") { $0.positionFactor = { 1 / Float($0.B) } },
        Change("the position of the next token") { $0.position = { t, a in min(t + 1, a.P - 1) } },
    ]
}
