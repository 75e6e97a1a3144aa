import Foundation
import Tokenizer

/// The texts of files and folders, as one sequence of tokens.
public struct TextCollection: Sendable {
    /// The tokens: each text after the token that ends the one before.
    public let tokens: [Int32]
    /// The texts read, and their bytes.
    public let files, bytes: Int
    /// The files of folders that are not text, and were left out.
    public let skipped: Int

    /// Reads files, and what text there is in folders: all files that are not hidden and hold no byte of 0.
    ///
    /// - Throws: ``TrainingError`` if a path does not exist or cannot be read, or there is no text.
    public init(_ paths: [String], tokenizer: Tokenizer) throws(TrainingError) {
        var (tokens, files, bytes, skipped) = ([Int32](), 0, 0, 0)
        for path in paths {
            for file in try Self.files(at: path) {
                guard let text = FileManager.default.contents(atPath: file) else {
                    throw TrainingError(file, "cannot be read; may you read it?")
                }
                if file != path, text.contains(0) {
                    skipped += 1
                    continue
                }
                tokens.append(tokenizer.endOfText)
                tokens += tokenizer.encode(text)
                files += 1
                bytes += text.count
            }
        }
        guard bytes > 0 else {
            throw TrainingError("\(paths.joined(separator: ", ")): there is no text; give a file or folder with --text")
        }
        (self.tokens, self.files, self.bytes, self.skipped) = (tokens, files, bytes, skipped)
    }

    private static func files(at path: String) throws(TrainingError) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TrainingError(path, "there is no such file or folder")
        }
        guard isFolder.boolValue else { return [path] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw TrainingError(path, "the folder cannot be read; may you read it?")
        }
        var found: [String] = []
        for name in names.sorted() where !name.hasPrefix(".") {
            found += try files(at: path.hasSuffix("/") ? path + name : "\(path)/\(name)")
        }
        return found
    }
}
