// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// What the YAML parser stopped at, in the checker's own words: the parser's name states of its own that a writer does not know.
extension PolicyFaults {
    init(yaml error: any Error) {
        let fault: PolicyFault
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, let text),
            .parser(let context, let problem, let mark, let text),
            .composer(let context, let problem, let mark, let text):
            fault =
                Stop(
                    problem: problem, mark: PolicyPlace(line: mark.line, column: mark.column), context: context?.text,
                    begun: context.map { PolicyPlace(line: $0.mark.line, column: $0.mark.column) }, text: text
                ).fault
        case .duplicatedKeysInMapping(let names, let context):
            let first = PolicyPlace(line: context.mark.line, column: context.mark.column)
            let again = Self.again(names.first ?? "", first, context.text)
            let words = names.map { "'\($0.prefix(60).description.withoutControls)'" }.joined(separator: ", ")
            fault = PolicyFault(
                line: (again ?? first).line, column: (again ?? first).column, field: "",
                found: "\(words) twice in one mapping" + (again == nil ? "" : ", first in line \(first.line)"),
                expected: "each name once")
        case .reader(let problem, _, let value, let text):
            fault = Self.unreadable(problem, value: value, text)
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, nil:
            fault = PolicyFault(
                line: 0, column: 0, field: "", found: "a text that YAML does not allow", expected: "valid YAML")
        }
        self.init(list: [fault])
    }

    /// Where a name stands again in the block mapping in which it stood first; `nil` where the mapping is written between braces.
    ///
    /// Names of one block mapping begin in one column, and lines of what is within it further right.
    private static func again(_ name: String, _ first: PolicyPlace, _ text: String) -> PolicyPlace? {
        guard !name.isEmpty, first.line >= 1, first.column >= 1 else { return nil }
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            let indent = line.prefix { $0 == " " }.count
            let rest = line.dropFirst(indent)
            if rest.isEmpty || rest.first == "#" { continue }
            guard indent >= first.column - 1 else { return nil }
            guard indent == first.column - 1 else { continue }
            let isIt = [name, "'\(name)'", "\"\(name)\""].contains { spelling in
                rest.hasPrefix(spelling) && rest.dropFirst(spelling.count).drop { $0 == " " }.first == ":"
            }
            if isIt { return PolicyPlace(line: index + 1, column: first.column) }
        }
        return nil
    }

    /// A character that a YAML text must not have.
    private static func unreadable(_ problem: String, value: Int32, _ text: String) -> PolicyFault {
        var (line, column) = (1, 1)
        for scalar in text.unicodeScalars {
            if Int32(bitPattern: scalar.value) == value {
                return PolicyFault(
                    line: line, column: column, field: "",
                    found: "the character U+\(String(scalar.value, radix: 16, uppercase: true))",
                    expected: "letters, digits and signs that can be seen")
            }
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return PolicyFault(line: 0, column: 0, field: "", found: problem, expected: "UTF-8 text")
    }

    /// Where the parser stopped, and the place at which what it was reading had begun.
    private struct Stop {
        let problem: String
        let mark: PolicyPlace
        /// What the parser was reading, in its own words, and where that had begun.
        let context: String?
        let begun: PolicyPlace?
        let text: String

        var fault: PolicyFault {
            if let known = opened ?? misplaced ?? unquoted { return known }
            return here(found: "\(word) where YAML takes something else", expected: "valid YAML (\(problem))")
        }

        /// Something was begun, and does not go on or end as it must.
        private var opened: PolicyFault? {
            guard let begun else { return nil }
            let start = "line \(begun.line), column \(begun.column)"
            switch problem {
            case "did not find expected key":
                return here(
                    found: found,
                    expected:
                        "a name and ':' in column \(begun.column), as in the mapping that begins in line \(begun.line)")
            case "did not find expected '-' indicator":
                return here(
                    found: found,
                    expected:
                        "'-' in column \(begun.column), as in the list that begins in line \(begun.line), or the line "
                        + "under the '-' that it belongs to")
            case "did not find expected ',' or ']'":
                return here(found: found, expected: "',' or the ']' of the '[' in \(start)")
            case "did not find expected ',' or '}'":
                return here(found: found, expected: "',' or the '}' of the '{' in \(start)")
            case "could not find expected ':'":
                let name = word(at: begun)
                return at(begun, found: "\(name) without ':'", expected: "':' and a space behind the name")
            case "found unexpected end of stream", "found unexpected document indicator":
                let quote = word(at: begun).dropFirst().first.map(String.init) ?? ""
                return at(
                    begun, found: "a text that begins with \(quote) and does not end",
                    expected: "another \(quote) behind the text")
            case "found unknown escape character":
                return here(
                    found: "\(word) behind a '\\'",
                    expected: "'\\\\' for a backslash, or the text between single quotes")
            default:
                return nil
            }
        }

        /// Something stands where nothing of its kind may.
        private var misplaced: PolicyFault? {
            switch problem {
            case "mapping values are not allowed in this context":
                return here(
                    found: "another ':' in what is one text so far",
                    expected:
                        "quotes around a text with ': ' in it; a name of its own begins in the column of the names before it"
                )
            case "block sequence entries are not allowed in this context":
                return here(
                    found: "'-' on the line of a name", expected: "the list on the lines below, or between '[' and ']'")
            case "mapping keys are not allowed in this context":
                return here(found: found, expected: "a name in the column of the names before it")
            case "did not find expected <document start>":
                return here(
                    found: "\(found), outside of all that stands before it",
                    expected: "one mapping whose names all begin in the same column")
            case "but found another document":
                return here(found: "a second document behind '---'", expected: "one policy in a file")
            default:
                return nil
            }
        }

        /// A text that begins with a sign that YAML keeps for itself.
        private var unquoted: PolicyFault? {
            if problem == "found undefined alias" {
                return here(
                    found: "\(word), which names nothing", expected: "quotes around a text that begins with '*'")
            }
            guard
                problem == "found character that cannot start any token" || context?.hasSuffix(" tag") == true
                    || context?.hasSuffix("anchor") == true || context?.hasSuffix("alias") == true
                    || problem == "found undefined tag handle"
            else { return nil }
            let place = problem == "found character that cannot start any token" ? mark : begun ?? mark
            let sign = scalars(at: place).first.map(String.init) ?? ""
            return sign == "\t"
                ? at(place, found: "a tab", expected: "spaces before a line's first word")
                : at(
                    place, found: "\(word(at: place))",
                    expected: "quotes around a text that begins with '\(sign.withoutControls)'")
        }

        // MARK: - What stands there

        /// What stands where it stopped; behind the last line, the end of the file.
        private var found: String {
            guard !scalars(at: mark).isEmpty else {
                return mark.line >= lineCount ? "the end of the file" : "the end of the line"
            }
            let isFirst = scalars(at: PolicyPlace(line: mark.line, column: 1)).prefix(max(mark.column - 1, 0))
                .allSatisfy { $0 == " " }
            return isFirst ? "\(word) in column \(mark.column)" : word
        }

        private var word: String { word(at: mark) }

        /// The word at a place, in quotes.
        private func word(at place: PolicyPlace) -> String {
            let rest = scalars(at: place)
            let word = rest.prefix { !$0.properties.isWhitespace }.prefix(30)
            let plain = word.count > 1 && (word.last == ":" || word.last == ",") ? word.dropLast() : word
            var text = ""
            text.unicodeScalars.append(contentsOf: plain)
            return word.isEmpty ? "nothing" : "'\(text.withoutControls)'"
        }

        private var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count }

        /// The rest of a line from a place on.
        private func scalars(at place: PolicyPlace) -> Substring.UnicodeScalarView {
            let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
            guard place.line >= 1, place.line <= lines.count, place.column >= 1 else {
                return Substring().unicodeScalars
            }
            return lines[place.line - 1].unicodeScalars.dropFirst(place.column - 1)
        }

        private func here(found: String, expected: String) -> PolicyFault { at(mark, found: found, expected: expected) }

        private func at(_ place: PolicyPlace, found: String, expected: String) -> PolicyFault {
            PolicyFault(line: place.line, column: place.column, field: "", found: found, expected: expected)
        }
    }
}
