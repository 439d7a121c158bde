// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What waits for contracts that have ended waits for nobody: it is taken back, to be dealt with the rest.
enum EndedContracts {
    /// Of the withdrawn hands, in the ledger.
    static let reason = "contract-ended"
    /// Hands of one transaction.
    private static let handsMax: Int32 = 200

    /// - Locks: those hands, ascending, page by page.
    static func withdraw(_ link: PgLink, _ scope: RedealScope) throws {
        while true {
            let hands = try link.readEndedHands(limit: handsMax)
            let mine = hands.filter { scope.contains($0.pool) }
            guard !mine.isEmpty else { return }
            try link.transaction {
                let withdrawn = try link.withdrawHands(WithdrawalScope(hands: mine.map(\.key)), reason: reason)
                let now = try link.readNow()
                let period = Period.ofWork(at: now)
                try link.insertBlocks(
                    LedgerBlock.seal(withdrawn.map { .withdrawal($0, reason: reason, period: period, at: now) }))
            }
            // Of a page with hands outside of the scope the next one would be the same.
            if hands.count < Int(handsMax) || mine.count < hands.count { return }
        }
    }
}
