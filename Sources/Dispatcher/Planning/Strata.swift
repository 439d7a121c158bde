// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// In which stratum an account is, by the traits that the settings name.
struct Strata {
    /// Upper ends of the classes, inclusive; above the last comes one class more. Months of arrears, centavos, hundredths
    /// of a percent.
    private static let arrears: [Int16] = [0, 1, 2, 3, 4, 6, 9, 12]
    private static let balances: [Int64] = [10_000_000, 25_000_000, 50_000_000, 100_000_000]
    private static let probabilities: [Int32] = [2_000, 4_000, 6_000, 8_000]

    /// A tactic's place, from 1, is its part of the stratum.
    private let tactics: [ShortText]
    private let traits: Set<PlanSettings.Trait>

    /// - Parameter tactics: every tactic of the policy.
    init(tactics: [String], traits: Set<PlanSettings.Trait>) {
        self.tactics = tactics.map { ShortText($0) }
        self.traits = traits
    }

    func key(_ row: DealableRow) -> StratumKey {
        // A dozen at most, most of which differ in their first letters.
        let tactic = (tactics.firstIndex(of: row.tactic) ?? tactics.count) + 1
        if traits.isEmpty { return StratumKey(tactic: tactic) }
        return StratumKey(
            tactic: tactic, band: traits.contains(.band) ? Self.place(row.arrears, Self.arrears) : 0,
            balance: traits.contains(.balance) ? Self.place(row.balance, Self.balances) : 0,
            probability: traits.contains(.probability) ? Self.place(row.probability, Self.probabilities) : 0,
            employment: traits.contains(.employment) ? Int(row.regime) : 0)
    }

    /// The class of a value, from 1.
    private static func place<Value: Comparable>(_ value: Value, _ ends: [Value]) -> Int {
        (ends.firstIndex { value <= $0 } ?? ends.count) + 1
    }
}
