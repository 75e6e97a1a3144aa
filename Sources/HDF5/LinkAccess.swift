import CHDF5
import Foundation
import Synchronization

/// How the objects of a file are reached: through links within it, and into other files only where that is asked for.
struct LinkAccess: ~Copyable {
    /// Whether what lies in other files is read as if it lay in this one.
    let followsOtherFiles: Bool
    private let groupAccess, datasetAccess: Identifier

    /// For groups; for datasets and whatever else is found by its path.
    var group: hid_t { groupAccess.id }
    var dataset: hid_t { datasetAccess.id }

    /// Access to the objects of the file at `path`.
    init(_ path: String, followsOtherFiles: Bool) throws(HDF5Error) {
        guard
            let group = Identifier(H5Pcreate(chdf5_group_access()), H5Pclose),
            let dataset = Identifier(H5Pcreate(chdf5_dataset_access()), H5Pclose),
            followsOtherFiles
                || H5Pset_elink_cb(group.id, Self.refuse, nil) >= 0
                    && H5Pset_elink_cb(dataset.id, Self.refuse, nil) >= 0
        else { throw HDF5Error(path, "", "cannot say how links are to be followed") }
        self.followsOtherFiles = followsOtherFiles
        groupAccess = group
        datasetAccess = dataset
    }

    /// The file into which a link led that was last refused.
    private static let refused = Mutex<String?>(nil)

    /// libhdf5 asks this before it follows a link into another file.
    private static let refuse: H5L_elink_traverse_t = { _, _, file, _, _, _, _ in
        refused.withLock { $0 = file.map { String(cString: $0) } ?? "" }
        return -1
    }

    /// Names that file, and forgets it.
    static func takeRefused() -> String? {
        refused.withLock { name in
            defer { name = nil }
            return name
        }
    }
}

extension File {
    /// Checks that the elements of an open dataset lie in this file, where other files are not to be read, and that they
    /// are there at all: libhdf5 reads those of a missing source as zeros.
    func checkSources(_ dataset: String, _ identifier: hid_t) throws(HDF5Error) {
        guard let properties = Identifier(H5Dget_create_plist(identifier), H5Pclose) else { return }
        if let other = Self.rawDataFile(properties.id), !access.followsOtherFiles {
            throw HDF5Error(
                path, dataset, "its data lie in another file, \(other), which is not followed", .otherFile)
        }
        var count = 0
        guard H5Pget_layout(properties.id) == H5D_VIRTUAL, H5Pget_virtual_count(properties.id, &count) >= 0 else {
            return
        }
        for index in 0..<count {
            let file = Self.text(H5Pget_virtual_filename(properties.id, index, nil, 0)) {
                H5Pget_virtual_filename(properties.id, index, $0, $1)
            }
            let source = Self.text(H5Pget_virtual_dsetname(properties.id, index, nil, 0)) {
                H5Pget_virtual_dsetname(properties.id, index, $0, $1)
            }
            if file == "." {
                guard try isThere(source) else { throw HDF5Error(path, dataset, "its source \(source) is missing") }
            } else if !access.followsOtherFiles {
                throw HDF5Error(
                    path, dataset, "it is put together from another file, \(file), which is not followed", .otherFile)
            } else if !canFind(file) {
                throw HDF5Error(path, dataset, "the file that it is put together from, \(file), is missing")
            }
        }
    }

    /// The first of the files that hold a dataset's raw data; nil where this one does.
    private static func rawDataFile(_ properties: hid_t) -> String? {
        guard H5Pget_external_count(properties) > 0 else { return nil }
        return text(4096) { Int(H5Pget_external(properties, 0, $1, $0, nil, nil)) }
    }

    /// Whether libhdf5 finds a file that a dataset names: as it stands, or beside this one.
    private func canFind(_ file: String) -> Bool {
        // Names with numbers in them are made up when they are read.
        if file.contains("%") || getenv("HDF5_VDS_PREFIX") != nil { return true }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let name = file.lastIndex(of: "/").map { String(file[file.index(after: $0)...]) } ?? file
        return [file, folder + file, folder + name].contains { (name: String) in Glibc.access(name, R_OK) == 0 }
    }

    /// A text of that length that libhdf5 writes into a buffer.
    private static func text(_ length: Int, _ read: (UnsafeMutablePointer<CChar>, Int) -> Int) -> String {
        var buffer = [CChar](repeating: 0, count: max(length, 0) + 1)
        guard read(&buffer, buffer.count) >= 0 else { return "" }
        return String(terminated: buffer)
    }
}
