// SPDX-License-Identifier: Apache-2.0

/// Which rows of a cut are damaged, and how: every kind as often as asked, spread over the whole file.
///
/// What was planted is listed line by line, so that it can be compared with what an import found.
package struct MessPlan {
    package static let header = ["line", "kind", "column", "what"]
    /// A damaged row needs some good ones around it.
    package static let rowsPerDamage = 5

    private let times: Int
    private let stride: Int
    private var next = 0
    /// Kinds still to be planted, the first ones first; one that a row does not lend itself to waits for the next.
    private var waiting: [Damage]
    private var random: SplitMix64
    /// The line that is written next, the header being the first.
    private var line = 2
    package private(set) var counts: [Damage: Int] = [:]

    /// - Parameter times: how often each kind, 1...1,000.
    /// - Throws: ``SimulationFailure`` (usage) where the cut is too small for it.
    package init(times: Int, accounts: Int, seed: UInt64) throws(SimulationFailure) {
        guard (1...1_000).contains(times) else {
            throw SimulationFailure(.usage, "--mess is \(times)", remedy: "It takes 1 to 1000 times each kind")
        }
        let least = times * Damage.allCases.count * Self.rowsPerDamage
        guard accounts >= least else {
            throw SimulationFailure(
                .usage, "\(accounts) accounts are too few for \(times) times \(Damage.allCases.count) kinds of damage",
                remedy: "Take \(least) accounts, or a smaller --mess")
        }
        self.times = times
        self.stride = accounts / (times * Damage.allCases.count + 1)
        self.random = SplitMix64(seed: seed, 0x3E55)
        self.waiting = (0..<times).flatMap { _ in Damage.allCases }
        self.next = stride / 2
    }

    /// Writes the account's row, damaged if it is its turn.
    mutating func write(
        _ draft: AccountDraft, _ index: Int, to cut: inout CutWriter, planted: inout RowWriter
    ) throws(SimulationFailure) {
        guard index >= next, !waiting.isEmpty, draft.lastPaymentOn != nil else {
            line += 1
            return try cut.write(draft)
        }
        let row = cut.bytes(draft)
        for (place, damage) in waiting.enumerated() {
            guard let (rows, damaged) = damage.rows(of: row, &random) else { continue }
            for place in damaged {
                planted.field(line + place)
                planted.field(text: damage.rawValue)
                planted.field(text: damage.column)
                planted.field(text: damage.meaning)
                try planted.endRow()
            }
            for bytes in rows { try cut.write(raw: bytes + [0x0A]) }
            line += rows.count
            waiting.remove(at: place)
            counts[damage, default: 0] += 1
            next += stride
            return
        }
        line += 1
        try cut.write(draft)
    }

    /// What found no row that lends itself to it.
    package var unplanted: [Damage] { waiting }
}
