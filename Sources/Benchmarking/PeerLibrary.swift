import Foundation
import Platform

/// A shared library of a peer, loaded when it is asked for.
struct PeerLibrary {
    private let handle: UnsafeMutableRawPointer

    /// The first of `paths` that can be loaded; nil if there is none.
    init?(_ paths: [String]) {
        guard let handle = paths.lazy.compactMap({ dlopen($0, RTLD_NOW) }).first else { return nil }
        self.handle = handle
    }

    /// The function of that name, in the library or in those that it needs; nil if there is none.
    ///
    /// - Parameter type: a C function's type, as the library's header has it.
    func function<Function>(_ name: String, as type: Function.Type) -> Function? {
        dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }
}

/// The Python whose packages `--peers` and the comparisons with PyTorch use.
enum PeerPython {
    /// How to get the packages.
    static let remedy = "python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt"

    /// The interpreter: `PLUMBLINE_PYTHON`, that of `.venv`, or the system's.
    static var interpreter: String {
        if let chosen = ProcessInfo.processInfo.environment["PLUMBLINE_PYTHON"], !chosen.isEmpty { return chosen }
        return FileManager.default.isExecutableFile(atPath: ".venv/bin/python") ? ".venv/bin/python" : "python3"
    }

    /// Where it keeps packages, and the folder around `lib` to which they add libraries; nil where it cannot be run.
    static var folders: (packages: String, data: String)? {
        let script = "import sysconfig; p = sysconfig.get_paths(); print(p['platlib']); print(p['data'])"
        let lines = Subprocess.output(of: [interpreter, "-c", script])?.split(separator: "\n").map(String.init) ?? []
        return lines.count == 2 ? (lines[0], lines[1]) : nil
    }
}
