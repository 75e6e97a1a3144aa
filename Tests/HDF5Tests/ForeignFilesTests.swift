import CHDF5
import Foundation
import HDF5
import TestSupport
import Testing

/// Files as other programs write them, made here through libhdf5 itself.
@Suite(.serialized)
struct ForeignFilesTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder("foreign.h5")
    }

    /// The error of `body`, which must throw one.
    private func error(_ body: () throws -> Void) throws -> String {
        try #require(throws: HDF5Error.self, performing: body).description
    }

    /// Makes a file and hands its identifier to `body`.
    private func write(_ name: String = "foreign.h5", _ body: (hid_t) throws -> Void) throws {
        let file = H5Fcreate(folder(name), chdf5_truncate(), chdf5_default(), chdf5_default())
        try #require(file >= 0)
        defer { H5Fclose(file) }
        try body(file)
    }

    /// Writes the numbers 0 to 3 as a dataset of that type and those properties.
    private func numbers(
        _ file: hid_t, _ name: String = "x", type: hid_t = chdf5_native_float(), properties: hid_t = chdf5_default()
    ) throws {
        let space = H5Screate_simple(1, [4], nil)
        let dataset = H5Dcreate2(file, name, type, space, chdf5_default(), properties, chdf5_default())
        try #require(dataset >= 0)
        let values = [0, 1, 2, 3] as [Float]
        #expect(H5Dwrite(dataset, chdf5_native_float(), chdf5_all(), chdf5_all(), chdf5_default(), values) >= 0)
        H5Dclose(dataset)
        H5Sclose(space)
    }

    // MARK: - Strings

    /// Kinds of strings: of fixed length, filled up in that way, or of variable length, which has no padding.
    enum Kind: CaseIterable {
        case zeroTerminated, zeroPadded, blankPadded, variable

        var padding: H5T_str_t {
            switch self {
            case .zeroPadded: H5T_STR_NULLPAD
            case .blankPadded: H5T_STR_SPACEPAD
            case .zeroTerminated, .variable: H5T_STR_NULLTERM
            }
        }
    }

    /// Writes `texts` as the attribute `names` of the file; as a scalar where asked.
    private func write(_ texts: [[UInt8]], _ kind: Kind, _ set: H5T_cset_t, isScalar: Bool) throws {
        let width = (texts.map(\.count).max() ?? 0) + (kind == .zeroPadded ? 0 : 2)
        try write { file in
            let type = H5Tcopy(chdf5_c_string())
            H5Tset_size(type, kind == .variable ? chdf5_variable() : width)
            H5Tset_cset(type, set)
            H5Tset_strpad(type, kind.padding)
            let space = isScalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, [hsize_t(texts.count)], nil)
            let attribute = H5Acreate2(file, "names", type, space, chdf5_default(), chdf5_default())
            if kind == .variable {
                let copies = texts.map { text in strdup(String(decoding: text, as: UTF8.self)) }
                #expect(H5Awrite(attribute, type, copies) >= 0)
                for copy in copies { free(copy) }
            } else {
                let filling = UInt8(ascii: kind == .blankPadded ? " " : "\0")
                let bytes = texts.flatMap { $0 + [UInt8](repeating: filling, count: width - $0.count) }
                #expect(H5Awrite(attribute, type, bytes) >= 0)
            }
            H5Aclose(attribute)
            H5Sclose(space)
            H5Tclose(type)
        }
    }

    @Test(arguments: Kind.allCases, [H5T_CSET_ASCII, H5T_CSET_UTF8])
    func strings(_ kind: Kind, _ set: H5T_cset_t) throws {
        let texts = set == H5T_CSET_UTF8 ? ["h.0.ätt", "", "b c"] : ["h.0.att", "", "b c"]
        try write(texts.map { Array($0.utf8) }, kind, set, isScalar: false)
        #expect(try File(reading: path).texts("names", of: "/") == texts)
        #expect(
            try error { _ = try File(reading: path).textAttribute("names", of: "/") }.contains("3 strings, not one"))
        try write([Array(texts[0].utf8)], kind, set, isScalar: true)
        #expect(try File(reading: path).textAttribute("names", of: "/") == texts[0])
    }

    @Test func whatIsNoText() throws {
        try write([[0x61, 0xff]], .zeroPadded, H5T_CSET_ASCII, isScalar: true)
        #expect(try error { _ = try File(reading: path).texts("names", of: "/") }.contains("its text is not UTF-8"))
        try write { file in
            for (name, count) in [("numbers", 2), ("none", 0)] {
                let space = H5Screate_simple(1, [hsize_t(count)], nil)
                H5Aclose(H5Acreate2(file, name, chdf5_native_double(), space, chdf5_default(), chdf5_default()))
                H5Sclose(space)
            }
        }
        #expect(try error { _ = try File(reading: path).texts("numbers", of: "/") }.contains("float64, not text"))
        // So h5py writes a list of none.
        #expect(try File(reading: path).texts("none", of: "/") == [])
    }

    // MARK: - Types

    @Test(arguments: [ElementType.float16, .bfloat16, .float32, .float64], [H5T_ORDER_LE, H5T_ORDER_BE])
    func floats(_ type: ElementType, _ order: H5T_order_t) throws {
        try write { file in
            let stored = H5Tcopy(type == .float64 ? chdf5_native_double() : chdf5_native_float())
            if type == .float16 { H5Tset_fields(stored, 15, 10, 5, 0, 10) }
            if type == .bfloat16 { H5Tset_fields(stored, 15, 7, 8, 0, 7) }
            if type == .float16 || type == .bfloat16 { H5Tset_size(stored, 2) }
            if type == .float16 { H5Tset_ebias(stored, 15) }
            H5Tset_order(stored, order)
            try numbers(file, type: stored)
            H5Tclose(stored)
        }
        let file = try File(reading: path)
        let dataset = try file.dataset("x")
        #expect(dataset.type == type)
        #expect(try dataset.readFloats() == [0, 1, 2, 3])
    }

    // MARK: - Filters

    @Test func missingFilter() throws {
        var filter = H5Z_class2_t()
        (filter.version, filter.id, filter.encoder_present, filter.decoder_present) = (H5Z_CLASS_T_VERS, 300, 1, 1)
        filter.filter = { _, _, _, count, _, _ in count }
        try "squeeze; see example.org".withCString { name in
            filter.name = name
            #expect(H5Zregister(&filter) >= 0)
            try write { file in
                let properties = H5Pcreate(chdf5_dataset_create())
                H5Pset_chunk(properties, 1, [2])
                H5Pset_filter(properties, 300, 0, 0, nil)
                try numbers(file, properties: properties)
                H5Pclose(properties)
            }
            #expect(try File(reading: path).dataset("x").read(Float.self) == [0, 1, 2, 3])
            H5Zunregister(300)
        }
        let message = try error { _ = try File(reading: path).dataset("x").read(Float.self) }
        #expect(message.hasPrefix("\(path): x: its data went through filter 300 (squeeze), and its plugin is missing;"))
        #expect(message.contains("HDF5_PLUGIN_PATH"))
    }

    // MARK: - Other files

    /// Ways out of a file, each at `x`, to the dataset `x` of `other.h5`.
    enum Way: CaseIterable {
        case link, linkAbove, softLink, virtual, external
    }

    private func leave(_ way: Way) throws {
        try write("other.h5") { try numbers($0) }
        try Data(count: 16).write(to: URL(fileURLWithPath: folder("raw")))
        try write { file in
            let properties = H5Pcreate(chdf5_dataset_create())
            defer { H5Pclose(properties) }
            switch way {
            case .link: H5Lcreate_external("other.h5", "/x", file, "x", chdf5_default(), chdf5_default())
            case .linkAbove: H5Lcreate_external("other.h5", "/", file, "group", chdf5_default(), chdf5_default())
            case .softLink:
                H5Lcreate_external("other.h5", "/", file, "group", chdf5_default(), chdf5_default())
                H5Lcreate_soft("/group/x", file, "x", chdf5_default(), chdf5_default())
            case .virtual:
                let space = H5Screate_simple(1, [4], nil)
                H5Pset_virtual(properties, space, "other.h5", "x", space)
                H5Dclose(
                    H5Dcreate2(
                        file, "x", chdf5_native_float(), space, chdf5_default(), properties, chdf5_default()))
                H5Sclose(space)
            case .external:
                H5Pset_external(properties, folder("raw"), 0, 16)
                try numbers(file, properties: properties)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func otherFiles(_ way: Way) throws {
        try leave(way)
        let name = way == .linkAbove ? "group/x" : "x"
        let message = try error { _ = try File(reading: path).dataset(name).read(Float.self) }
        #expect(message.contains(way == .external ? "raw, which is not followed" : "other.h5, which is not followed"))
        #expect(try File(reading: path, followingOtherFiles: true).dataset(name).read(Float.self) == [0, 1, 2, 3])
        // Nothing that was refused is remembered.
        #expect(try error { _ = try File(reading: path).dataset("y") }.contains("there is no such dataset"))
    }

    @Test func missingSource() throws {
        try leave(.virtual)
        try FileManager.default.removeItem(atPath: folder("other.h5"))
        let message = try error { _ = try File(reading: path, followingOtherFiles: true).dataset("x") }
        #expect(message.contains("other.h5, is missing"))
    }

    @Test func withinTheFile() throws {
        try write { file in
            try numbers(file, "source")
            let (properties, space) = (H5Pcreate(chdf5_dataset_create()), H5Screate_simple(1, [4], nil))
            H5Pset_virtual(properties, space, ".", "source", space)
            H5Dclose(
                H5Dcreate2(file, "x", chdf5_native_float(), space, chdf5_default(), properties, chdf5_default()))
            H5Pclose(properties)
            H5Sclose(space)
            H5Gclose(H5Gcreate2(file, "group", chdf5_default(), chdf5_default(), chdf5_default()))
            // A way in a circle, and a type with a name of its own.
            H5Lcreate_soft("/", file, "group/root", chdf5_default(), chdf5_default())
            let type = H5Tcopy(chdf5_native_float())
            H5Tcommit2(file, "type", type, chdf5_default(), chdf5_default(), chdf5_default())
            H5Tclose(type)
        }
        let file = try File(reading: path)
        #expect(try file.dataset("x").read(Float.self) == [0, 1, 2, 3])
        #expect(try file.datasets() == ["source", "x"])
    }

    // MARK: - Files in use

    @Test func lockedByAnother() throws {
        try write { try numbers($0) }
        let other = open(path, O_RDWR)
        defer { close(other) }
        #expect(flock(other, LOCK_EX) == 0)
        #expect(try error { _ = try File(reading: path) }.contains("another program has it open; let that program"))
    }

    @Test func markedByItsWriter() throws {
        let file = try File(creating: path)
        try file.createDataset("x", of: Float.self, shape: [1]).write([1] as [Float])
        try file.flush()
        let copy = try folder.write("copy.h5", folder.data("foreign.h5"))
        #expect(try error { _ = try File(reading: copy) }.contains("or ended without closing it"))
    }

    @Test func noRegularFile() throws {
        #expect(mkfifo(path, 0o600) == 0)
        #expect(try error { _ = try File(reading: path) } == "\(path): it is no regular file")
    }
}
