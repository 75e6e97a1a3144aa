import Testing

@testable import Terminal

struct CommandSyntaxTests {
    let syntax = CommandSyntax(
        "tool", summary: "Does something.",
        flags: [
            Flag("--name", "NAME", help: "A name."), Flag("--files", "FILE ...", .many, help: "Some files."),
            Flag("--count", "N", help: "A number."), Flag("--dry", help: "A switch."),
        ], examples: [("tool --dry", "Does nothing.")])

    @Test func values() throws {
        let arguments = try syntax.parse(["--files", "a", "b", "--name=x=y", "--dry", "--files", "c,d"])
        #expect(arguments.values("--files") == ["a", "b", "c,d"])
        #expect(arguments.list("--files") == ["a", "b", "c", "d"])
        #expect(arguments.value("--name") == "x=y")
        #expect(arguments.has("--dry"))
        #expect(arguments.value("--count") == nil)
        #expect(try arguments.count("--count") == nil)
    }

    @Test(arguments: [
        (["--nam", "x"], "there is no flag --nam (did you mean --name?); see tool --help"),
        (
            ["--zzzzzzzz"],
            "there is no flag --zzzzzzzz (there are --name, --files, --count, --dry, --help, --version); see tool --help"
        ),
        (["--name", ""], "--name has an empty value; is the variable that should hold it set?"),
        (["--name"], "--name needs a value: NAME"), (["--name", "a", "--name", "b"], "--name is given twice"),
        (["word"], "'word' belongs to no flag; see tool --help"), (["--dry=1"], "--dry takes no value"),
        (["--name", "a", "b"], "'b' belongs to no flag; see tool --help"),
    ])
    func mistakes(_ words: [String], says: String) {
        let error = #expect(throws: UsageError.self) { _ = try syntax.parse(words) }
        #expect(error?.description == says)
    }

    @Test(arguments: ["0", "-1", "many", "1.5", " "])
    func notACount(_ text: String) throws {
        let arguments = try syntax.parse(["--count", text])
        #expect(throws: UsageError.self) { _ = try arguments.count("--count") }
    }

    @Test func helpIsNarrow() {
        #expect(syntax.help.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(syntax.help.contains("--files FILE ..."))
    }

    @Test func colourOnlyWhereAsked() {
        #expect(Style(isColoured: false).red("x") == "x")
        #expect(Style(isColoured: true).red("x") == "\u{1b}[31mx\u{1b}[0m")
    }
}
