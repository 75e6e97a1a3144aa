import Foundation
import Tensors
import Testing

@testable import FastKernels

/// Each primitive of a vector against the plain loop, at both widths, whichever this CPU's is.
struct VectorTests {
    /// What hurts: zeros, the smallest and the largest, infinities, NaN with and without a payload.
    private static let special: [Float] = [
        0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.499_999_8, 0x1p23, -0x1p23, 8_388_607.5, 4_194_303.5, 0x1p24,
        .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
        -.greatestFiniteMagnitude, .infinity, -.infinity, .nan, Float(bitPattern: 0xffc1_2345),
    ]

    /// Special and drawn values, in vectors; neighbours differ from one list of an odd length to the next.
    private func vectors<V: FloatVector>(_: V.Type, shift: Int = 0) -> [V] {
        var draw = SplitMix64(state: UInt64(7 + shift))
        let values = (0..<64 * 25).map { index in
            index % 3 == 0
                ? Self.special[(index / 3 + shift) % Self.special.count]
                : Float(
                    sign: draw.uniform() < 0.5 ? .plus : .minus, exponent: Int(40 * draw.uniform()) - 20,
                    significand: 1 + draw.uniform())
        }
        return stride(from: 0, to: values.count, by: V.scalarCount).map { start in
            var vector = V(repeating: 0)
            for lane in 0..<V.scalarCount { vector[lane] = values[start + lane] }
            return vector
        }
    }

    /// Whether two floats have the same bits; any NaN is NaN.
    private func same(_ x: Float, _ y: Float) -> Bool { x.bitPattern == y.bitPattern || x.isNaN && y.isNaN }

