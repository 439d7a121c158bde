// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

extension PolicyReader {
    private static let shape =
        "'always', 'all: […]', 'any: […]', 'not: …', 'band: …', 'offered: …', or one field with its test; several go "
        + "under 'all'"

    /// `always`, `all`, `any`, `not`, `band`, `offered`, or one field with a test.
    func condition(_ entry: Entry, depth: Int = 0) -> Condition? {
        guard depth < Self.depthMax else {
            fault(entry, found: "conditions nested \(depth + 1) deep", expected: "\(Self.depthMax) levels at most")
            return nil
        }
        if let word = entry.node.scalar?.string, take(entry) {
            if word == "always" { return .always }
            fault(entry, expected: Self.shape)
            return nil
        }
        guard let (name, value) = pair(entry, expected: Self.shape) else { return nil }
        switch name {
        case "all": return conditions(value, depth: depth).map(Condition.all)
        case "any": return conditions(value, depth: depth).map(Condition.any)
        case "not": return condition(value, depth: depth + 1).map(Condition.not)
        case "band": return oneOrSeveral(value, of: "bands") { band($0) }
        case "offered": return oneOrSeveral(value, of: "solutions") { offered($0) }
        default:
            guard let field = AccountField(name: name) else {
                let names = PolicyShape.connectives + AccountField.allCases.map(\.name)
                fault(entry, found: "'\(name)'", expected: oneOf(names, for: name))
                return nil
            }
            demandPack(of: field, entry)
            return test(field, value)
        }
    }

    /// A name, or a list of names of which one must hold.
    private func oneOrSeveral(_ entry: Entry, of what: String, _ read: (Entry) -> Condition?) -> Condition? {
        guard case .sequence = entry.node else { return read(entry) }
        guard let entries = list(entry, of: what), !entries.isEmpty else {
            fault(entry, found: "an empty list", expected: "at least one of the \(what)")
            return nil
        }
        let found = entries.map(read)
        return found.contains(nil) ? nil : .any(found.compactMap { $0 })
    }

    private func band(_ entry: Entry) -> Condition? {
        guard let name = text(entry) else { return nil }
        if let band = bands[name] { return .named(name, band.range) }
        if brokenNames.contains(name) || !areBandsWhole { return nil }
        fault(
            entry,
            expected: bands.isEmpty ? "a band; this policy has none" : oneOf(bands.keys.sorted(), for: name))
        return nil
    }

    private func offered(_ entry: Entry) -> Condition? {
        guard let name = text(entry) else { return nil }
        guard let reliefs else {
            fault(entry, found: "'offered' here", expected: "it in exclusions, tactics, strategies and mediation only")
            return nil
        }
        if let index = reliefs.firstIndex(of: name) { return .offered(index) }
        // In a version that has no such relief, nobody may be offered it.
        if otherReliefs.contains(name) { return .any([]) }
        if brokenNames.contains(name) || !areReliefsWhole { return nil }
        fault(entry, expected: reliefs.isEmpty ? "a relief; this policy has none" : oneOf(reliefs, for: name))
        return nil
    }

    private func conditions(_ entry: Entry, depth: Int) -> [Condition]? {
        guard let entries = list(entry, of: "conditions") else { return nil }
        guard !entries.isEmpty else {
            fault(entry, found: "an empty list", expected: "at least one condition")
            return nil
        }
        let found = entries.map { condition($0, depth: depth + 1) }
        return found.contains(nil) ? nil : found.compactMap { $0 }
    }

    func test(_ field: AccountField, _ entry: Entry) -> Condition? {
        switch entry.node {
        case .scalar(let scalar):
            if scalar.string == "known" { return .isKnown(field) }
            if scalar.string == "unknown" { return .not(.isKnown(field)) }
            return bound(field, entry).map { .range(field, atLeast: $0, atMost: $0) }
        case .sequence:
            return set(field, entry)
        case .mapping:
            return comparisons(field, entry)
        case .alias:
            fault(entry, expected: "the value itself")
            return nil
        }
    }

