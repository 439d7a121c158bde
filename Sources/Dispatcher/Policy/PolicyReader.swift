// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

/// Walks the nodes of a policy file, for one of its versions, and gathers every fault on the way, so that one check shows all of them.
///
/// Bounded in depth and in nodes: a file whose anchors unfold without end is a fault, not a full memory.
final class PolicyReader {
    /// A policy of every rule of the catalogue has some 400 lines; this is room for many of them.
    static let bytesMax = 1_048_576
    static let nodesMax = 100_000
    static let depthMax = 32

    private(set) var faults: [PolicyFault] = []
    private var nodesLeft = nodesMax

    /// The names of all versions, the oldest first, and which of them is read; rules of other versions are read for
    /// their faults and left out.
    let versions: [String]
    let versionIndex: Int
    /// Whether the names and the order of the versions can be relied on: a fault in them is one fault, and not another one in each
    /// rule that goes by them.
    let areVersionsWhole: Bool
    /// Bands and relief that conditions can name so far; `nil` for relief where a condition may not ask for it.
    var bands: [String: (field: AccountField, range: Condition)] = [:]
    var reliefs: [String]?
    /// Relief that the file has for other versions.
    var otherReliefs: Set<String> = []
    private(set) var packs: [String] = []
    /// Names of bands and relief that stand in the file with a fault: what asks for them has none of its own.
    var brokenNames: Set<String> = []
    /// Whether all names of bands, and of relief, could be read; otherwise nobody can tell that a name is not among them.
    var areBandsWhole = true
    var areReliefsWhole = true
    /// The relief itself, in the order of the names.
    var reliefClauses: [Relief] = []
    /// Whether all names of packs are good, so that a rule without its pack can be told.
    private(set) var arePacksKnown = true
    /// Where each rule stands, by its path in words: `strategies.dual`.
    var places: [String: PolicyPlace] = [:]
    /// The same with what stands there; of two with one path the later one.
    private(set) var remembered: [String: Entry] = [:]

    init(versions: [String] = [], versionIndex: Int = 0, areVersionsWhole: Bool = true) {
        self.versions = versions
        self.versionIndex = versionIndex
        self.areVersionsWhole = areVersionsWhole
    }

    /// - Parameter packs: `nil` where the file has no list of them.
    func adopt(packs: [String]?) {
        self.packs = packs ?? []
        arePacksKnown = packs != nil && self.packs.allSatisfy { PolicyPack.words.contains($0) }
    }

    func remember(_ name: String, _ entry: Entry) {
        places[name] = entry.place
        remembered[name] = entry
    }

    struct Entry {
        let node: Node
        let path: String

        var place: PolicyPlace? { node.mark.map { PolicyPlace(line: $0.line, column: $0.column) } }
    }

    func fault(_ entry: Entry, found: String? = nil, expected: String) {
        fault(mark: entry.node.mark, path: entry.path, found: found ?? describe(entry.node), expected: expected)
    }

    func fault(mark: Mark?, path: String, found: String, expected: String) {
        guard faults.count < 100 else { return }
        faults.append(
            PolicyFault(line: mark?.line ?? 0, column: mark?.column ?? 0, field: path, found: found, expected: expected)
        )
    }

    /// Counts one node; `false` when the file has too many, which is a fault once.
    func take(_ entry: Entry) -> Bool {
        nodesLeft -= 1
        if nodesLeft == 0 {
            fault(entry, found: "more than \(Self.nodesMax) values", expected: "fewer, without repeated anchors")
        }
        return nodesLeft > 0
    }

