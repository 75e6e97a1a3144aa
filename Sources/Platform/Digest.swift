import CCrypto
import Foundation

/// The SHA-256 of files, by OpenSSL's libcrypto.
public enum Digest {
    /// The SHA-256, in hexadecimal, of what the regular file at `path` holds from the byte `start` on.
    ///
    /// - Throws: ``FileReadError`` where there is no such file, it may not be read, or it is none with an end.
    public static func sha256(of path: String, from start: Int = 0) throws(FileReadError) -> String {
        let file = try InputFile(path)
        let hash = try SHA256(path)
        let slab = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { slab.deallocate() }
        for offset in stride(from: start, to: file.count, by: slab.count) {
            let part = UnsafeMutableRawBufferPointer(rebasing: slab[..<min(slab.count, file.count - offset)])
            try file.read(at: offset, into: part)
            try hash.add(UnsafeRawBufferPointer(part))
        }
        return try hash.finish()
    }

    /// A digest under way; freed when it goes out of scope.
    private struct SHA256: ~Copyable {
        private let path: String
        private let context: OpaquePointer

        init(_ path: String) throws(FileReadError) {
            guard let context = EVP_MD_CTX_new() else { throw Self.failure(path) }
            guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
                EVP_MD_CTX_free(context)
                throw Self.failure(path)
            }
            self.path = path
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        func add(_ bytes: UnsafeRawBufferPointer) throws(FileReadError) {
            guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw Self.failure(path) }
        }

        func finish() throws(FileReadError) -> String {
            var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var count: UInt32 = 0
            guard EVP_DigestFinal_ex(context, &bytes, &count) == 1 else { throw Self.failure(path) }
            return bytes.prefix(Int(count)).map { String(format: "%02x", $0) }.joined()
        }

        /// As where a policy of the machine forbids the digest.
        private static func failure(_ path: String) -> FileReadError {
            FileReadError(path, "OpenSSL offers no SHA-256 here", remedy: "see its configuration, openssl.cnf")
        }
    }
}