    private func set(_ field: AccountField, _ entry: Entry) -> Condition? {
        guard let entries = list(entry, of: "values") else { return nil }
        let values = entries.map { member in
            bound(field, member).flatMap { value -> Int64? in
                if case .value(let plain) = value { return plain }
                fault(member, expected: "a plain date in a set")
                return nil
            }
        }
        guard !values.isEmpty, !values.contains(nil) else {
            if values.isEmpty { fault(entry, found: "an empty set", expected: "at least one value") }
            return nil
        }
        return .oneOf(field, values.compactMap { $0 })
    }

    private func comparisons(_ field: AccountField, _ entry: Entry) -> Condition? {
        let names = PolicyShape.comparisons(field.kind)
        guard !names.isEmpty else {
            fault(entry, expected: example(field))
            return nil
        }
        guard let record = record(entry, required: [], optional: names, synonyms: Self.synonyms(field.kind)) else {
            return nil
        }
        var atLeast: [Condition.Bound?] = []
        var atMost: [Condition.Bound?] = []
        let written = Condition.WrittenEnds(
            isAbove: record["above"] != nil || record["after"] != nil,
            isBelow: record["below"] != nil || record["before"] != nil)
        for (name, value) in record {
            switch name {
            case "above", "after": atLeast.append(bound(field, value)?.advanced(by: 1))
            case "at_least", "on_or_after": atLeast.append(bound(field, value))
            case "below", "before": atMost.append(bound(field, value)?.advanced(by: -1))
            case "at_most", "on_or_before": atMost.append(bound(field, value))
            case "between":
                let ends = between(field, value)
                atLeast.append(ends?.0)
                atMost.append(ends?.1)
            default:
                let ends = within(value)
                atLeast.append(ends?.0)
                atMost.append(ends?.1)
            }
        }
        // A test with a fault has been told already.
        guard !(atLeast + atMost).contains(nil), record.count == entry.node.mapping?.count else { return nil }
        guard record.count > 0, atLeast.count <= 1, atMost.count <= 1 else {
            fault(entry, found: "\(record.count) tests", expected: "one lower end, one upper end, or one of each")
            return nil
        }
        return .range(field, atLeast: atLeast.first ?? nil, atMost: atMost.first ?? nil, written: written)
    }

    /// Dates have words of their own, and signs are not read.
    private static func synonyms(_ kind: AccountField.Kind) -> [String: String] {
        let numbers = ["above", "at_least", "below", "at_most"]
        let dates = ["after", "on_or_after", "before", "on_or_before"]
        let (from, to) = kind == .date ? (numbers, dates) : (dates, numbers)
        let words = [
            from, [">", ">=", "<", "<="], ["more_than", "from", "less_than", "to"], ["over", "min", "under", "max"],
        ]
        var found = words.reduce(into: [String: String]()) { found, names in
            for (name, meant) in zip(names, to) { found[name] = meant }
        }
        found["since"] = to[1]
        found["until"] = to[3]
        return found
    }

    private func between(_ field: AccountField, _ entry: Entry) -> (Condition.Bound, Condition.Bound)? {
        guard let ends = list(entry, of: "two values") else { return nil }
        guard ends.count == 2 else {
            fault(entry, found: "\(ends.count) values", expected: "two, the lower first; both belong to the range")
            return nil
        }
        guard let lower = bound(field, ends[0]), let upper = bound(field, ends[1]) else { return nil }
        if case .value(let low) = lower, case .value(let high) = upper, low > high {
            fault(entry, found: "a range that ends before it starts", expected: "the lower value first")
            return nil
        }
        if case .cut(let low) = lower, case .cut(let high) = upper, low > high {
            fault(entry, found: "a range that ends before it starts", expected: "the lower value first")
            return nil
        }
        return (lower, upper)
    }

    /// `60 days before cut`: from that day up to the cut's, both included.
    private func within(_ entry: Entry) -> (Condition.Bound, Condition.Bound)? {
        let expected = "a span up to the cut or from it, as in '60 days before cut'"
        guard let text = text(entry, expected: expected) else { return nil }
        guard let days = Self.daysFromCut(text), text != "cut" else {
            fault(entry, expected: expected)
            return nil
        }
        return (.cut(days: min(days, 0)), .cut(days: max(days, 0)))
    }

