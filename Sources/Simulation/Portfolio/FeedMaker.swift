// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Draws payments that no agency brought about, as the institution's feed has them: what pays off a stopped account, the fund's instalment
/// of one that it protects, and of those in force one in two hundred, on a day of the first half of the month.
///
/// They fit the other files: who stops by a payoff pays the balance on that day, and who misses a payment or loses the job in the month
/// has none here.
struct FeedMaker {
    static let header = ["payment", "account", "delegation", "paid_on", "amount", "origin", "reverses"]
    /// Of ten thousand accounts in force that nothing happens to.
    private static let shown = 50

    let seed: UInt64
    let period: Period

    /// - Parameter stop: its stop of the month, by reason and first day.
    func write(
        _ draft: AccountDraft, stop: (reason: String, from: LocalDate)?, starts: Bool, to rows: inout RowWriter
    ) throws(SimulationFailure) -> Bool {
        switch stop?.reason {
        case "payoff": try write(draft, on: stop?.from, draft.balance, "borrower", to: &rows)
        case "fpp": try write(draft, on: stop?.from, draft.due, "fpp", to: &rows)
        case nil where !starts && !draft.isExcluded && draft.kind == .current:
            var random = SplitMix64(seed: seed, stream: UInt64(draft.account))
            guard random.chance(Self.shown) else { return false }
            try write(
                draft, on: period.firstDay.advanced(byDays: random.between(1...13)), draft.due,
                draft.regime == .roa ? "employer" : "borrower", to: &rows)
        default: return false
        }
        return true
    }

    private func write(
        _ draft: AccountDraft, on day: LocalDate?, _ centavos: Int, _ origin: String, to rows: inout RowWriter
    ) throws(SimulationFailure) {
        guard let day else { return }
        rows.field(text: "I\(draft.delegation)-\(draft.account)-\(day)")
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.field(date: day)
        // Nobody pays nothing.
        rows.field(cents: max(100, centavos))
        rows.field(text: origin)
        rows.field(text: "")
        try rows.endRow()
    }
}
