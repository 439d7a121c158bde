// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// A month that was lived over the wire, reviewed, paid for, closed and signed: with a ledger behind every row.
struct ProvenMonth {
    static let period = ClosingFixture.period
    let link: PgLink
    let folder: String
    let receipts: [[UInt8]]
    let root: PeriodRootRow

    /// - Parameters:
    ///   - signs: whether the month's root is signed.
    ///   - stages: whether an agency objected to its pre-statement, and persons waived and rejected something.
    ///   - demand: whether an outcome failed an automatic check.
    ///   - contests: whether the agreement was rejected first, and approved after a contest.
    static func with(
        signs: Bool = true, stages: Bool = false, demand: Bool = false, contests: Bool = false,
        _ body: (ProvenMonth) throws -> Void
    ) async throws {
        let folder = "/tmp/proven-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The node would go on folding what was given back into the counters, while a test changes and restores tables.
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        try await DealtMonth.with(.init(agencies: 2, handSize: 20), pace: pace) { month in
            let link = try month.database.link()
            try prepare(link)
            let receipts = try await work(month)
            try month.setClock("2024-03-31T23:00:00Z")
            try load(
                .payments,
                "payment,account,delegation,paid_on,amount,origin,reverses\n"
                    + "P-1,1001,9,2024-03-05,12.50,borrower,\nP-2,2001,9,2024-03-06,7.00,fpp,\n", folder, link)
            let number = try link.run("SELECT outcome_id FROM outcome WHERE result = 'agreement-signed'")[0].int64(0)
            if contests { try contest(number, link) }
            _ = try ReviewDecisions(.approved, outcomes: [number], reason: "evidence is complete", reviewer: "Ana Ruiz")
                .run(on: link)
            // After the month and before the leases end, so that no sweep of the node comes in between.
            try month.setClock("2024-04-02T06:00:00Z")
            if demand {
                try link.script(
                    """
                    INSERT INTO review_demand (period, delegation_id, outcome_id, cause, found_at)
                    SELECT period, delegation_id, outcome_id, 'repeated', '2024-03-31' FROM outcome WHERE account_id = 1001;
                    INSERT INTO review_demand (period, delegation_id, outcome_id, cause, found_at)
                    SELECT period, delegation_id, outcome_id, 'sample', '2024-03-31' FROM outcome WHERE account_id = 1002;
                    """)
            }
            if stages { try stage(link) }
            _ = try MonthClosing(link, period: period).close()
            let signing = RootSigning(link)
            _ = try signing.makeKey(at: folder + "/first.key", former: nil, isLost: false)
            let root =
                signs
                ? try signing.sign(period, with: SigningKey(file: folder + "/first.key"))
                : PeriodRootRow(period: period, leaves: [], root: [], message: "", key: "", signature: [])
            // The record of the signature is in its chain, whatever of the node's ran while it was written.
            while try ProofStore(link).unchained(period.advanced(byMonths: 1)) > 0 { try Sequencer.run(link) }
            try body(ProvenMonth(link: link, folder: folder, receipts: receipts, root: root))
        }
    }

    private static func prepare(_ link: PgLink) throws {
        try link.script(
            """
            INSERT INTO schedule VALUES
                ('f', 'fee', '2024-01-01', 'FEE-11', 'administrative.phone', '10'),
                ('f', 'fee', '2024-01-01', 'FEE-11', 'administrative.agreement', '300'),
                ('p', 'penalty', '2024-01-01', 'IVA', 'rate', '16');
            """)
        try digestHands(link)
        try link.insertBlocks(LedgerBlock.seal((1...2).map { dealt(hand: $0) } + link.keyRecords()))
    }

    /// The record of a hand of ``DealtMonth`` with twenty accounts, as the plan would have written it.
    static func dealt(hand: Int64) -> LedgerRecord {
        var digest = HandDigest()
        for position in 1...20 as ClosedRange<Int64> { digest.add(hand * 1_000 + position, 1) }
        return LedgerRecord(
            delegation: DealtMonth.delegation, period: period,
            "deal plan=1 delegation=9 hand=\(hand) contract=\(hand) strategy=administrative portfolio=telephone accounts=20 "
                + "leases=\(LedgerTree.hex(digest.finalize()))")
    }

    /// Gives hands 1 and 2 the digest that ``dealt(hand:)`` records of them.
    static func digestHands(_ link: PgLink) throws {
        for hand in 1...2 as ClosedRange<Int64> {
            let fields = LedgerFields(String(decoding: dealt(hand: hand).bytes, as: UTF8.self))
            let digest = LedgerTree.bytes(hex: fields?["leases"] ?? "") ?? []
            try link.run("UPDATE hand SET digest = $2 WHERE hand_id = $1", [.int32(Int32(hand)), .bytes(digest)])
        }
    }

