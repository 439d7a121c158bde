// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A rule pack: rules of one institution that apply only where a policy or a contract names the pack.
struct PolicyPack: Sendable {
    let name: String
    /// Catalogue IDs that only a policy with this pack may come from: a family, or numbers of one.
    private let owned: [(family: String, numbers: ClosedRange<Int>)]

    /// The packs that the code knows; another name would promise what nothing does.
    static let all = [
        PolicyPack(
            name: "fna",
            owned: [
                ("SEG", 11...12), ("ASG", 5...6), ("ASG", 8...8), ("CAD", 1...99), ("HRS", 1...99), ("FEE", 1...10),
                ("SUS", 1...99), ("GEO", 2...2),
            ]),
        PolicyPack(
            name: "fonacot",
            owned: [
                ("SEG", 13...16), ("SOL", 6...6), ("FIN", 8...11), ("AGY", 8...8), ("AGY", 10...10), ("RES", 1...9),
            ]),
        PolicyPack(
            name: "infonavit-2023",
            owned: [("SEG", 1...9), ("STR", 1...99), ("SOL", 1...5), ("SOL", 7...99), ("PEN", 1...99), ("WP", 1...99)]),
    ]

    /// What `packs` of a policy and `rule_packs` of a contract may name: packs, and words that read one of them otherwise.
    static let words = all.map(\.name) + CadenceReading.Word.allCases.map(\.rawValue)

    /// The pack that a word reads otherwise; `nil` for packs themselves.
    static func pack(readBy word: String) -> String? { CadenceReading.Word(rawValue: word).map { _ in "fna" } }

    /// The pack that a catalogue ID belongs to; `nil` for those that are nobody's.
    static func owner(of origin: String) -> String? {
        let parts = origin.split(separator: "-")
        guard parts.count == 2, let number = Int(parts[1]) else { return nil }
        return all.first { pack in pack.owned.contains { $0.family == parts[0] && $0.numbers.contains(number) } }?.name
    }

    /// The families of the catalogue and their numbers, as docs/rules.md lists them; GAP has words in place of numbers.
    static let catalogue: KeyValuePairs<String, [ClosedRange<Int>]> = [
        "SEG": [1...17], "STR": [1...9], "SOL": [1...19, 40...47], "FIN": [1...20], "AGY": [1...18], "GEO": [1...3],
        "WP": [1...4], "ASG": [1...10], "GES": [1...8], "CAD": [1...16], "HRS": [1...4],
        "PEN": [1...9, 20...22, 30...30, 33...33], "FEE": [1...5, 10...12], "SUS": [1...3], "IND": [1...16],
        "IDT": [1...10], "RES": [1...10], "GOV": [1...6],
        "ORA": [1...6, 10...18, 20...25, 30...36, 40...51, 60...68, 70...70], "AMB": [1...23],
    ]
    static let families = catalogue.map(\.key) + ["GAP"]

    /// Whether a text is a catalogue ID: `SEG-04`, `GAP-term`.
    static func isOrigin(_ text: String) -> Bool {
        guard let hyphen = text.utf8.firstIndex(of: 0x2D) else { return false }
        let family = text[..<hyphen]
        let rest = text[hyphen...].utf8.dropFirst()
        if family == "GAP" { return !rest.isEmpty && rest.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D } }
        guard rest.count == 2, rest.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(String(rest) ?? "")
        else { return false }
        return numbers(of: family).contains { $0.contains(number) }
    }

    static func numbers(of family: some StringProtocol) -> [ClosedRange<Int>] {
        catalogue.first { $0.key == family }?.value ?? []
    }
}
