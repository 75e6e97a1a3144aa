import CCrypto
import Foundation

/// The SHA-256 of files, by OpenSSL's libcrypto.
public enum Digest {
    /// The SHA-256, in hexadecimal, of what the regular file at `path` holds from the byte `start` on.
    ///
    /// - Throws: ``DigestError`` where there is no such file, it may not be read, or it is none with an end.
    public static func sha256(of path: String, from start: Int = 0) throws(DigestError) -> String {
        let file = try Descriptor(path)
        guard lseek(file.number, off_t(start), SEEK_SET) >= 0 else { throw DigestError(path, errno) }
        let hash = try SHA256(path)
        let slab = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { slab.deallocate() }
        while true {
            let count = read(file.number, slab.baseAddress, slab.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw DigestError(path, errno) }
            guard count > 0 else { return try hash.finish() }
            try hash.add(UnsafeRawBufferPointer(rebasing: slab[..<count]))
        }
    }

    /// A regular file that is open for reading; closed when it goes out of scope.
    private struct Descriptor: ~Copyable {
        let number: Int32

        init(_ path: String) throws(DigestError) {
            // Opening a named pipe would wait for a writer.
            let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard number >= 0 else { throw DigestError(path, errno) }
            var status = stat()
            guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                close(number)
                throw DigestError(path, "it is no regular file", remedy: "give the path of a file")
            }
            self.number = number
        }

        deinit { close(number) }
    }

    /// A digest under way; freed when it goes out of scope.
    private struct SHA256: ~Copyable {
        private let path: String
        private let context: OpaquePointer

        init(_ path: String) throws(DigestError) {
            guard let context = EVP_MD_CTX_new() else { throw DigestError(path, ENOMEM) }
            guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
                EVP_MD_CTX_free(context)
                throw Self.failure(path)
            }
            self.path = path
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        func add(_ bytes: UnsafeRawBufferPointer) throws(DigestError) {
            guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw Self.failure(path) }
        }

        func finish() throws(DigestError) -> String {
            var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var count: UInt32 = 0
            guard EVP_DigestFinal_ex(context, &bytes, &count) == 1 else { throw Self.failure(path) }
            return bytes.prefix(Int(count)).map { String(format: "%02x", $0) }.joined()
        }

        /// As where a policy of the machine forbids the digest.
        private static func failure(_ path: String) -> DigestError {
            DigestError(path, "OpenSSL offers no SHA-256 here", remedy: "see its configuration, openssl.cnf")
        }
    }
}

/// A file whose digest cannot be taken: what is wrong, and how to mend it.
public struct DigestError: Error, CustomStringConvertible, Sendable {
    /// The file's path.
    public let file: String
    /// What is wrong.
    public let problem: String
    /// How to mend it.
    public let remedy: String

    fileprivate init(_ file: String, _ problem: String, remedy: String) {
        (self.file, self.problem, self.remedy) = (file, problem, remedy)
    }

    /// What the operating system says, by its number of an error.
    fileprivate init(_ file: String, _ code: Int32) {
        switch code {
        case ENOENT, ENOTDIR: self.init(file, "there is no such file", remedy: "see its path")
        case EACCES, EPERM: self.init(file, "it cannot be read", remedy: "see whether you may read it")
        default: self.init(file, "it cannot be read (\(String(cString: strerror(code))))", remedy: "see its disk")
        }
    }

    public var description: String { "\(file): \(problem); \(remedy)" }
}
