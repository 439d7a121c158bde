// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// Rows of leases that change after they were written, and evidence, against the ledger.
struct LateRowVerificationTests {
    /// Of contract 1's accounts the grant of the first two is extended, the third is recalled with an objection and a decision, the
    /// fourth recalled, withdrawn and recalled again; three reports, a return and an objection come too late, two of them are decided
    /// about.
    private func with(_ body: (PgLink) throws -> Void) async throws {
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let link = try month.database.link()
            try ProvenMonth.digestHands(link)
            try link.insertBlocks(LedgerBlock.seal((1...2).map { ProvenMonth.dealt(hand: $0) } + link.keyRecords()))
            let agent = try await month.connect(1)
            let extended = try await agent.lease(DealtMonth.lease(1, max: 2))
            let rest = try await agent.lease(DealtMonth.lease(2, max: 2)).leasedAccounts
            let grant = try #require(extended.leaseSummary?.grant)
            for (key, until) in [(3, "2024-04-06T06:00:00Z"), (4, "2024-04-10T06:00:00Z")] {
                let until = try #require(Timestamp(text: until))
                #expect(
                    try await agent.extend(
                        ExtendRequest(
                            key: Int64(key), delegation: DealtMonth.delegation, grant: grant, until: until)
                    ).isOK)
            }
            try month.notice(rest)
            #expect(try await agent.object(DealtMonth.object(5, rest[0])).isOK)
            try month.setClock("2024-03-05T15:00:00Z")
            for (account, decision) in [(rest[0], Recalls.Decision.upheld), (rest[1], .withdrawn)] {
                _ = try Recalls.decide(link, DealtMonth.key(account), decision, reason: "seen", by: "Ana Ruiz")
            }
            try month.setClock("2024-03-06T15:00:00Z")
            try month.notice([rest[1]], on: "2024-03-21T06:00:00Z")
            // Behind every term, the extended ones too, and behind the span in which late reports count by rule.
            try month.setClock("2024-04-14T06:00:01Z")
            var numbers: [Int64] = []
            for (key, account) in zip(6..., extended.leasedAccounts) {
                let late = try await agent.report(
                    DealtMonth.report(Int64(key), account, at: "2024-03-05T15:00:00Z", result: .dispute))
                #expect(late.fields["counts"] == "pending")
                numbers.append(try #require(late.fields.number("evidence")))
            }
            let account = extended.leasedAccounts[0]
            #expect(try await agent.giveBack(DealtMonth.giveBack(8, account)).fields["evidence"] != nil)
            #expect(try await agent.object(DealtMonth.object(9, account)).fields["evidence"] != nil)
            _ = try Adjudication.decide([numbers[0]], .accepted, reason: "line-down", by: "Ana Ruiz", link)
            _ = try Adjudication.decide([numbers[1]], .rejected, reason: "no", by: "Ana Ruiz", link)
            try body(link)
        }
    }

    private static let changes = [
        ("UPDATE evidence SET account_id = account_id + 1 WHERE verb = 'RETURN'", "evidence number="),
        ("UPDATE evidence SET code = 'UNKNOWN' WHERE verb = 'RETURN'", "evidence number="),
        (
            "UPDATE evidence SET content = replace(content, 'dispute', 'promise') WHERE verb = 'REPORT'",
            "evidence number="
        ),
        ("UPDATE evidence SET request_hash = sha256('x')", "evidence number="),
        ("UPDATE evidence SET received_at = received_at - interval '1 hour'", "evidence number="),
        ("DELETE FROM evidence WHERE verb = 'OBJECT'", "evidence number="),
        (
            "INSERT INTO evidence SELECT (jsonb_populate_record(NULL::evidence, to_jsonb(e) || '{\"evidence_id\": 777, \"key\": 77}')).* FROM evidence e WHERE verb = 'RETURN'",
            "evidence number=777 is stored otherwise"
        ),
        ("UPDATE evidence SET decision = 'accepted' WHERE decision = 'rejected'", "adjudication evidence="),
        ("UPDATE evidence SET decision_reason = 'other' WHERE decision = 'accepted'", "adjudication evidence="),
        ("UPDATE evidence SET decided_by = 'Luis' WHERE decision = 'accepted'", "adjudication evidence="),
        (
            "UPDATE evidence SET decision = NULL, decided_by = NULL, decision_reason = NULL, decided_at = NULL WHERE decision = 'rejected'",
            "was recorded, and nothing is stored that fits it"
        ),
        ("UPDATE notice SET reason = 'audit' WHERE objection IS NULL", "notice account="),
        ("UPDATE notice SET final_at = final_at + interval '1 day'", "notice account="),
        ("UPDATE notice SET noticed_by = 'Luis'", "notice account="),
        ("DELETE FROM notice WHERE objection IS NULL", "notice account="),
        ("UPDATE notice SET objection = 'other' WHERE objection IS NOT NULL", "objection account="),
        (
            "UPDATE notice SET held_until = held_until + interval '1 day' WHERE objection IS NOT NULL",
            "objection account="
        ),
        (
            "UPDATE notice SET objection = NULL, objected_at = NULL, held_until = NULL WHERE objection IS NOT NULL",
            "objection account="
        ),
        ("UPDATE notice SET decision = 'withdrawn' WHERE decision = 'upheld'", "decision account="),
        ("UPDATE notice SET decided_by = 'Luis' WHERE decision = 'upheld'", "decision account="),
        ("UPDATE notice SET decision_reason = 'other' WHERE decision = 'upheld'", "decision account="),
        (
            "UPDATE notice SET decision = 'withdrawn', decided_at = now_instant(), decided_by = 'x', decision_reason = 'y' WHERE decision IS NULL",
            "decision account="
        ),
        ("UPDATE lease_grant SET term = term + interval '1 day' WHERE first_position = 1", "extension grant="),
        ("UPDATE lease_grant SET term = granted_term WHERE first_position = 1", "extension grant="),
        ("UPDATE lease_grant SET term = term + interval '1 day' WHERE first_position = 3", "extension grant="),
    ]

    @Test(.timeLimit(.minutes(2)))
    func `evidence, recalls, what was decided about them, and terms that were extended are compared with the ledger`()
        async throws
    {
        try await with { link in
            let rows = try link.run(
                """
                SELECT (SELECT count(*) FROM evidence), (SELECT count(*) FROM evidence WHERE decision IS NOT NULL),
                    (SELECT count(*) FROM notice), (SELECT count(*) FROM notice WHERE decision IS NOT NULL),
                    (SELECT count(*) FROM lease_grant WHERE term <> granted_term)
                """)[0]
            #expect((0..<5).map { rows.int64($0) } == [4, 2, 2, 1, 1])
            func findings() throws -> [String] {
                try LedgerVerification(link).runInSnapshot(sample: nil, seed: 0).findings.map(\.found)
            }
            let whole = try findings()
            #expect(whole == [])
            for (change, finding) in Self.changes {
                try link.script("BEGIN; SET LOCAL session_replication_role = replica")
                try link.script(change)
                let found = try findings()
                #expect(
                    !found.isEmpty && found.allSatisfy { $0.contains(finding) || $0.contains("outcome") },
                    "\(change): \(found)")
                #expect(found.contains { $0.contains(finding) }, "\(change): \(found)")
                try link.script("ROLLBACK")
            }
            #expect(try findings() == [])
        }
    }

    /// Rows have an instant of their own where the clock is not a virtual one, read a moment before their record's.
    @Test(.timeLimit(.minutes(2)), arguments: [("2 milliseconds", true), ("1 second", false), ("-1 second", false)])
    func `a row's instant may be less than a second off its record's`(by: String, isTaken: Bool) async throws {
        try await with { link in
            try link.script(
                """
                SET session_replication_role = replica;
                UPDATE notice SET noticed_at = noticed_at + interval '\(by)', decided_at = decided_at + interval '\(by)';
                UPDATE evidence SET decided_at = decided_at + interval '\(by)';
                """)
            let found = try LedgerVerification(link).run().findings.map(\.found)

            #expect(found.isEmpty == isTaken, "\(found)")
            if !isTaken { #expect(found.count == 5) }
        }
    }

    /// The clock here runs so fast that no two statements have the same second.
    @Test(.timeLimit(.minutes(2)))
    func `rows of recalls have their record's instant, however long a page takes`() async throws {
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        pace.sweep = .seconds(3_600)
        try await DealtMonth.with(pace: pace) { month in
            let link = try month.database.link()
            try ProvenMonth.digestHands(link)
            try link.insertBlocks(LedgerBlock.seal((1...2).map { ProvenMonth.dealt(hand: $0) } + link.keyRecords()))
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1, max: 5)).leasedAccounts
            let keys = accounts.map(DealtMonth.key)
            // One is objected to before the time runs.
            try month.notice([accounts[0]])
            #expect(try await agent.object(DealtMonth.object(2, accounts[0])).isOK)
            let start = try link.run("SELECT clock_timestamp()::text")[0].text(0)
            try link.script(
                """
                CREATE OR REPLACE FUNCTION now_instant() RETURNS timestamptz LANGUAGE sql VOLATILE AS
                    $$ SELECT virtual_now + (clock_timestamp() - '\(start)') * 20000 FROM clock $$;
                """)
            let finalAt = try #require(Timestamp(text: "2024-04-30T06:00:00Z"))
            #expect(
                try Recalls.notice(link, Array(keys[1...]), reason: "over-limit", finalAt: finalAt, by: "Ana").count
                    == 4)
            let upheld = try Recalls.decide(link, keys[0], .upheld, reason: "seen", by: "Ana")
            #expect(upheld?.lease == keys[0])
            #expect(try Recalls.withdraw(link, Array(keys[1...]), reason: "error", by: "Ana") == 4)

            let instants = try link.run(
                """
                SELECT count(DISTINCT noticed_at), count(DISTINCT decided_at), count(decided_at),
                    count(*) FILTER (WHERE decision = 'withdrawn' AND finished_at = decided_at) FROM notice
                """)[0]
            #expect((0..<4).map { instants.int64($0) } == [2, 2, 5, 4])
            #expect(try LedgerVerification(link).run().findings == [])
        }
    }

    /// Of the account that was recalled, withdrawn and recalled again, whatever transaction was chained first.
    @Test(.timeLimit(.minutes(2)))
    func `what is latest by its instant stands, in whatever order it was chained`() async throws {
        try await with { link in
            let row = try link.run("SELECT account_id FROM notice WHERE objection IS NULL")[0]
            let (store, about) = (ProofStore(link), " account=\(row.int64(0)) ")
            var others: [[UInt8]] = []
            var recalls: [[UInt8]] = []
            for place in try store.places() where place.delegation == DealtMonth.delegation {
                try store.eachBlock(place.delegation, place.period) { block in
                    for record in LedgerBlock.unpack(block.records) {
                        let text = String(decoding: record, as: UTF8.self)
                        let isRecall =
                            (text.hasPrefix("notice ") || text.hasPrefix("decision ")) && text.contains(about)
                        if isRecall { recalls.append(record) } else { others.append(record) }
                    }
                }
            }
            try #require(recalls.count == 3)
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                var latest = LatestRecords()
                for record in others + order.map({ recalls[$0] }) { latest.take(record) }
                var report = LedgerVerification.Report()
                try latest.compare(DealtMonth.delegation, link, &report)
                #expect(report.findings == [], "\(order)")
            }
        }
    }
}