    /// The text of a plain value, shown with quotes; a list or mapping by its kind.
    func describe(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string.prefix(60).withoutControls)'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .alias: "an alias"
        }
    }

    /// The entries of a mapping by name. A name that is not asked for, and one that is missing, is a fault.
    func record(_ entry: Entry, _ shape: PolicyShape) -> [String: Entry]? {
        record(entry, required: shape.required, optional: shape.optional)
    }

    /// - Parameter synonyms: what is written for a name by those who think of another language or of another kind of field.
    func record(
        _ entry: Entry, required: [String], optional: [String] = [], synonyms: [String: String] = [:]
    ) -> [String: Entry]? {
        guard take(entry) else { return nil }
        guard case .mapping(let mapping) = entry.node else {
            fault(entry, expected: "a mapping with \((required + optional).joined(separator: ", "))")
            return nil
        }
        var entries: [String: Entry] = [:]
        var misspelt: [(meant: String, entry: Entry)] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            let own = Entry(node: value, path: entry.path.isEmpty ? name : "\(entry.path).\(name)")
            guard (required + optional).contains(name) else {
                let meant =
                    synonyms[name].flatMap { optional.contains($0) ? $0 : nil }
                    ?? nearestName(to: name, among: required + optional)
                fault(
                    mark: key.mark, path: entry.path, found: describe(key),
                    expected: meant.map { "'\($0)'" } ?? oneOf(required + optional, for: name))
                if let meant { misspelt.append((meant, own)) }
                continue
            }
            entries[name] = own
        }
        // Read as what was meant: that it is missing, and all that goes by it, would be the same mistake once more.
        for (name, own) in misspelt where entries[name] == nil { entries[name] = own }
        for name in required where entries[name] == nil {
            let others = entries.keys.sorted().joined(separator: ", ")
            fault(entry, found: "no '\(name)'", expected: others.isEmpty ? "it" : "it, beside \(others)")
        }
        return entries
    }

    /// The name that a misspelt word was meant to be, or all of them where none is near.
    func oneOf(_ names: [String], for word: String) -> String {
        nearestName(to: word, among: names).map { "'\($0)'" } ?? "one of \(names.joined(separator: ", "))"
    }

    func list(_ entry: Entry, of what: String) -> [Entry]? {
        guard take(entry) else { return nil }
        guard case .sequence(let sequence) = entry.node else {
            fault(entry, expected: "a list of \(what)")
            return nil
        }
        return sequence.enumerated().map { Entry(node: $1, path: "\(entry.path)[\($0 + 1)]") }
    }

    /// A mapping of exactly one name, as conditions and choices are.
    func pair(_ entry: Entry, expected: String) -> (name: String, value: Entry)? {
        guard take(entry) else { return nil }
        guard case .mapping(let mapping) = entry.node, mapping.count == 1, let first = mapping.first,
            let name = first.key.scalar?.string
        else {
            let several = entry.node.mapping.map { "\($0.count) names side by side" }
            fault(entry, found: several, expected: expected)
            return nil
        }
        return (name, Entry(node: first.value, path: "\(entry.path).\(name)"))
    }

    func text(_ entry: Entry, expected: String = "a text") -> String? {
        guard take(entry) else { return nil }
        guard case .scalar(let scalar) = entry.node, !scalar.string.isEmpty, scalar.string.utf8.count <= 200 else {
            fault(entry, expected: expected)
            return nil
        }
        // They would move the cursor of whoever prints the text, or hide a part of it.
        guard !scalar.string.unicodeScalars.contains(where: \.isControl) else {
            fault(entry, found: "a control character", expected: "\(expected) of plain characters on one line")
            return nil
        }
        return scalar.string
    }

    /// A name of our own making: small letters, digits, hyphens and points.
    func word(_ entry: Entry) -> String? {
        let expected = "a name of small letters, digits, points and hyphens, 40 at most"
        guard let text = text(entry, expected: expected) else { return nil }
        let isPlain = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
        }
        guard isPlain, text.utf8.count <= 40 else {
            fault(entry, expected: expected)
            return nil
        }
        return text
    }

    /// A whole number with its unit, `30 days` or `1 day`; the number must lie in `range`.
    func quantity(_ entry: Entry, unit: String, in range: ClosedRange<Int64>) -> Int64? {
        let expected =
            "a number from \(range.lowerBound) to \(range.upperBound) and its unit, as in "
            + (range.lowerBound == 1 ? "'1 \(unit.dropLast())'" : "'\(range.lowerBound) \(unit)'")
        guard let text = text(entry, expected: expected) else { return nil }
        let parts = text.split(separator: " ")
        guard parts.count == 2, let value = Int64(canonicalDigits: parts[0]), range.contains(value),
            parts[1] == unit || value == 1 && parts[1] + "s" == unit
        else {
            fault(entry, expected: expected)
            return nil
        }
        return value
    }

    func integer(_ entry: Entry, in range: ClosedRange<Int64>) -> Int64? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let text = text(entry, expected: expected) else { return nil }
        guard let value = Int64(canonicalDigits: text), range.contains(value) else {
            fault(entry, expected: expected)
            return nil
        }
        return value
    }
}

extension Unicode.Scalar {
    /// Control characters, and those that turn a line of text around or end it where nobody sees it.
    var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl
        }
    }
}

extension StringProtocol {
    /// For quoting what stands in a file: a control character as its number.
    var withoutControls: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.isControl {
                text += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }
}
