import Foundation
import TestSupport
import Testing

/// Package.swift says what the code does: each target lists the targets that its files import, and no others.
struct ManifestTests {
    private struct Target {
        let name: String
        let folder: String
        let dependencies: Set<String>
    }

    private static let targets: [Target] = {
        let manifest = (try? String(contentsOfFile: packageRoot + "/Package.swift", encoding: .utf8)) ?? ""
        let pattern = /\.(target|executableTarget|testTarget)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
        return manifest.matches(of: pattern).map { match in
            let name = String(match.output.2)
            let isTest = match.output.1 == "testTarget" || name == "TestSupport"
            let listed = (match.output.3 ?? "").matches(of: /"(\w+)"/).map { String($0.output.1) }
            return Target(name: name, folder: (isTest ? "Tests/" : "Sources/") + name, dependencies: Set(listed))
        }
    }()

    private func imports(of target: Target) throws -> Set<String> {
        let folder = packageRoot + "/" + target.folder
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
        return try files.reduce(into: []) { imports, file in
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            let pattern = /(?m)^(?:@testable )?import (\w+)/
            imports.formUnion(text.matches(of: pattern).map { String($0.output.1) })
        }
    }

    @Test func targetsListWhatTheyImport() throws {
        try #require(Self.targets.count > 30)
        let names = Set(Self.targets.map(\.name) + ["CCrypto", "CFFI", "CHDF5"])
        // The tests of the commands run their binaries, and import none.
        let binaries: Set = ["bench", "generate", "train", "verify"]
        for target in Self.targets {
            let imported = try imports(of: target).intersection(names)
            #expect(target.dependencies.subtracting(binaries) == imported, "\(target.name)")
        }
    }

    /// The picture in docs/architecture.md has the manifest's arrows, but those that follow from others.
    @Test func pictureShowsTheManifest() throws {
        let page = try String(contentsOfFile: packageRoot + "/docs/architecture.md", encoding: .utf8)
        let picture = try #require(page.firstMatch(of: /```mermaid\n(?s:(.*?))```/)?.output.1)
        let drawn = picture.matches(of: /(?m)^ +(\w+) --> ([\w& ]+)$/).flatMap { match in
            match.output.2.split(separator: " & ").map { "\(match.output.1) --> \($0)" }
        }
        let targets = Self.targets.filter { $0.folder.hasPrefix("Sources/") }
        let direct = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0.dependencies) })
        func reached(from name: String) -> Set<String> {
            direct[name, default: []].reduce(into: []) { $0.formUnion(reached(from: $1).union([$1])) }
        }
        let arrows = targets.flatMap { target in
            target.dependencies.subtracting(
                target.dependencies.reduce(into: []) { $0.formUnion(reached(from: $1)) }
            ).map { "\(target.name) --> \($0)" }
        }
        #expect(drawn.count == Set(drawn).count)
        #expect(drawn.sorted() == arrows.sorted())
    }

    /// Every target has its line in the README's table, and every line its folder.
    @Test func foldersAreInTheREADME() throws {
        let readme = try String(contentsOfFile: packageRoot + "/README.md", encoding: .utf8)
        let section = try #require(readme.firstMatch(of: /\n## Where things are\n(?s:(.*?))\n#/)?.output.1)
        let listed = section.matches(of: /(?m)^\| (`[^|]*`) \|/).flatMap { row in
            row.output.1.matches(of: /`(\w+)`/).map { String($0.output.1) }
        }
        let folders = try FileManager.default.contentsOfDirectory(atPath: packageRoot + "/Sources")
        #expect(listed.sorted() == folders.sorted())
    }

    @Test func onlySentinelImportsItsC() throws {
        let importers = try Self.targets.filter { try imports(of: $0).contains("CSentinel") }.map(\.name)
        #expect(importers == ["Sentinel"])
    }
}
