// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

struct PolicyFileTests {
    @Test func `the shipped policy is read whole`() throws {
        let policy = try ShippedPolicy.infonavit().policy

        #expect(policy.name == "infonavit-2023")
        #expect(policy.effectiveOn == LocalDate(text: "2023-12-01"))
        #expect(policy.exclusions.map(\.reason).prefix(3) == ["lawsuit", "liquidated", "insured"])
        #expect(policy.strategies.map(\.strategy) == [.dual, .administrative, .preventive])
        #expect(policy.invitation?.sessions.accountsPerSession == 950)
        #expect(policy.holding(.mediation)?.ceilingDays == 60)
        #expect(policy.holding(.preventive)?.termDays == 20)
    }

    @Test(arguments: ["lawsuit", "liquidated", "insured"])
    func `what a policy forgets to exclude is excluded all the same`(reason: String) throws {
        let shipped = try ShippedPolicy.text("infonavit-2023")
        let start = try #require(shipped.firstRange(of: "  - reason: \(reason)\n")).lowerBound
        let rest = shipped[start...].dropFirst()
        let end = try #require(rest.firstRange(of: "  - reason: ")).lowerBound
        let policy = try PolicyFile(text: String(shipped[..<start] + shipped[end...])).policy
        let segmenter = Segmenter(policy, cut: cutOfMarch)
        var row = AccountRow(cut: cutOfMarch)
        row[.arrears] = 6
        switch reason {
        case "lawsuit": row[.lawsuitOn] = Int64(cutOfMarch.daysSince1970)
        case "liquidated": row[.situation] = 2
        default: row[.situation] = 3
        }

        #expect(policy.exclusions.last?.reason == reason)
        #expect(segmenter.verdict(for: row) == .excluded(policy.exclusions.count - 1))
    }

