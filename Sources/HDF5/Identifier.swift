import CHDF5

/// An identifier that libhdf5 handed out, closed when it goes out of scope.
struct Identifier: ~Copyable {
    let id: hid_t
    private let close: (hid_t) -> herr_t

    /// Takes over `id`; nil if it is negative, which is how libhdf5 says that it failed.
    init?(_ id: hid_t, _ close: @escaping (hid_t) -> herr_t) {
        guard id >= 0 else { return nil }
        self.id = id
        self.close = close
    }

    deinit {
        HDF5Library.enter()
        defer { HDF5Library.leave() }
        _ = close(id)
    }
}
