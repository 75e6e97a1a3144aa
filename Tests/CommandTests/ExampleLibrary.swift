import Foundation
import TestSupport
import Testing

/// The example with one text replaced by another, built with the C compiler.
final class ExampleLibrary {
    let folder: TemporaryFolder
    var path: String { folder("libmine.so") }

    init(replacing text: String = "", by replacement: String = "", flags: [String] = ["-O2"]) throws {
        var source = try String(contentsOfFile: packageRoot + "/examples/kernels.c", encoding: .utf8)
        if !text.isEmpty {
            try #require(source.contains(text))
            source = source.replacing(text, with: replacement, maxReplacements: 1)
                .replacing("typedef ptrdiff_t index;", with: "typedef ptrdiff_t index;\n" + Self.support)
        }
        folder = try TemporaryFolder()
        try folder.write("kernels.c", source)
        let compiler = try Run(
            "/usr/bin/env",
            ["cc", "-shared", "-fPIC", "-I", packageRoot + "/include", "-DFOLDER=\"\(folder.path)\""] + flags
                + [folder("kernels.c"), "-o", path, "-lm"])
        try #require(compiler.code == 0, "\(compiler.errors)")
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