    @Test(arguments: ["1 day", "1 days", "2 days"]) func `one day is a day`(words: String) throws {
        let text = try ShippedPolicy.text("infonavit-2023").replacing("term: 20 days", with: "term: \(words)")
            .replacing("within: 60 days before cut", with: "within: \(words) before cut")

        #expect(try PolicyFile(text: text).policy.holding(.preventive)?.termDays.description == String(words.prefix(1)))
        #expect(throws: PolicyFaults.self) {
            try PolicyFile(text: text.replacing("within: \(words) before", with: "within: 2 day before"))
        }
    }

    @Test func `no more is read of a file than a policy may have`() throws {
        let failure = #expect(throws: CommandFailure.self) { try PolicyFile(path: "/dev/zero") }
        let folder = #expect(throws: CommandFailure.self) { try PolicyFile(path: "/") }

        #expect(failure?.description.contains("has more than 1048576 bytes") == true)
        #expect(folder?.description.contains("cannot be read: Is a directory") == true)
    }

    @Test func `the same bytes have the same digest, other bytes another`() throws {
        let text = try ShippedPolicy.text("infonavit-2023")

        #expect(try PolicyFile(text: text).digest == PolicyFile(text: text).digest)
        #expect(try PolicyFile(text: text + "\n").digest != PolicyFile(text: text).digest)
    }

    /// What is replaced in the shipped policy, and what the first fault must say.
    @Test(arguments: [
        ("{arrears: {above: 3}}", "{arears: {above: 3}}", "found 'arears'; expected 'arrears'"),
        ("{arrears: {above: 3}}", "{arrears: {abov: 3}}", "found 'abov'; expected 'above'"),
        ("{arrears: {above: 3}}", "{arrears: {above: three}}", "found 'three'; expected a whole number, as in '4'"),
        ("{arrears: {above: 3}}", "{arrears: {above: 3.5}}", "found '3.5'; expected a whole number"),
        ("{arrears: {above: 3}}", "{arrears: {above: 99999999999999999999}}", "expected a whole number"),
        ("{arrears: {above: 3}}", "{arrears: {above: 3, at_least: 5}}", "found 2 tests; expected one lower end"),
        ("{arrears: {above: 3}}", "{arrears: {}}", "found 0 tests"),
        ("{arrears: {above: 3}}", "{arrears: {above: 3}, unpaid: 1}", "found 2 names side by side; expected"),
        ("{arrears: {above: 3}}", "{all: []}", "found an empty list; expected at least one condition"),
        ("arrears: {between: [1, 3]}", "arrears: {between: [3, 1]}", "found a range that ends before it starts"),
        ("arrears: {between: [1, 3]}", "arrears: {between: [3]}", "found 1 values; expected two"),
        (
            "{at_least: 70 %}", "{at_least: 70}",
            "found '70'; expected a percent from 0 to 100 with its sign, as in '70 %'"
        ),
        ("{at_least: 70 %}", "{at_least: 101 %}", "expected a percent"),
        (
            "{situation: liquidated}", "{situation: liquidate}",
            "expected 'liquidated'"
        ),
        ("{situation: liquidated}", "{situation: {above: 1}}", "found a mapping; expected one of active"),
        ("{signed: yes}", "{signed: maybe}", "found 'maybe'; expected yes or no"),
        ("within: 60 days before cut}  #", "within: 60 before cut}  #", "expected a span up to the cut"),
        ("{before: 2022-07-01}", "{before: 2022-02-30}", "found '2022-02-30'; expected a day"),
        ("packs: [infonavit-2023]", "packs: [infonavit-2024]", "expected 'infonavit-2023'"),
        ("reason: insured", "reason: liquidated", "found 'liquidated' twice"),
        ("strategy: preventive", "strategy: mediation", "mediation has a part of its own"),
        ("strategy: preventive", "strategy: dual", "found 'dual' twice"),
        ("agreements-50, rest]\n    urgent", "agreements-50, rst]\n    urgent", "found 'rst'; expected 'rest'"),
        (
            "agreements-50, rest]\n    urgent", "agreements-50]\n    urgent",
            "found a last tactic, 'agreements-50', with a condition"
        ),
        (
            "- home-visit: always", "- home-visit: {has_phone: no}",
            "expected a list whose last portfolio has the condition 'always'"
        ),
        (
            "portfolio: telephone\n    term: 20 days", "portfolio: phone\n    term: 20 days",
            "found 'phone'; expected one of telephone"
        ),
        ("term: 20 days", "term: 20", "expected a number from 1 to 365 and its unit, as in '1 day'"),
        ("term: 20 days", "term: 50 days", "found a ceiling of 40 days below the term of 50"),
        ("priority: 4", "priority: 0", "expected a whole number from 1 to 99"),
        ("origin: [STR-05]", "origin: [STR5]", "found 'STR5'; expected a catalogue ID"),
        ("origin: [STR-05]", "origin: []", "found no origin"),
        ("    effective: 2023-12-01\n", "", "found no 'effective'"),
        ("version: 2023-12\n", "version: [1]\n", "found a list; expected a name"),
        ("version: 2023-12\n", "version: 1\n    version: 2\n", "'version' twice in one mapping"),
        ("one_per: 950 accounts", "one_per: 0 accounts", "expected a number from 1 to"),
        ("one_per: 950 accounts", "fixed: {33: 1}", "found '33'; expected"),
        ("invites: dual", "invites: administrativ", "expected 'administrative'"),
        (
            "packs: [infonavit-2023]", "packs: [infonavit-2023",
            "expected ',' or the ']' of the '[' in line 22, column 8"
        ),
    ])
    func `a fault names its place, what was found and what would be right`(
        right: String, wrong: String, message: String
    ) throws {
        let text = try ShippedPolicy.text("infonavit-2023")
        try #require(text.contains(right))
        let broken = text.replacing(right, with: wrong, maxReplacements: 1)

        let faults = #expect(throws: PolicyFaults.self) { try PolicyFile(text: broken) }
        let lines = faults?.list.map(\.description) ?? []
        #expect(lines.contains { $0.contains(message) }, "\(lines)")
        #expect(lines.allSatisfy { $0.hasPrefix("line ") })
    }

    @Test(arguments: [
        "", "\u{0}", "[", "- a\n- b", "42", "policy: x", "&a [*a]", "a: &a [1]\nb: *a", "\u{FEFF}", "%YAML 9.9\n---\n",
    ])
    func `a text that is no policy is refused`(text: String) {
        #expect(throws: PolicyFaults.self) { try PolicyFile(text: text) }
    }

    @Test func `anchors that unfold without end are refused`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...7 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }

        #expect(throws: PolicyFaults.self) { try PolicyFile(text: text) }
    }

    @Test func `conditions nested too deep are refused`() throws {
        let deep = String(repeating: "{not: ", count: 400) + "always" + String(repeating: "}", count: 400)
        let text = try ShippedPolicy.text("infonavit-2023").replacing("{arrears: {above: 3}}", with: deep)

        let faults = #expect(throws: PolicyFaults.self) { try PolicyFile(text: text) }
        #expect(faults?.list.contains { $0.description.contains("32 levels at most") } == true)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `parsing never traps on damaged bytes`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var bytes = Array(try ShippedPolicy.text("infonavit-2023").utf8)
        for _ in 0..<(1 + random.below(6)) {
            let place = Int(random.below(UInt64(bytes.count)))
            switch random.below(3) {
            case 0: bytes[place] = UInt8(random.below(256))
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.below(40))))
            default: bytes.insert(contentsOf: Array("{}[]:-&*!|>%@\n ".utf8.shuffled(by: &random)), at: place)
            }
        }

        _ = try? PolicyFile(text: String(decoding: bytes, as: UTF8.self))
    }
}

extension Sequence<UInt8> {
    fileprivate func shuffled(by random: inout SplitMix64) -> [UInt8] {
        var all = Array(self)
        random.shuffle(&all)
        return Array(all.prefix(3))
    }
}
