import Foundation
import TestSupport
import Testing

/// The example with one text replaced by another, built with the C compiler.
final class ExampleLibrary {
    let folder: TemporaryFolder
    var path: String { folder("libmine.so") }

    convenience init(replacing text: String = "", by replacement: String = "", flags: [String] = ["-O2"]) throws {
        try self.init(flags: flags) { source in
            guard !text.isEmpty else { return source }
            try #require(source.contains(text))
            return source.replacing(text, with: replacement, maxReplacements: 1)
                .replacing("typedef ptrdiff_t index;", with: "typedef ptrdiff_t index;\n" + Self.support)
        }
    }

    /// The example as `edit` changes it.
    init(flags: [String] = ["-O2"], _ edit: (String) throws -> String) throws {
        let source = try edit(String(contentsOfFile: packageRoot + "/examples/kernels.c", encoding: .utf8))
        folder = try TemporaryFolder()
        try folder.write("kernels.c", source)
        let compiler = try Run(
            "/usr/bin/env",
            ["cc", "-shared", "-fPIC", "-I", packageRoot + "/include", "-DFOLDER=\"\(folder.path)\""] + flags
                + [folder("kernels.c"), "-o", path, "-lm"])
        try #require(compiler.code == 0, "\(compiler.errors)")
    }

    /// The example in which each kernel of `faults` does something besides, before it returns: C that may use its arguments,
    /// after declarations of its own.
    convenience init(declaring declarations: String, faults: [(function: String, code: String)]) throws {
        try self.init { source in
            // Every function ends with a brace at the start of a line.
            try faults.reduce("#define _GNU_SOURCE\n" + source) { source, fault in
                let start = try #require(source.range(of: "EXPORT void \(fault.function)("))
                let end = try #require(source.range(of: "\n}\n", range: start.upperBound..<source.endIndex))
                return source.replacingCharacters(in: end, with: "\n    \(fault.code)\n}\n")
            }
            // The C library has a function of that name.
            .replacing(
                "typedef ptrdiff_t index;", with: declarations + "\ntypedef ptrdiff_t place;\n#define index place")
        }
    }

    /// For a kernel that answers what it was asked first, and for those that start processes: their numbers are noted.
    private static let support = """
        #include <fcntl.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static int first = -1;
        static inline int remembered(int token) { return first < 0 ? first = token : first; }
        static inline void note(int process) {
            int file = open(FOLDER "/processes", O_CREAT | O_WRONLY | O_APPEND, 0666);
            dprintf(file, "%d\\n", process);
            close(file);
        }
        """
}
