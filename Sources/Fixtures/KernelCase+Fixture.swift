import Accuracy
import HDF5
import Kernels

extension KernelCase {
    /// The case in `group` of a fixture, such as `forward/primes`, with the arguments that `kernel` has.
    ///
    /// - Throws: ``FixtureError`` where it lacks something or has what the contract does not allow, and where PyTorch's own
    ///   float32 lies beyond the contract's bounds.
    package init<K: Kernel<Float>>(_ kernel: K.Type, _ fixture: FixtureFile, group: String) throws(FixtureError) {
        let reader = CaseReader(fixture: fixture, group: group)
        let signature = try reader.signature(of: kernel)
        var values = CallValues<Float>(sizes: signature.sizesByName, overwrites: signature.overwrites)
        for number in signature.hyperparameters {
            values.hyperparameters[number.name] = try fixture.float(number.name, of: group)
        }
        var (truth, torch): ([String: [Double]], [String: [Float]]) = ([:], [:])
        for argument in signature.arguments {
            let (name, path) = (argument.name, "\(group)/\(argument.name)")
            guard !argument.isOptional || fixture.exists(path) else {
                values.absent.insert(name)
                continue
            }
            if argument.isResult {
                if argument.role == .accumulator {
                    values.numbers[name] = try reader.numbers("\(path)/initial", argument.shape)
                }
                truth[name] = try reader.truth(path, argument.shape)
                torch[name] = try reader.read("\(path)/float32", Float.self, argument.shape)
            } else if case .tokens(let bound) = argument.elements {
                values.tokens[name] = try reader.tokens(path, argument.shape, below: bound)
            } else {
                values.numbers[name] = try reader.numbers(path, argument.shape)
            }
        }
        self.init(kernel, name: group, values, truth: truth, torch: torch)
        for result in results { try result.check(fixture, "\(group)/\(result.argument.name)") }
    }
}

extension KernelCase.Result {
    /// Checks that PyTorch's float32 keeps to the contract.
    fileprivate func check(_ fixture: FixtureFile, _ path: String) throws(FixtureError) {
        guard let torch else { return }
        for index in specified {
            let error = ErrorMeasure.error(Double(torch[index]), truth[index])
            guard error <= bound[index] else {
                throw fixture.error(
                    path,
                    "element \(index) of PyTorch's float32 is \(torch[index]), and the truth \(truth[index]): farther apart "
                        + "than the contract's bound, \(bound[index])")
            }
        }
    }
}

/// Reads the datasets of one case.
private struct CaseReader {
    let fixture: FixtureFile
    let group: String

    /// What the kernel takes at the case's sizes.
    func signature<K: Kernel>(of _: K.Type) throws(FixtureError) -> Signature {
        var sizes: [String: Int] = [:]
        for size in K().signature.sizes { sizes[size.name] = try fixture.integer(size.name, of: group) }
        var overwrites: Overwriting = []
        if fixture.has("overwrites", of: group) {
            overwrites = Overwriting(rawValue: try fixture.integer("overwrites", of: group))
            guard (1...3).contains(overwrites.rawValue) else {
                throw fixture.error(group, "overwrites is \(overwrites.rawValue), and must be 1, 2 or 3")
            }
        }
        do {
            return try K.signature(sizes: sizes, overwrites: overwrites)
        } catch {
            throw fixture.error(group, error.description)
        }
    }

    func read<T: Element>(_ path: String, _ type: T.Type, _ shape: [Int]) throws(FixtureError) -> [T] {
        try fixture.check(path, T.type, shape)
        return try fixture.read(path, type)
    }

    /// Finite numbers.
    func numbers(_ path: String, _ shape: [Int]) throws(FixtureError) -> [Float] {
        let values = try read(path, Float.self, shape)
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw fixture.error(path, "element \(index) is \(values[index]), not a number to compute with")
        }
        return values
    }

    func tokens(_ path: String, _ shape: [Int], below bound: Int) throws(FixtureError) -> [Int32] {
        let values = try read(path, Int32.self, shape)
        if let index = values.firstIndex(where: { $0 < 0 || $0 >= bound }) {
            throw fixture.error(path, "token \(values[index]) at \(index) lies outside the vocabulary of \(bound)")
        }
        return values
    }

    /// The truth, which may be infinite.
    func truth(_ path: String, _ shape: [Int]) throws(FixtureError) -> [Double] {
        let values = try read("\(path)/float64", Double.self, shape)
        if let index = values.firstIndex(where: \.isNaN) {
            throw fixture.error("\(path)/float64", "element \(index) is not a number")
        }
        return values
    }
}
