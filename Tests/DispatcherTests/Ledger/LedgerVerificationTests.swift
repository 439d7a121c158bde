// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

struct LedgerVerificationTests {
    /// What somebody with the database's password might change, and what gives it away.
    private static let tampering = [
        ("UPDATE outcome SET result = 'promise' WHERE account_id = 1001", "outcome number="),
        ("DELETE FROM outcome WHERE account_id = 2002", "was recorded, and nothing is stored"),
        // What of a report is in no field of its record is in the hash of its content.
        ("UPDATE outcome SET extra = NULL WHERE result = 'agreement-signed'", "outcome number="),
        (#"UPDATE outcome SET extra = '{"solution":"other"}' WHERE result = 'agreement-signed'"#, "outcome number="),
        (#"UPDATE outcome SET extra = extra || '{"branch":"b"}' WHERE result = 'agreement-signed'"#, "outcome number="),
        (#"UPDATE outcome SET extra = '{"evidence":"no such reference"}' WHERE account_id = 1001"#, "outcome number="),
        (#"UPDATE outcome SET extra = '{"other":"x"}' WHERE account_id = 1001"#, "outcome number="),
        ("UPDATE review SET decision = 'rejected'", "review outcome="),
        ("UPDATE payment SET amount = amount + 1 WHERE payment_id = 'P-1'", "payment id=P-1 is stored otherwise"),
        ("UPDATE lease_grant SET accounts = accounts + 1 WHERE hand_id = 1", "grant id="),
        ("UPDATE ending SET reason = 'capacity' WHERE account_id = 1005", "ending delegation=9 account=1005 epoch=1"),
        (
            "UPDATE quota SET released_accounts = released_accounts + 1 WHERE contract_id = 2",
            "the quota has 2 released, the ledger 1"
        ),
        (
            "UPDATE block SET records = set_byte(records, 12, 65) WHERE block_id = (SELECT min(block_id) FROM block)",
            "is not that of its records"
        ),
        ("UPDATE chain SET head = set_byte(head, 0, get_byte(head, 0) # 1) WHERE height = 2", "does not follow"),
        ("DELETE FROM chain WHERE height = (SELECT max(height) FROM chain)", "were signed"),
        (
            "UPDATE statement SET body = replace(body, '\"fees\":\"', '\"fees\":\"1'), digest = sha256(replace(body, '\"fees\":\"', '\"fees\":\"1')::bytea) WHERE contract_id = 1",
            "the statement of contract 1 is not the one that was signed"
        ),
        ("DELETE FROM statement WHERE contract_id = 2", "the statement of contract 2 that was signed is gone"),
        (
            "UPDATE period_root SET signature = set_byte(signature, 9, get_byte(signature, 9) # 1)",
            "the signature is not one of key"
        ),
        (
            "UPDATE period_root SET leaves = replace(leaves, 'delegation=9', 'delegation=8')",
            "the signed root is not that of its leaves"
        ),
        ("UPDATE signing_key SET public_key = sha256(public_key)", "do not fit"),
    ]

    @Test func `after a close it is told whether the month is signed, whatever key is named now`() async throws {
        let none = try Settings(flags: [.databaseURL: ""], file: nil, environment: [:])
        let lost = try Settings(flags: [.ledgerKeyFile: "/nowhere/lost.key"], file: nil, environment: [:])
        try await ProvenMonth.with { month in
            for settings in [none, lost] {
                let told = try LedgerCommands.signIfPossible(ProvenMonth.period, settings, month.link)
                #expect(told.hasPrefix("2024-03 is signed by key \(month.root.key): root "))
            }
        }
        try await ProvenMonth.with(signs: false) { month in
            let told = try LedgerCommands.signIfPossible(ProvenMonth.period, none, month.link)
            #expect(told.contains("is not signed"))
            #expect(throws: CommandFailure.self) {
                try LedgerCommands.signIfPossible(ProvenMonth.period, lost, month.link)
            }
        }
    }

    @Test func `a limit that was raised behind the ledger's back is found, and one that was recorded is not`()
        async throws
    {
        try await ProvenMonth.with(signs: false) { month in
            func recorded(_ accounts: Int) throws {
                try month.link.insertBlocks(
                    LedgerBlock.seal([
                        LedgerRecord(
                            delegation: DealtMonth.delegation, period: ProvenMonth.period,
                            "quota plan=1 delegation=9 strategy=administrative portfolio=telephone contract=1 "
                                + "accounts=\(accounts) exposure=none")
                    ]))
                try month.link.script(
                    """
                    INSERT INTO quota_history (delegation_id, quota_id, since, limit_accounts, plan_id, cause)
                    SELECT delegation_id, quota_id, now_instant(), \(accounts), 1, 'plan' FROM quota WHERE contract_id = 1
                    """)
            }
            try recorded(1_000)
            #expect(try month.verify().findings == [])
            try month.link.script("UPDATE quota SET limit_accounts = 1001 WHERE contract_id = 1")
            #expect(
                try month.verify().findings.map(\.found) == [
                    "contract 1, administrative, telephone: the quota allows 1,001 accounts, which was never recorded"
                ])
            try recorded(1_001)
            #expect(try month.verify().findings == [])
        }
    }

    @Test func `an untouched month is whole, in full and by a sample`() async throws {
        try await ProvenMonth.with { month in
            let report = try month.verify()

            #expect(report.findings == [])
            #expect(report.notes == [])
            // The root's own record stands with the first delegation, in the month of the signature.
            #expect(report.roots == 1 && report.places == 2)
            // Two deals, two keys, two grants, six outcomes, two endings, a review, two payments, two statements, the root.
            #expect(report.records == 20)
            #expect(try LedgerVerification(month.link).run(sample: 1, seed: 3).findings == [])
        }
    }

    /// Each in turn on one month, taken back afterwards.
    @Test func `whatever is changed afterwards is found and named`() async throws {
        try await ProvenMonth.with { month in
            for (sql, sentence) in Self.tampering {
                let copy = try month.link.copyOfTables()
                try month.link.script(sql)
                let findings = try month.verify().findings.map(\.found)
                try copy.restore(month.link)

                #expect(findings.contains { $0.contains(sentence) }, "\(sql) gave \(findings)")
            }
            let left = try month.verify().findings
            #expect(left == [], "\(left)")
        }
    }

    /// A cheat who also recomputes block and chain is stopped by the signature.
    @Test func `a ledger that was rewritten as a whole is not the one that was signed`() async throws {
        try await ProvenMonth.with { month in
            let store = ProofStore(month.link)
            var records: [[UInt8]] = []
            var number: Int64 = 0
            try store.eachBlock(DealtMonth.delegation, ProvenMonth.period) { block in
                guard block.link?.height == 3 else { return }
                records = LedgerBlock.unpack(block.records)
                number = block.number
            }
            records[0].append(0x20)
            try month.link.run(
                "UPDATE block SET records = $1, root = $2 WHERE block_id = $3",
                [
                    .bytes(LedgerBlock.pack(records)), .bytes(LedgerTree.root(records.map(LedgerTree.leaf))),
                    .int64(number),
                ])
            var head = LedgerTree.firstHead
            for (index, link) in try store.links(DealtMonth.delegation, ProvenMonth.period).enumerated() {
                head = LedgerTree.head(after: head, root: link.root)
                try month.link.run(
                    "UPDATE chain SET head = $1 WHERE height = $2", [.bytes(head), .int64(Int64(index) + 1)])
            }

            #expect(try month.verify().findings.contains { $0.found == "the chain is not the one that was signed" })
        }
    }

    /// Objections and adjustments with their decisions, the schedules that statements rest on, and scorecards.
    private static let grounds = [
        ("UPDATE adjustment SET amount = 1 WHERE kind = 'waiver'", "adjustment number="),
        ("UPDATE adjustment SET decision_reason = 'other'", "adjustment number="),
        ("UPDATE adjustment SET decided_by = 'Ana'", "adjustment number="),
        ("UPDATE statement_objection SET reason = 'other'", "line-objection number="),
        ("UPDATE statement_objection SET decision = 'rejected'", "line-decision objection="),
        ("UPDATE statement_objection SET decided_by = 'Eva'", "line-decision objection="),
        (
            "UPDATE schedule SET value = '11' WHERE parameter = 'administrative.phone'",
            "schedule kind=fee name=f from=2024-01-01 is not the one that was signed"
        ),
        (
            "INSERT INTO schedule VALUES ('p', 'penalty', '2024-01-01', 'PEN-03', 'rate', '2')",
            "schedule kind=penalty name=p"
        ),
        ("UPDATE scorecard SET points = 1 WHERE contract_id = 1", "scorecard delegation=9 contract=1 is not the one"),
        (
            "DELETE FROM scorecard WHERE contract_id = 2",
            "scorecard delegation=9 contract=2 is not the one that was signed, or is gone"
        ),
        (
            "INSERT INTO scorecard SELECT period, 8, contract_id, points, is_neutral, body FROM scorecard WHERE contract_id = 1",
            "scorecard delegation=8 contract=1 was never signed"
        ),
    ]

    @Test func `what statements rest on is signed, and whoever changes it is found`() async throws {
        try await ProvenMonth.with(signs: true, stages: true) { month in
            let report = try month.verify()
            #expect(report.findings == [])
            for (change, finding) in Self.grounds {
                try month.link.script("BEGIN")
                try month.link.script(change)
                let found = try LedgerVerification(month.link).runInSnapshot(sample: nil, seed: 0).findings
                #expect(found.contains { $0.found.contains(finding) }, "\(change): \(found)")
                try month.link.script("ROLLBACK")
            }
        }
    }

    /// What the first table of changes leaves out: contests, keys and their endorsements, the order of roots, and whole statements.
    private static let others = [
        ("UPDATE contest SET reason = 'other'", "contest outcome="),
        ("DELETE FROM contest", "was recorded, and nothing is stored that fits it"),
        ("UPDATE contest SET decision = 'rejected'", "review outcome="),
        (
            "UPDATE statement SET body = body || ' ' WHERE contract_id = 1",
            "the statement of contract 1 is not the one that was signed"
        ),
        (
            "UPDATE statement SET digest = sha256(digest) WHERE contract_id = 1",
            "the statement of contract 1 is not the one that was signed"
        ),
        (
            "INSERT INTO statement SELECT (jsonb_populate_record(NULL::statement, to_jsonb(s) || '{\"contract_id\": 77}')).* FROM statement s WHERE contract_id = 1",
            "the statement of contract 77 is not the one that was signed"
        ),
        (
            "UPDATE period_root SET message = replace(message, 'previous=none', 'previous=2024-02:00')",
            "it does not name the root that was signed before it"
        ),
        (
            "UPDATE period_root SET key_id = (SELECT key_id FROM signing_key WHERE number = 1)",
            "the signature is not one of key"
        ),
        (
            "UPDATE signing_key SET endorsement = set_byte(endorsement, 3, get_byte(endorsement, 3) # 1) WHERE number = 2",
            "its endorsement is not one of the key before it"
        ),
        (
            "UPDATE signing_key SET message = replace(message, 'previous=', 'previous=0') WHERE number = 2",
            "do not fit"
        ),
        (
            "DELETE FROM block WHERE block_id = (SELECT max(block_id) FROM block WHERE delegation_id = 9)",
            "delegation 9, 2024-03"
        ),
        (
            "UPDATE block SET root = sha256(root) WHERE block_id = (SELECT min(block_id) FROM block)",
            "is not that of its records"
        ),
    ]

    @Test func `contests, statements, rotated keys and their endorsements are found as well`() async throws {
        try await ProvenMonth.with(signs: false, contests: true) { month in
            let signing = RootSigning(month.link)
            _ = try signing.makeKey(
                at: month.folder + "/second.key", former: month.folder + "/first.key", isLost: false)
            try signing.sign(ProvenMonth.period, with: SigningKey(file: month.folder + "/second.key"))
            #expect(try month.verify().findings == [])
            for (change, finding) in Self.others {
                try month.link.script("BEGIN; SET LOCAL session_replication_role = replica")
                try month.link.script(change)
                let found = try LedgerVerification(month.link).runInSnapshot(sample: nil, seed: 0).findings
                #expect(
                    found.contains { "\($0.place) \($0.found)".contains(finding) }, "\(change): \(found.map(\.found))")
                try month.link.script("ROLLBACK")
            }
        }
    }

    /// Rows once had an instant of their own, read a moment after their record's.
    @Test(arguments: [("2 milliseconds", true), ("-999 milliseconds", true), ("1 second", false), ("-1 second", false)])
    func `a contest's row may be less than a second off its record`(by: String, isTaken: Bool) async throws {
        try await ProvenMonth.with(signs: false, contests: true) { month in
            #expect(try month.verify().findings == [])
            try month.link.script(
                """
                SET session_replication_role = replica;
                UPDATE contest SET contested_at = date_trunc('milliseconds', contested_at) + interval '\(by)';
                """)
            let found = try month.verify().findings.map(\.found)

            #expect(found.isEmpty == isTaken, "\(found)")
            #expect(found.allSatisfy { $0.hasPrefix("contest outcome=") })
        }
    }

    @Test func `an outcome that failed a check and was never approved is in no base of fees`() async throws {
        try await ProvenMonth.with(signs: true, stages: false, demand: true) { month in
            #expect(try month.verify().findings == [])
            let statements = try PeriodStore(month.link, period: ProvenMonth.period).statements()
            let records = try StatementDocument(statements[0].body).sections.flatMap(\.lines).flatMap(\.records)
            let held = try month.link.run("SELECT outcome_id FROM review_demand WHERE cause <> 'sample'")[0].int64(0)
            #expect(!records.contains(held) && !records.isEmpty)
            try month.link.script("DELETE FROM review_demand")
            #expect(try month.verify().findings.contains { $0.found.contains("or others") })
        }
    }
}

/// The tables that a test tampers with, as they were.
private struct TableCopies {
    static let names = [
        "outcome", "review", "payment", "lease_grant", "ending", "quota", "block", "chain", "statement", "period_root",
        "signing_key",
    ]

    func restore(_ link: PgLink) throws {
        try link.transaction {
            try link.script("SET LOCAL session_replication_role = replica")
            for name in Self.names {
                try link.script(
                    "DELETE FROM \(name); INSERT INTO \(name) OVERRIDING SYSTEM VALUE SELECT * FROM copy_\(name)")
            }
        }
    }
}

extension PgLink {
    fileprivate func copyOfTables() throws -> TableCopies {
        for name in TableCopies.names {
            try script("DROP TABLE IF EXISTS copy_\(name); CREATE TEMP TABLE copy_\(name) AS SELECT * FROM \(name)")
        }
        return TableCopies()
    }
}
