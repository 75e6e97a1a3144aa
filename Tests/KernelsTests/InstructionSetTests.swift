import FastKernels
import Testing

/// A build is refused on a CPU that lacks its instructions, with a way out.
struct InstructionSetTests {
    @Test func featuresOfACPU() {
        let text = "processor\t: 0\nflags\t\t: fpu sse2 avx2 fma bmi2\n\nprocessor\t: 1\nflags\t\t: fpu avx512f\n"
        #expect(InstructionSet.features(in: text)?.isSuperset(of: ["avx2", "fma", "bmi2", "sse2"]) == true)
        #expect(InstructionSet.features(in: text)?.contains("avx512f") == false)
        #expect(InstructionSet.features(in: "Features : neon\n") == nil)
    }

    @Test func complaints() {
        let avx2: Set = ["sse2", "avx2", "fma", "bmi2"]
        #expect(InstructionSet.v3.complaint(about: avx2) == nil)
        #expect(InstructionSet.plain.complaint(about: []) == nil)
        let v4 = InstructionSet.v4.complaint(about: avx2)
        #expect(v4?.contains("avx512f") == true && v4?.contains("PLUMBLINE_MARCH=x86-64-v3,") == true)
        let v3 = InstructionSet.v3.complaint(about: ["sse2", "avx2"])
        #expect(v3?.contains("no bmi2, fma;") == true && v3?.contains("PLUMBLINE_MARCH=x86-64,") == true)
        #expect(InstructionSet.plain.advice(about: avx2)?.contains("x86-64-v3") == true)
        #expect(InstructionSet.v3.advice(about: avx2) == nil && InstructionSet.plain.advice(about: []) == nil)
    }

    @Test func thisMachineRunsThisBuild() {
        #expect(FastKernels.complaint == nil)
    }
}
