// SPDX-License-Identifier: Apache-2.0

/// The part of ABNF (RFC 5234) that the document uses, read from its text and matched with backtracking. It knows nothing of the
/// code under test.
struct Grammar {
    struct Fault: Error, CustomStringConvertible { let description: String }

    private indirect enum Node {
        case text(String)
        case range(ClosedRange<UInt32>)
        case rule(String)
        case sequence([Node])
        case choice([Node])
        case times(ClosedRange<Int>, Node)
    }
    private var rules: [String: Node] = [:]

    init(_ lines: [String]) throws {
        var texts: [(String, String)] = []
        for line in lines {
            let code = Self.withoutRemark(line)
            if let equals = code.firstIndex(of: "="), !line.hasPrefix(" ") {
                let name = code[..<equals].filter { $0 != " " }
                texts.append((String(name), String(code[code.index(after: equals)...])))
            } else if !texts.isEmpty {
                texts[texts.count - 1].1 += " " + code
            }
        }
        for (name, text) in texts {
            var parser = Parser(text: Array(text.unicodeScalars))
            rules[name] = try parser.choice()
            guard parser.isAtEnd else { throw Fault(description: "\(name): \(text)") }
        }
        rules["ALPHA"] = .choice([.range(0x41...0x5A), .range(0x61...0x7A)])
        rules["DIGIT"] = .range(0x30...0x39)
        rules["DQUOTE"] = .text("\"")
        rules["LF"] = .text("\n")
        rules["UTF8-non-ascii"] = .range(0xA0...0x10FFFF)
    }

    /// Whether all of `text`, with its terminator, is what the rule says.
    func matches(_ rule: String, _ text: String) -> Bool {
        let scalars = Array((text + "\n").unicodeScalars)
        return ends(.rule(rule), scalars, [0]).contains(scalars.count)
    }

    private func ends(_ node: Node, _ text: [Unicode.Scalar], _ starts: Set<Int>) -> Set<Int> {
        switch node {
        case .text(let literal):
            let scalars = Array(literal.unicodeScalars)
            return Set(
                starts.compactMap { start in
                    let end = start + scalars.count
                    return end <= text.count && Array(text[start..<end]) == scalars ? end : nil
                })
        case .range(let range):
            return Set(starts.compactMap { $0 < text.count && range.contains(text[$0].value) ? $0 + 1 : nil })
        case .rule(let name):
            return rules[name].map { ends($0, text, starts) } ?? []
        case .sequence(let nodes):
            return nodes.reduce(starts) { ends($1, text, $0) }
        case .choice(let nodes):
            return nodes.reduce(into: []) { $0.formUnion(ends($1, text, starts)) }
        case .times(let range, let node):
            var found: Set<Int> = range.lowerBound == 0 ? starts : []
            var current = starts
            var count = 0
            while count < range.upperBound, !current.isEmpty {
                current = ends(node, text, current)
                count += 1
                if count >= range.lowerBound {
                    if current.isSubset(of: found) { break }
                    found.formUnion(current)
                }
            }
            return found
        }
    }

    /// A semicolon inside a quoted text is no remark.
    private static func withoutRemark(_ line: String) -> String {
        var isQuoted = false
        var code = ""
        for character in line {
            if character == "\"" { isQuoted.toggle() }
            if character == ";", !isQuoted { break }
            code.append(character)
        }
        return code
    }

    private struct Parser {
        let text: [Unicode.Scalar]
        var index = 0

        var isAtEnd: Bool { index == text.count }
        private var next: Unicode.Scalar? { isAtEnd ? nil : text[index] }

        mutating func choice() throws -> Node {
            var nodes = [try sequence()]
            while next == "/" {
                index += 1
                nodes.append(try sequence())
            }
            return nodes.count == 1 ? nodes[0] : .choice(nodes)
        }

        private mutating func sequence() throws -> Node {
            var nodes: [Node] = []
            skipSpaces()
            while let scalar = next, scalar != "/", scalar != ")" {
                nodes.append(try repetition())
                skipSpaces()
            }
            return .sequence(nodes)
        }

        private mutating func repetition() throws -> Node {
            let low = number(radix: 10)
            guard next == "*" else {
                if let low { return .times(low...low, try element()) }
                return try element()
            }
            index += 1
            let high = number(radix: 10)
            return .times((low ?? 0)...(high ?? 1_000_000), try element())
        }

        private mutating func element() throws -> Node {
            switch next {
            case "(":
                index += 1
                let node = try choice()
                guard next == ")" else { throw Fault(description: "a bracket is not closed") }
                index += 1
                return node
            case "\"":
                index += 1
                let start = index
                while let scalar = next, scalar != "\"" { index += 1 }
                defer { index += 1 }
                return .text(String(String.UnicodeScalarView(text[start..<index])))
            case "%":
                index += 2
                guard let low = number(radix: 16) else { throw Fault(description: "a number is missing") }
                guard next == "-" else { return .range(UInt32(low)...UInt32(low)) }
                index += 1
                guard let high = number(radix: 16) else { throw Fault(description: "a number is missing") }
                return .range(UInt32(low)...UInt32(high))
            default:
                let start = index
                while let scalar = next, Self.isName(scalar) { index += 1 }
                guard index > start else { throw Fault(description: "nothing can be read at \(index)") }
                return .rule(String(String.UnicodeScalarView(text[start..<index])))
            }
        }

        private static func isName(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isAlphabetic || scalar == "-" || (0x30...0x39).contains(scalar.value)
        }

        private mutating func number(radix: UInt32) -> Int? {
            var value: Int?
            while let scalar = next, let digit = Character(scalar).hexDigitValue, digit < Int(radix) {
                value = (value ?? 0) * Int(radix) + digit
                index += 1
            }
            return value
        }

        private mutating func skipSpaces() { while next == " " { index += 1 } }
    }
}
