import Foundation
import TestSupport
import Testing

/// Dumps as h5py writes them of itself, given to `verify compare`.
@Suite(.serialized, .enabled(if: Python.with(["h5py", "numpy"]) != nil))
struct ForeignDumpTests {
    /// Makes dumps of the reference's float32 run, one for each variant.
    private static let script = """
        import json, sys, h5py, numpy
        folder, reference = sys.argv[1:]
        source = h5py.File(reference)
        tensors = {f"{g}/{n}": source[f"{g}/{n}/float32"][()] for g in ("activations", "gradients") for n in source[g]}
        absent = ["activations/h.0.att", "gradients/h.0.datt"]
        def write(variant, names=[], convert=lambda x: x, **options):
            file = h5py.File(f"{folder}/{variant}.h5", "w")
            for name, values in tensors.items():
                if name not in names: file.create_dataset(name, data=convert(values), **options)
            return file
        write("json", absent).attrs["not_materialised"] = json.dumps(absent)
        write("list", absent).attrs["not_materialised"] = absent
        write("bytes", absent).attrs["not_materialised"] = numpy.array(absent, dtype="S")
        write("none").attrs["not_materialised"] = []
        write("lzf", compression="lzf")
        write("float16", convert=lambda x: x.astype("f2"))
        write("float64", convert=lambda x: x.astype("f8"))
        with h5py.File(f"{folder}/link.h5", "w") as file:
            for group in ("activations", "gradients"): file[group] = h5py.ExternalLink("none.h5", group)
        """

    @Test func variants() throws {
        let python = try #require(Python.with(["h5py", "numpy"]))
        let folder = try TemporaryFolder()
        let made = try Run(python, ["-c", Self.script, folder.path, packageRoot + "/fixtures/tiny.h5"])
        try #require(made.code == 0, "\(made.errors)")
        let expected: [(variant: String, code: Int32, says: String)] = [
            ("json", 0, "Compared 93 of 95 tensors; 2 are not materialised"),
            ("list", 0, "Compared 93 of 95 tensors; 2 are not materialised"),
            ("bytes", 0, "Compared 93 of 95 tensors; 2 are not materialised"),
            ("none", 0, "Compared 95 of 95 tensors; 0 are not materialised"),
            ("lzf", 2, "its data went through filter 32000 (lzf), and its plugin is missing; set HDF5_PLUGIN_PATH"),
            ("float16", 1, "The candidate holds float16 (95 tensors)"),
            ("float64", 0, "The candidate holds float64 (95 tensors)"),
            (
                "link", 2,
                "activations: it leads into another file, none.h5, which is not followed; copy what lies there"
            ),
            ("link --follow-links", 0, "Compared 95 of 95 tensors; 0 are not materialised"),
        ]
        for (variant, code, says) in expected {
            let words = variant.split(separator: " ").map(String.init)
            let run = try Run(
                "verify",
                ["compare", "fixtures/tiny.h5", folder(words[0] + ".h5"), "--report", folder.path] + words.dropFirst())
            #expect(
                run.code == code && (run.output + run.errors).contains(says), "\(variant): \(run.output)\(run.errors)")
        }
    }
}
