// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation
import Testing

/// What the help of every command and the README's blocks tell to type is what the programs take: known commands and options, with
/// all that they need.
struct HelpExampleTests {
    private struct Tool: Decodable {
        let command: Command

        struct Command: Decodable {
            let commandName: String
            let discussion: String?
            let arguments: [Argument]?
            let subcommands: [Command]?
            let defaultSubcommand: String?

            var all: [Command] { [self] + (subcommands ?? []).flatMap(\.all) }
        }

        struct Argument: Decodable {
            struct Name: Decodable {
                let kind: String
                let name: String
            }
            let kind: String
            let isOptional: Bool
            let isRepeating: Bool
            let valueName: String
            let names: [Name]?

            var words: [String] { (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name } }
        }
    }

    private static func tools() throws -> [String: Tool.Command] {
        var tools: [String: Tool.Command] = [:]
        for name in ["dispatcherd", "agentsim"] {
            let (code, text) = try ChildProcess.run(ChildProcess.sibling(name), ["--experimental-dump-help"])
            try #require(code == 0)
            tools[name] = try JSONDecoder().decode(Tool.self, from: Data(text.utf8)).command
        }
        return tools
    }

    @Test func `every command has examples, and each of them has the options that the command knows and needs`() throws
    {
        let tools = try Self.tools()
        var count = 0
        for (name, tool) in tools {
            for command in tool.all where command.commandName != "help" {
                let parts = (command.discussion ?? "").split(
                    separator: "Examples:", maxSplits: 1, omittingEmptySubsequences: false)
                try #require(parts.count == 2, "\(name) \(command.commandName) has no examples")
                for line in Self.lines(parts[1]) {
                    #expect(Self.fault(line, tools) == nil, "\(line)")
                    count += 1
                }
            }
        }
        #expect(count > 250)
    }

    @Test func `every command in the README's blocks is one that the programs take`() throws {
        let tools = try Self.tools()
        let readme = try #require(FileManager.default.contents(atPath: "README.md"))
        let blocks = String(decoding: readme, as: UTF8.self).split(separator: "```sh\n").dropFirst()
        let lines = blocks.flatMap { Self.lines($0.split(separator: "```")[0]) }
        for line in lines { #expect(Self.fault(line, tools) == nil, "\(line)") }
        #expect(lines.count { $0.contains("dispatcherd ") } > 25)
    }

    /// What stands in blocks and is no synopsis.
    @Test func `every command in the blocks of docs/agentsim.md is one that the programs take`() throws {
        let tools = try Self.tools()
        let page = try #require(FileManager.default.contents(atPath: "docs/agentsim.md"))
        let block = String(decoding: page, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { $0.hasPrefix("    ") && !$0.contains("[--") }.joined(separator: "\n")
        let lines = Self.lines(block[...])
        for line in lines { #expect(Self.fault(line, tools) == nil, "\(line)") }
        #expect(lines.count { $0.contains("dispatcherd ") } > 20 && lines.count { $0.contains("agentsim ") } > 15)
    }

    @Test func `a wrong example would be found`() throws {
        let tools = try Self.tools()
        for (line, fault) in [
            ("dispatcherd plan aply --period 2024-03", "no option --period"),
            ("dispatcherd plan preview 2024-03", "too many words"),
            ("dispatcherd plan preview", "--period is missing"),
            ("dispatcherd plan preview --periode 2024-03", "no option --periode"),
            ("agentsim load compare monday.json", "<after> is missing"),
            ("agentsim run --port", "--port has no value"),
            ("REPARTO_LISTEN_PORT=1 dispatcherd config --jsn | head -1", "no option --jsn"),
        ] {
            #expect(Self.fault(line, tools)?.hasPrefix(fault) == true, "\(line)")
        }
    }

    // MARK: - Reading

    /// Lines of a shell, with their continuations, without comments.
    private static func lines(_ text: Substring) -> [String] {
        var lines: [String] = []
        var isContinued = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").prefix { !$0.hasPrefix("#") }.joined(separator: " ")
            let part = words.hasSuffix("\\") ? String(words.dropLast()) : words
            if isContinued { lines[lines.count - 1] += part } else { lines.append(part) }
            isContinued = words.hasSuffix("\\")
        }
        return lines
    }

    /// What is wrong with a line that calls one of our programs; `nil` for any other.
    private static func fault(_ line: String, _ tools: [String: Tool.Command]) -> String? {
        let words = words(line).drop { $0.contains("=") && !$0.hasPrefix("-") }
        guard let program = words.first, var command = tools[program] else { return nil }
        var rest = words.dropFirst().prefix { !["|", ">", "&&", ";", "&"].contains($0) && !$0.hasPrefix(">") }
        while let next = rest.first, let found = command.subcommands?.first(where: { $0.commandName == next }) {
            command = found
            rest = rest.dropFirst()
        }
        if command.commandName == "help" { return nil }
        if let name = command.defaultSubcommand,
            let found = command.subcommands?.first(where: { $0.commandName == name })
        {
            command = found
        }
        return fault(Array(rest), of: command)
    }

    private static func fault(_ words: [String], of command: Tool.Command) -> String? {
        let arguments = command.arguments ?? []
        var seen: Set<String> = []
        var position = 0
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            guard word.hasPrefix("-"), word != "-" else {
                position += 1
                continue
            }
            guard let argument = arguments.first(where: { $0.words.contains(word) }) else { return "no option \(word)" }
            seen.insert(argument.valueName)
            guard argument.kind == "option" else { continue }
            // An option may take several values, as --cell does.
            let values = word == "--cell" ? 2 : 1
            guard index + values <= words.count else { return "\(word) has no value" }
            index += values
        }
        let positions = arguments.filter { $0.kind == "positional" }
        let needed = positions.filter { !$0.isOptional }
        if position < needed.count { return "<\(needed[position].valueName)> is missing" }
        if position > positions.count, !positions.contains(where: \.isRepeating) { return "too many words" }
        return arguments.first { $0.kind == "option" && !$0.isOptional && !seen.contains($0.valueName) }.map {
            "\($0.words.last ?? "") is missing"
        }
    }

    /// As a shell divides them: by blanks outside of quotes and of `$(…)`.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        for character in line {
            switch (quote, character) {
            case (let open?, _) where character == (open == "(" ? ")" : open): quote = nil
            case (nil, "\""), (nil, "'"): quote = character
            case (nil, "(") where word.hasSuffix("$"): quote = character
            case (nil, " "):
                if !word.isEmpty { words.append(word) }
                word = ""
            default: word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}