    private func expectLanes<V: FloatVector>(
        _ operation: String, _: V.Type, _ vector: (V, V) -> V, _ plain: (Float, Float) -> Float
    ) {
        for (x, y) in zip(vectors(V.self), vectors(V.self, shift: 4)) {
            let answer = vector(x, y)
            for lane in 0..<V.scalarCount {
                #expect(
                    same(answer[lane], plain(x[lane], y[lane])),
                    "\(operation) of \(x[lane]) and \(y[lane]), lane \(lane) of \(V.scalarCount): \(answer[lane])")
            }
        }
    }

    private func exactOnes<V: FloatVector>(_: V.Type) {
        expectLanes("select", V.self, { .select($0.isBelow($1), $0, else: 2 * $1) }, { $0 < $1 ? $0 : 2 * $1 })
        expectLanes("atMost", V.self, { $0.atMost($1) }, { $1 < $0 ? $1 : $0 })
        expectLanes("atLeast", V.self, { $0.atLeast($1) }, { $1 > $0 ? $1 : $0 })
        expectLanes("nearestWhole", V.self, { x, _ in x.nearestWhole() }, { x, _ in x.rounded(.toNearestOrEven) })
        expectLanes("negative", V.self, { x, _ in x.negative() }, { x, _ in -x })
        expectLanes("root", V.self, { x, _ in x.root() }, { x, _ in x.squareRoot() })
    }

    @Test func exact() {
        exactOnes(SIMD8<Float>.self)
        exactOnes(SIMD16<Float>.self)
    }

    /// A mask is all bits of a lane or none: whoever selects by one relies on it.
    @Test func masks() {
        #expect(SIMD8<Float>(repeating: 1).isBelow(SIMD8(repeating: 2)) == SIMD8(repeating: -1))
        #expect(SIMD16<Float>(repeating: 1).isBelow(SIMD16(repeating: 1)) == SIMD16(repeating: 0))
        #expect(SIMD16<Float>(repeating: .nan).isBelow(SIMD16(repeating: 1)) == SIMD16(repeating: 0))
        #expect(SIMD8<Float>(repeating: -.infinity).isBelow(SIMD8(repeating: .nan)) == SIMD8(repeating: 0))
    }

    private func powers<V: FloatVector>(_: V.Type) {
        for exponent in stride(from: -252, through: 253, by: 1) {
            for x in [Float(1), -1.999_999_9, 0x1.8p60, 0x1.234566p-80] {
                let product = x * Float(sign: .plus, exponent: exponent, significand: 1)
                guard abs(exponent) < 126, product.isNormal else { continue }
                #expect(V(repeating: x).timesTwo(toThe: V(repeating: Float(exponent))) == V(repeating: product))
            }
        }
        for nan in [Float.nan, Float(bitPattern: 0x7fc0_0001), Float(bitPattern: 0xffff_ffff)] {
            for power in [nan, -3, 0, 90] {
                #expect(V(repeating: nan).timesTwo(toThe: V(repeating: power))[V.scalarCount - 1].isNaN)
            }
        }
    }

    @Test func powersOfTwo() {
        powers(SIMD8<Float>.self)
        powers(SIMD16<Float>.self)
    }

    /// The largest relative error of `vector`, over mantissas and exponents, each in another lane.
    private func worst<V: FloatVector>(
        exponents: ClosedRange<Int>, _ vector: (V) -> V, _ truth: (Double) -> Double
    ) -> Double {
        var worst = 0.0
        for exponent in exponents {
            for start in stride(from: UInt32(0), to: 1 << 23, by: 40_961) {
                var x = V(repeating: 0)
                for lane in 0..<V.scalarCount {
                    let mantissa = Float(bitPattern: 0x3f80_0000 | (start &+ UInt32(lane) &* 1_000_003) & 0x7f_ffff)
                    x[lane] = Float(sign: .plus, exponent: exponent, significand: mantissa)
                }
                let answer = vector(x)
                for lane in 0..<V.scalarCount {
                    let exact = truth(Double(x[lane]))
                    worst = max(worst, abs(Double(answer[lane]) / exact - 1))
                }
            }
        }
        return worst
    }

    private func inverses<V: FloatVector>(_: V.Type) {
        #expect(worst(exponents: -125...125, { (x: V) in x.inverseEstimate() }, { 1 / $0 }) <= 0x1p-14)
        #expect(worst(exponents: -125...125, { (x: V) in x.inverse() }, { 1 / $0 }) <= 0x1p-23)
    }

    @Test func approximateInverses() {
        inverses(SIMD8<Float>.self)
        inverses(SIMD16<Float>.self)
    }

    private func parts<V: FloatVector>(_: V.Type) {
        let width = V.scalarCount
        let source = Tensor((0..<3 * width).map { Float($0 + 1) })
        var vector = V(repeating: 0)
        for lane in 0..<width { vector[lane] = Float(-1 - lane) }
        for start in [0, 1, 3] {
            for count in 0...width {
                let loaded = V.load(UnsafePointer(source.view.base + start), first: count, rest: vector)
                let target = Tensor<Float>(repeating: 7, count: 3 * width)
                vector.store(to: target.view.base + start, first: count)
                for lane in 0..<width {
                    #expect(loaded[lane] == (lane < count ? Float(start + lane + 1) : vector[lane]))
                }
                for i in 0..<3 * width {
                    let isWritten = i >= start && i < start + count
                    #expect(target.view[i] == (isWritten ? vector[i - start] : 7), "\(i) of \(count) from \(start)")
                }
            }
        }
    }

    @Test func partsOfVectors() {
        parts(SIMD8<Float>.self)
        parts(SIMD16<Float>.self)
    }

    /// A part that ends with a page does not touch the next, which no one may.
    @Test func partsAtTheEndOfMemory() throws {
        let page = Int(getpagesize())
        let memory = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        try #require(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0)
        defer { munmap(memory, 2 * page) }
        let end = (memory + page).assumingMemoryBound(to: Float.self)
        for count in 0...16 {
            let start = end - count
            SIMD16<Float>(repeating: Float(count)).store(to: start, first: count)
            let loaded = SIMD16<Float>.load(UnsafePointer(start), first: count, rest: SIMD16(repeating: 0))
            #expect(loaded.sum() == Float(count * count))
            guard count <= 8 else { continue }
            SIMD8<Float>(repeating: 3).store(to: start, first: count)
            let eight = SIMD8<Float>.load(UnsafePointer(start), first: count, rest: SIMD8(repeating: 0))
            #expect(eight.sum() == Float(3 * count))
        }
    }

    private func reductions<V: FloatVector>(_: V.Type, _ sum: (V) -> Float, _ largest: (V) -> Float) {
        for place in 0..<V.scalarCount {
            var x = V(repeating: -3)
            x[place] = 5
            #expect(largest(x) == 5)
            #expect(sum(x) == Float(5 - 3 * (V.scalarCount - 1)))
        }
        #expect(largest(V(repeating: -.infinity)) == -.infinity)
    }

    @Test func sumsAndMaxima() {
        reductions(SIMD8<Float>.self, { $0.laneSum() }, { $0.largestLane() })
        reductions(SIMD16<Float>.self, { $0.laneSum() }, { $0.largestLane() })
    }

    /// What is written past the caches has the bits of what is not, from any alignment, and ends where it should.
    @Test(arguments: [0, 1, 15, 16], [0, 1, 16, 17, 200]) func streams(start: Int, count: Int) {
        let target = Tensor<Float>(repeating: 7, count: 300)
        write(start..<start + count, to: target.view.base, streams: true) { i, count in
            var vector = Vector(repeating: 0)
            for lane in 0..<count { vector[lane] = Float(i + lane) }
            return vector
        }
        for i in 0..<300 {
            #expect(target.view[i] == (i >= start && i < start + count ? Float(i) : 7), "\(i)")
        }
    }
}
