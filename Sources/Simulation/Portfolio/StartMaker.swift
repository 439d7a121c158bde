// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Draws what begins to be collected within the first half of the month (ASG-01): jobs lost, instalments missed, extensions that end
/// early, and credits that the cut does not have.
///
/// None of them has a stop in the same file set: stops are of accounts that the cut has collected, starts of the others. All lie
/// between the 4th and the 14th, so that the file can be taken in on the evening of the 15th.
struct StartMaker {
    static let header = ["account", "delegation", "reason", "on_date", "ended"] + CutWriter.header.dropFirst(2)
    /// New credits beside the cut: one for as many accounts.
    private static let accountsPerNew = 500

    let seed: UInt64
    let period: Period

    /// Of every thousand accounts in force some four lose their job or miss an instalment; of those in extension one in fifty finds
    /// work (SOL-01).
    func write(_ draft: AccountDraft, to rows: inout RowWriter) throws(SimulationFailure) -> Bool {
        var random = SplitMix64(seed: seed, stream: UInt64(draft.account))
        let on = period.firstDay.advanced(byDays: random.between(3...13))
        if !draft.isExcluded, draft.kind == .current {
            switch random.below(10_000) {
            case ..<15: try change(draft, "job-loss", on, ended: "", ["regime": "REA"], to: &rows)
            case ..<40: try change(draft, "missed-payment", on, ended: "", missed(draft, on), to: &rows)
            default: return false
            }
            return true
        }
        guard draft.extensionUntil != nil, draft.situation == .active, draft.fppUntil == nil,
            draft.disasterUntil == nil,
            draft.disputeOn == nil, draft.lawsuitOn == nil, random.chance(200)
        else { return false }
        try change(draft, "exclusion-ended", on, ended: "extension", [:], to: &rows)
        return true
    }

    /// The accounts behind the cut's own, whole, as far as there is something to collect of them.
    ///
    /// - Parameter month: 0 for the first; each has accounts of its own.
    /// - Returns: how many.
    func writeNew(
        _ maker: AccountMaker, accounts: Int, month: Int = 0, to rows: inout RowWriter
    ) throws(SimulationFailure) -> Int {
        var count = 0
        let new = accounts / Self.accountsPerNew
        for index in accounts + month * new..<accounts + (month + 1) * new {
            let draft = maker.account(index)
            guard draft.isCollected, draft.judicialOn == nil else { continue }
            var random = SplitMix64(seed: seed, stream: UInt64(draft.account))
            head(draft, "new-account", period.firstDay.advanced(byDays: random.between(3...13)), ended: "", &rows)
            rows.cutFields(draft, Int(period.number))
            try rows.endRow()
            count += 1
        }
        return count
    }

    private func missed(_ draft: AccountDraft, _ on: LocalDate) -> [String: String] {
        [
            "overdue": "\(draft.due / 100).\(draft.due % 100 < 10 ? "0" : "")\(draft.due % 100)", "unpaid": "1",
            "arrears": "1", "days_late": "1",
        ]
    }

    private func head(
        _ draft: AccountDraft, _ reason: String, _ on: LocalDate, ended: String, _ rows: inout RowWriter
    ) {
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.field(text: reason)
        rows.field(date: on)
        rows.field(text: ended)
    }

    private func change(
        _ draft: AccountDraft, _ reason: String, _ on: LocalDate, ended: String, _ values: [String: String],
        to rows: inout RowWriter
    ) throws(SimulationFailure) {
        head(draft, reason, on, ended: ended, &rows)
        for column in CutWriter.header.dropFirst(2) { rows.field(text: values[column] ?? "") }
        try rows.endRow()
    }
}