    /// An objection that is upheld, for a part, and one that is rejected; an adjustment of each decision.
    private static func stage(_ link: PgLink) throws {
        try link.script(ClosingFixture.checked)
        let stages = StageCommands(link, needsTwo: true)
        _ = try stages.issue(period, by: "Ana Ruiz")
        let upheld = try stages.object(
            period, contract: 1, delegation: 9, rule: "FEE-11", reason: "one more", by: "ACE01")
        let rejected = try stages.object(
            period, contract: 2, delegation: 9, rule: "FEE-11", reason: "all of it", by: "ACE02")
        let credit = try #require(
            try stages.decide(objection: upheld, isUpheld: true, amount: Cents(10_00), reason: "yes", by: "Ana Ruiz"))
        _ = try stages.decide(objection: rejected, isUpheld: false, reason: "no", by: "Ana Ruiz")
        try stages.decide(adjustment: credit, isApproved: true, reason: "seen", by: "Luis Soto")
        // Of penalties that the month does not have: a waiver that is rejected, and one that is withdrawn.
        let adjustments = try [3, 5].map { amount in
            try StageStore(link).propose(
                Adjustment(number: 0, kind: .waiver, rule: "PEN-03", amount: Cents(amount), about: period, reason: "r"),
                in: period, contract: 1, delegation: 9, objection: nil, by: "Ana Ruiz")
        }
        try stages.decide(adjustment: adjustments[0], isApproved: false, reason: "nothing there", by: "Luis Soto")
        try stages.decide(adjustment: adjustments[1], isApproved: true, reason: "seen", by: "Luis Soto")
        let withdrawal = try stages.withdraw(adjustment: adjustments[1], reason: "nothing there", by: "Ana Ruiz")
        try stages.decide(adjustment: withdrawal, isApproved: true, reason: "seen", by: "Luis Soto")
    }

    private static func contest(_ outcome: Int64, _ link: PgLink) throws {
        _ = try ReviewDecisions(.rejected, outcomes: [outcome], reason: "no photo", reviewer: "Ana Ruiz").run(on: link)
        try link.script("UPDATE clock SET virtual_now = virtual_now + interval '1 minute'")
        try ReviewContest(outcome: outcome, reason: "the photo is there", by: "ACE01", days: 5).run(on: link)
        try link.script("UPDATE clock SET virtual_now = virtual_now + interval '1 minute'")
    }

    private static func work(_ month: DealtMonth) async throws -> [[UInt8]] {
        var receipts: [[UInt8]] = []
        for agency in 1...2 {
            let agent = try await month.connect(agency)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            for (index, account) in accounts.prefix(3).enumerated() {
                let isAgreement = agency == 1 && index == 2
                let report = ReportRequest(
                    key: Int64(index) + 2, delegation: DealtMonth.delegation, account: account.account,
                    epoch: account.epoch, at: try #require(Timestamp(text: "2024-03-04T15:00:00Z")), channel: .phoneOut,
                    contact: .direct, result: isAgreement ? .agreementSigned : .noAnswer,
                    solution: isAgreement ? Token("private-agreement") : nil)
                receipts.append(
                    try #require(try await agent.report(report).fields["receipt"].flatMap { LedgerTree.bytes(hex: $0) })
                )
            }
            _ = try await agent.giveBack(DealtMonth.giveBack(9, accounts[4]))
            try await agent.bye()
        }
        return receipts
    }

    private static func load(_ kind: ImportKind, _ text: String, _ folder: String, _ link: PgLink) throws {
        let path = "\(folder)/\(kind.rawValue).csv"
        try Data(text.utf8).write(to: URL(filePath: path))
        _ = try ImportRun(kind, path: path, period: period).run(on: link)
    }

    func verify() throws -> LedgerVerification.Report { try LedgerVerification(link).run() }
}

extension PgLink {
    /// The records of keys that a fixture put into the table, as `agency key add` would have written them.
    func keyRecords() throws -> [LedgerRecord] {
        let now = try readNow()
        let delegations = try AgencyKeyStore(self).delegations(of: nil)
        return try AgencyKeyStore(self).list(nil).flatMap { key in
            delegations[key.agency, default: []].map {
                LedgerRecord.key(
                    key.agency, key.name, "add", in: $0, publicKey: key.publicKey, until: key.expiresAt, by: "Ana",
                    period: Period.ofWork(at: now), at: now)
            }
        }
    }

    func recordKeys() throws { try insertBlocks(LedgerBlock.seal(try keyRecords())) }
}
