// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment
package import PgStore

/// Recalls in two steps: a notice with a date, an objection perhaps, a decision by a person, and the end at the date.
package enum Recalls {
    /// Leases of one transaction.
    static let pageMax = 2_000

    /// Notes the recall of these leases.
    ///
    /// - Returns: those that were still held; the others ended meanwhile.
    package static func notice(
        _ link: PgLink, _ leases: [LeaseKey], reason: String, finalAt: Timestamp, by: String
    ) throws -> [RecallRow] {
        var noticed: [RecallRow] = []
        var rest = leases[...]
        while !rest.isEmpty {
            let page = Array(rest.prefix(pageMax))
            rest = rest.dropFirst(pageMax)
            noticed += try link.transaction {
                let rows = try link.lockRecalled(page).filter { row in
                    row.notice.map { $0.state.state == .withdrawn } ?? true
                }
                guard !rows.isEmpty else { return rows }
                let now = try link.readNow()
                try link.insertNotices(rows, reason: reason, finalAt: finalAt, by: by, at: now)
                let period = Period.ofWork(at: now)
                try link.insertBlocks(
                    LedgerBlock.seal(
                        rows.map {
                            .notice($0.lease, reason: reason, finalAt: finalAt, by: by, period: period, at: now)
                        }))
                return rows
            }
        }
        return noticed
    }

    package enum Decision: String, Sendable { case upheld, withdrawn }

    /// Decides one recall. Upheld against its holder's objection, it is final at its date; withdrawn, the account stays with its
    /// holder.
    ///
    /// - Throws: ``CommandFailure`` (findings) where it is to be upheld and nobody objected: the holder may still do so.
    /// - Returns: the recall as it was; `nil` where none is under way for that lease.
    package static func decide(
        _ link: PgLink, _ lease: LeaseKey, _ decision: Decision, reason: String, by: String
    ) throws -> RecallRow? {
        try link.transaction {
            guard let row = try link.lockRecalled([lease]).first, let notice = row.notice else { return nil }
            switch notice.state.state {
            case .pending where decision == .upheld:
                throw CommandFailure(
                    .findings, "nobody objected to the recall of account \(lease.account) under epoch \(lease.epoch)",
                    remedy: "It becomes final by itself, at \(notice.state.finalAt); until then its holder may object.")
            case .pending, .objected: break
            case .upheld where decision == .withdrawn: break
            case .upheld, .withdrawn: return nil
            }
            let now = try link.readNow()
            try link.decideRecall(row, decision: decision.rawValue, reason: reason, by: by, at: now)
            try link.insertBlocks(
                LedgerBlock.seal([
                    .decision(
                        lease, decision: decision.rawValue, reason: reason, by: by, period: Period.ofWork(at: now),
                        at: now)
                ]))
            return row
        }
    }

    /// Withdraws recalls of one page, in one transaction; the accounts stay with their holders.
    ///
    /// - Parameter leases: ``pageMax`` at most.
    /// - Returns: of how many; recalls of others ended meanwhile.
    static func withdraw(_ link: PgLink, _ leases: [LeaseKey], reason: String, by: String) throws -> Int {
        guard !leases.isEmpty else { return 0 }
        return try link.transaction {
            let rows = try link.lockRecalled(leases).filter { row in
                row.notice.map { $0.state.state != .withdrawn } ?? false
            }
            let now = try link.readNow()
            for row in rows {
                try link.decideRecall(row, decision: Decision.withdrawn.rawValue, reason: reason, by: by, at: now)
            }
            try link.insertBlocks(
                LedgerBlock.seal(
                    rows.map {
                        .decision(
                            $0.lease, decision: Decision.withdrawn.rawValue, reason: reason, by: by,
                            period: Period.ofWork(at: now), at: now)
                    }))
            return rows.count
        }
    }

    /// Ends the leases whose recall is due, page by page; nothing while the server's clock is behind what was committed: the end would be
    /// before work that was taken already. First those in grants that nobody else keeps locked, so that one that
    /// somebody does holds no other recall up.
    ///
    /// - Returns: how many were ended.
    /// - Throws: ``PgError`` where one stays locked for too long; all the others are ended then.
    @discardableResult
    package static func finish(_ link: PgLink) throws -> Int {
        guard try link.readClockLag() == .zero else { return 0 }
        let (ended, areAll) = try finish(link, waits: false)
        try link.finishNotices(limit: Int32(pageMax))
        guard !areAll else { return ended }
        let late = try finish(link, waits: true).ended
        try link.finishNotices(limit: Int32(pageMax))
        return ended + late
    }

    private static func finish(_ link: PgLink, waits: Bool) throws -> (ended: Int, areAll: Bool) {
        var (total, areAll) = (0, true)
        var after: LeaseKey?
        while true {
            let page = try link.readDueRecalls(after: after, limit: Int32(pageMax)).map(\.lease)
            guard let last = page.last else { return (total, areAll) }
            let (ended, isWhole) = try link.transaction { try end(link, page, waits: waits) }
            total += ended
            areAll = areAll && isWhole
            after = last
        }
    }

    /// Judges again under the locks: an objection or a decision may have come in between.
    private static func end(_ link: PgLink, _ leases: [LeaseKey], waits: Bool) throws -> (ended: Int, isWhole: Bool) {
        let (rows, isWhole) = waits ? (try link.lockRecalled(leases), true) : try link.lockFreeRecalled(leases)
        let now = try link.readNow()
        let due = rows.filter { row in row.notice?.state.due.map { $0 <= now } ?? false }
        return (try end(link, due, at: now) { $0.notice?.reason ?? "recall" }, isWhole)
    }

    /// Takes these leases back now. The caller holds a transaction and the grants' locks.
    ///
    /// - Returns: how many were ended; another ending may have been first.
    static func end(
        _ link: PgLink, _ rows: [RecallRow], at now: Timestamp, reason: (RecallRow) -> String
    ) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        let ended = Set(try link.endRecalled(rows, reason: reason))
        let period = Period.ofWork(at: now)
        let endings = rows.filter { ended.contains($0.lease) }.map { row in
            EndingRow(
                lease: row.lease, kind: .recall, reason: reason(row), hand: row.hand, position: row.position,
                quota: row.quota, exposure: row.exposure)
        }
        try link.insertBlocks(LedgerBlock.seal(endings.map { .ending($0, period: period, at: now) }))
        return ended.count
    }
}
