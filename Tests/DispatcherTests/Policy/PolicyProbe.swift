// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher

/// One version of a shipped policy, asked about single accounts.
struct PolicyProbe {
    let segmenter: Segmenter
    var policy: Policy { segmenter.policy }

    init(_ name: String, on text: String = "2024-03-01") throws {
        let policy = try PolicyFile(text: ShippedPolicy.text(name)).policy(on: LocalDate(text: text) ?? cutOfMarch)
        self.segmenter = Segmenter(try policy ?? { throw NotInForce() }(), cut: cutOfMarch)
    }
    private struct NotInForce: Error {}
    struct NotPlaced: Error {}

    func placement(_ row: AccountRow) throws -> Placement {
        guard case .placed(let placement) = segmenter.verdict(for: row) else { throw NotPlaced() }
        return placement
    }

    func strategy(_ row: AccountRow) -> Strategy? { (try? placement(row))?.strategy }

    func tactic(_ row: AccountRow) -> String? {
        (try? placement(row)).map { segmenter.tactics[Int($0.tactic)] }
    }

    func reason(_ row: AccountRow) -> String? {
        guard case .excluded(let index) = segmenter.verdict(for: row) else { return nil }
        return policy.exclusions[index].reason
    }

    /// The names of what the account may be offered.
    func offers(_ row: AccountRow) -> Set<String> {
        let offers = segmenter.offers(for: row)
        return Set(policy.relief.indices.filter { offers & 1 << UInt64($0) != 0 }.map { policy.relief[$0].name })
    }

    /// Whether every clause of a list is met.
    func meets(_ clauses: [Clause]?, _ row: AccountRow) -> Bool {
        clauses?.allSatisfy { $0.when.bound(to: cutOfMarch).holds(for: row) } ?? false
    }

    static let names = ["infonavit-2023", "fna-bands", "fonacot-pool"]
}

/// A row of any values that a cut can have, near the thresholds more often than far from them.
func randomRow(_ seed: UInt64) -> AccountRow {
    var random = SplitMix64(seed: seed)
    var row = AccountRow(cut: cutOfMarch)
    for field in AccountField.stored {
        switch field.kind {
        case .number: row[field] = Int64(random.below([2, 5, 14, 60][Int(random.below(4))]))
        case .money: row[field] = Int64(random.below(50_000_000))
        case .percent: row[field] = Int64(random.below(12_000))
        case .date: row[field] = random.below(3) == 0 ? cutPlus(Int64(random.below(1_200)) - 1_000) : nil
        case .flag: row[field] = Int64(random.below(2))
        case .code(let words): row[field] = Int64(random.below(UInt64(words.count))) + 1
        }
    }
    // Most accounts are active and without anything that excludes them.
    if random.below(4) > 0 {
        row[.situation] = 1
        for field in [AccountField.extensionUntil, .fppUntil, .disasterUntil, .lawsuitOn, .disputeOn, .exhaustedOn] {
            row[field] = nil
        }
    }
    row[.daysLate] = Int64(random.below(150))
    return row
}
