import Kernels

struct ResidualForwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var factors: (Float, Float) = (1, 1)

    func run(_ a: Residual.Forward<Float>, _ workers: Workers) {
        workers.forEach(a.N) { a.out[$0] = factors.0 * a.inp1[$0] + factors.1 * a.inp2[$0] }
    }

    static let faults: [Change<Self>] = [
        Change("the first stream alone") { $0.factors = (1, 0) },
        Change("the second stream alone") { $0.factors = (0, 1) },
        Change("the difference") { $0.factors = (1, -1) },
        Change("the mean") { $0.factors = (0.5, 0.5) },
    ]
}

struct ResidualBackwardRecipe: Recipe {
    var arithmetic = Arithmetic()
    var factors: (Float, Float) = (1, 1)

    func run(_ a: Residual.Backward<Float>, _ workers: Workers) {
        workers.forEach(a.N) {
            a.dinp1[$0] += factors.0 * a.dout[$0]
            a.dinp2[$0] += factors.1 * a.dout[$0]
        }
    }

    static let faults: [Change<Self>] = [
        Change("dinp1 left out") { $0.factors = (0, 1) },
        Change("dinp2 left out") { $0.factors = (1, 0) },
        Change("the gradient halved between the two") { $0.factors = (0.5, 0.5) },
        Change("dinp2 of the wrong sign") { $0.factors = (1, -1) },
    ]
}
