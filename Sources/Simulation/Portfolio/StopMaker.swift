// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Draws what happens to collected accounts in the first half of the month and takes them out of collection (ASG-10).
///
/// All stops begin on or before the 15th, so that the file can be taken in on the evening of that day.
struct StopMaker {
    static let header = ["account", "delegation", "reason", "from_on", "until_on"]
    static let lastDay = 15
    private static let reasons = ["lawsuit", "death", "payoff", "fpp", "extension", "dispute", "disaster"]
    private static let weights = [25, 10, 22, 15, 20, 6, 2]

    let seed: UInt64
    let period: Period

    /// A stop for about one collected account in 150.
    ///
    /// - Returns: its reason and first day.
    func write(
        _ draft: AccountDraft, to rows: inout RowWriter
    ) throws(SimulationFailure) -> (reason: String, from: LocalDate)? {
        var random = SplitMix64(seed: seed, stream: UInt64(draft.account))
        guard random.chance(67) else { return nil }
        let reason = Self.reasons[random.index(weights: Self.weights)]
        let from = period.firstDay.advanced(byDays: random.between(5...Self.lastDay - 1))
        let lasts = ["fpp", "extension", "dispute", "disaster"].contains(reason)
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.field(text: reason)
        rows.field(date: from)
        rows.field(date: lasts ? from.advanced(byDays: random.between(60...180)) : nil)
        try rows.endRow()
        return (reason, from)
    }
}
