// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A database that was restored, copied or moved gives out again: under a new incarnation, and nothing that may have been given out
/// in what was lost.
///
/// What waits in its hands was dealt before the backup; somebody may have leased it since, and hold it under the very epoch. So
/// the hands are withdrawn, and all that nobody holds is dealt again. What is held stays with its holder.
package struct Recovery {
    static let waits = "this database was restored, and nothing is granted or dealt before somebody says what was lost"
    static let remedy = "Look with 'dispatcherd recover --preview', then run 'dispatcherd recover'."
    static let reason = "recovery"
    package static let isMixed =
        "a dump was loaded into it beside what was there already, so parts of both are in it and parts of both are missing"
    static let mixed = CommandFailure(
        .environment, "this database is no backup of anything: \(isMixed)",
        remedy: "Restore the dump into an empty database, as docs/operations.md tells under Backup, restore, failover.")

    private let link: DatabaseLink
    private let nothingLost: Bool
    private let by: String

    /// - Parameter nothingLost: everything was stopped while the database was moved, or a standby took over that had it all.
    /// - Throws: ``CommandFailure`` of usage.
    package init(_ link: DatabaseLink, nothingLost: Bool, by: String) throws(CommandFailure) {
        self.link = link
        self.nothingLost = nothingLost
        self.by = try Words.token(by, "name")
    }

    /// The high half of the epochs that may be dealt now; held until the caller's transaction ends.
    ///
    /// - Throws: ``CommandFailure`` (environment) where the database was restored and not recovered.
    static func dealingIncarnation(_ link: PgLink) throws -> Int64 {
        let home = try link.lockHome()
        guard !home.awaitsRecovery else { throw CommandFailure(.environment, waits, remedy: remedy) }
        return Int64(home.incarnation)
    }

    /// What is known, and what would be done. Changes nothing but the note that the database was restored, where it was.
    package func preview() throws -> RecoveryReport {
        try link.checkHome()
        return RecoveryReport(try link.readHomeRecord(), nothingLost: nothingLost)
    }

    /// Stopped at any point, it is run again: until the hands are withdrawn the database gives nothing out.
    ///
    /// - Throws: ``CommandFailure``: environment where another command deals, or the database fails.
    package func run() throws -> RecoveryReport {
        do {
            var report = try preview()
            guard !report.isMixed else { throw Self.mixed }
            let (incarnation, delegations) = try link.transaction {
                let begun = try link.beginRecovery(nothingLost: nothingLost, by: by)
                try record(begun.incarnation, begun.delegations)
                return begun
            }
            report.incarnation = incarnation
            report.isDone = true
            guard !nothingLost else { return report }
            report.withdrawn = try delegations.reduce(0) { $0 + (try withdraw($1)) }
            try link.finishRecovery()
            report.dealt = try dealAgain()
            return report
        } catch let error as PgError {
            throw CommandFailure(error, work: "the hands", left: "what was not withdrawn yet is not given out either")
        }
    }

    private func record(_ incarnation: Int32, _ delegations: [Delegation]) throws {
        let now = try link.readNow()
        let month = Period.ofWork(at: now)
        try link.insertBlocks(
            LedgerBlock.seal(
                delegations.map { delegation in
                    LedgerRecord(
                        delegation: delegation, period: month,
                        "recovery delegation=\(delegation) incarnation=\(incarnation)"
                            + " lost=\(nothingLost ? "nothing" : "unknown") by=\(by) at=\(now)")
                }))
    }

    /// - Returns: accounts that waited in the delegation's hands.
    private func withdraw(_ delegation: Delegation) throws -> Int64 {
        try link.transaction {
            let hands = try link.withdrawHands(WithdrawalScope(delegation: delegation), reason: Self.reason)
            let now = try link.readNow()
            let month = Period.ofWork(at: now)
            try link.insertBlocks(
                LedgerBlock.seal(hands.map { .withdrawal($0, reason: Self.reason, period: month, at: now) }))
            return hands.reduce(0) { $0 + $1.accounts }
        }
    }

    /// - Returns: accounts that were dealt; `nil` where no month is dealt, so that there is nothing to deal again.
    private func dealAgain() throws -> Int64? {
        guard try RedealStore(link).dealtPeriod() != nil else { return nil }
        return try RedealRun(link, scope: RedealScope(.everything), reason: Self.reason, by: by).run().accounts
    }
}

/// A recovery, for people and programs.
package struct RecoveryReport: Encodable, Sendable {
    /// When the restore was noticed; `nil`: nothing shows that there was one.
    package let restoredAt: String?
    /// The latest instant that the database knows of a node.
    package let knownUntil: String?
    package let openHands: Int64
    package let waiting: Int64
    package let nothingLost: Bool
    /// A dump was loaded beside what was there: nothing can recover it.
    package let isMixed: Bool
    package fileprivate(set) var isDone = false
    package fileprivate(set) var incarnation: Int32
    package fileprivate(set) var withdrawn: Int64 = 0
    package fileprivate(set) var dealt: Int64?

    init(_ record: HomeRecord, nothingLost: Bool) {
        restoredAt = record.home.restoredAt?.description
        knownUntil = record.latestBeat?.description
        openHands = record.openHands
        waiting = record.waiting
        incarnation = record.home.incarnation
        self.nothingLost = nothingLost
        isMixed = record.home.isMixed
    }

    package var summary: [String] {
        var lines = [
            restoredAt.map { "the restore was noticed at \($0)" } ?? "nothing shows that this database was restored",
            knownUntil.map { "it knows of nodes until \($0): what was answered later may be lost" }
                ?? "no node ever served it",
        ]
        guard !isMixed else { return lines + [Recovery.isMixed, "nothing was changed"] }
        let hands = "\(Console.grouped(Int(waiting))) accounts wait in \(Console.grouped(Int(openHands))) hands"
        switch (isDone, nothingLost) {
        case (false, false): lines += ["\(hands) and would be withdrawn and dealt again", "nothing was changed"]
        case (false, true): lines += ["\(hands) and would stay there", "nothing was changed"]
        case (true, true): lines += ["\(hands) and stay there", "incarnation \(incarnation) is in force"]
        case (true, false):
            lines.append("\(Console.grouped(Int(withdrawn))) accounts that waited were withdrawn")
            lines.append(
                dealt.map { "\(Console.grouped(Int($0))) accounts were dealt again" }
                    ?? "no month is dealt, so nothing was dealt again")
            lines.append("incarnation \(incarnation) is in force")
        }
        return lines
    }

    package func text(asJSON: Bool) throws -> String {
        asJSON ? try JSONText.of(self) : summary.joined(separator: "\n")
    }
}