    /// One value in the field's own unit.
    private func bound(_ field: AccountField, _ entry: Entry) -> Condition.Bound? {
        guard let text = text(entry, expected: example(field)) else { return nil }
        let value: Condition.Bound?
        switch field.kind {
        case .number:
            value = Int64(decimal: text, places: 0).flatMap { $0.magnitude <= Self.numberMax ? .value($0) : nil }
        case .money:
            value = text.hasSuffix(" pesos") ? Cents(pesos: text.dropLast(6)).flatMap(Self.money) : nil
        case .percent:
            value = text.hasSuffix("%") ? Self.percent(text.dropLast(), of: field) : nil
        case .date:
            value =
                LocalDate(text: text).map { .value(Int64($0.daysSince1970)) }
                ?? Self.daysFromCut(text).map { .cut(days: $0) }
        case .flag:
            value = ["no": .value(0), "yes": .value(1)][text]
        case .code(let words):
            value = words.firstIndex(of: text).map { .value(Int64($0) + 1) }
        }
        if value == nil {
            fault(
                entry, found: Self.tooLarge(text, field.kind).map { "'\(text.prefix(60))', more than \($0)" },
                expected: Self.comparison(text, field.kind) ?? example(field, misspelt: text))
        } else if text.hasPrefix("-"), field.kind == .number || field.kind == .money {
            fault(
                entry,
                expected: "no sign: nothing that an account has is below zero, as in '\(text.dropFirst().prefix(60))'")
            return nil
        }
        return value
    }

    /// The most that may be asked for, where a number or amount is well written and too large; otherwise `nil`.
    private static func tooLarge(_ text: String, _ kind: AccountField.Kind) -> String? {
        var digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let most: String
        switch kind {
        case .number: most = "\(numberMax)"
        case .money:
            guard digits.hasSuffix(" pesos") else { return nil }
            digits = digits.dropLast(6)
            most = "\(Cents(centavosMax)) pesos"
            let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.count == 1 || (1...2).contains(parts[1].utf8.count) else { return nil }
            digits = parts[0] + (parts.count == 2 ? parts[1] : "")
        case .percent, .date, .flag, .code: return nil
        }
        return !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? most : nil
    }

    private static let numberMax: Int64 = 1_000_000_000
    private static let centavosMax: Int64 = 1_000_000_000_000_000

    /// What a value of the field looks like.
    private func example(_ field: AccountField, misspelt word: String = "") -> String {
        switch field.kind {
        case .number: "a whole number, as in '4'"
        case .money: "an amount with its unit, as in '50000.00 pesos'"
        case .percent: "a percent from 0 to \(field.percentMax) with its sign, as in '70 %'"
        case .date: "a day, as in '2022-07-01', 'cut' or '60 days before cut'"
        case .flag: "yes or no"
        case .code(let words): oneOf(words, for: word)
        }
    }

    /// How a comparison by signs, as in `> 3`, is written here; `nil` where the text is none.
    private static func comparison(_ text: String, _ kind: AccountField.Kind) -> String? {
        let sign = String(text.prefix { "<>=".contains($0) })
        guard !PolicyShape.comparisons(kind).isEmpty, let name = synonyms(kind)[sign] else { return nil }
        return "'{\(name): \(text.dropFirst(sign.count).drop { $0 == " " }.prefix(30).description.withoutControls)}'"
    }

    private static func money(_ amount: Cents) -> Condition.Bound? {
        amount.value.magnitude <= centavosMax ? .value(amount.value) : nil
    }

    private static func percent(_ text: Substring, of field: AccountField) -> Condition.Bound? {
        guard let value = Int64(decimal: text.last == " " ? text.dropLast() : text, places: 2),
            (0...field.percentMax * 100).contains(value)
        else { return nil }
        return .value(value * field.numbersPerBasisPoint)
    }

    /// Days from the cut in `cut`, `60 days before cut` or `1 day after cut`; 36,500 at most.
    private static func daysFromCut(_ text: String) -> Int64? {
        if text == "cut" { return 0 }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, words[3] == "cut", let days = Int64(canonicalDigits: words[0]), days <= 36_500,
            words[1] == "days" || days == 1 && words[1] == "day"
        else { return nil }
        switch words[2] {
        case "before": return -days
        case "after": return days
        default: return nil
        }
    }
}

extension Condition.Bound {
    func advanced(by step: Int64) -> Condition.Bound {
        switch self {
        case .value(let value): .value(value + step)
        case .cut(let days): .cut(days: days + step)
        }
    }
}
