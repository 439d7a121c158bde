// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// A running operation comes on board: what was held stays held, under the first epoch, and counts.
struct OpeningTests {
    private static let header = "kind,account,delegation,contract,agency,strategy,portfolio,from_on,until_on,value\n"

    @discardableResult
    private func load(_ month: StartedMonth, _ rows: String..., dryRun: Bool = false) throws -> ImportReport {
        try month.load(.opening, Self.header + rows.joined(separator: "\n") + "\n", dryRun: dryRun)
    }

    /// Two days of contract 1, one of contract 2.
    private static let holdings = [
        "holding,900005,9,1,,administrative,telephone,2024-02-12,2024-04-05,",
        "holding,900006,9,1,,administrative,telephone,2024-02-12,2024-04-05,",
        "holding,900008,9,1,,administrative,telephone,2024-02-20,2024-04-10,",
        "holding,1400005,14,2,,administrative,home-visit,2024-02-20,2024-03-31,",
    ]

    @Test func `what was held is leased, counts against the plan, and is not dealt to anybody`() async throws {
        try await StartedMonth.with(applied: false) { month in
            let report = try load(month, Self.holdings[0], Self.holdings[1], Self.holdings[2], Self.holdings[3])
            let plan = try month.month.plan().apply()

            #expect(report.count("accounts held") == 4 && report.count("by agencies") == 2)
            #expect(plan.state == .applied)
            #expect(try month.count("lease_grant WHERE state = 'open'") == 3)
            #expect(try month.count("deal WHERE account_id IN (900005, 900006, 900008, 1400005)") == 4)
            #expect(
                try month.number(
                    """
                    SELECT limit_accounts - 3 FROM quota
                     WHERE delegation_id = 9 AND contract_id = 1 AND strategy = 2 AND portfolio = 1
                    """)
                    == month.number(
                        """
                        SELECT size::bigint FROM hand WHERE delegation_id = 9 AND contract_ids = '{1}' AND strategy = 2
                           AND portfolio = 1 AND state = 'open'
                        """))
            #expect(try month.count("period WHERE period = 202402 AND state = 'closed'") == 1)
        }
    }

    @Test func `the holder reports, resumes and returns what it had held before`() async throws {
        try await StartedMonth.with(applied: false) { month in
            try load(month, Self.holdings[0], Self.holdings[1], Self.holdings[2])
            _ = try month.month.plan().apply()
            let key = AgencyPrivateKey()
            try month.link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (1, 'k', $1, now_instant())",
                [.bytes(key.publicKey)])
            try month.link.recordKeys()
            let node = try await DealtMonth.startNode(month.database)
            do {
                let agent = try await AgentConnection.connect(
                    AgentConnectionSettings(
                        port: node.port, agency: try #require(AgencyID(1)), instance: try #require(Token("one")),
                        sequence: 1, privateKey: key))
                let held = try await agent.held(HeldRequest())
                var digest = HeldDigest.empty
                for line in held.data {
                    let account = try #require(line["account"].flatMap { Int64($0) }.flatMap { AccountID($0) })
                    let epoch = try #require(line["epoch"].flatMap { Int64($0) }.flatMap { Epoch($0) })
                    digest.add(DealtMonth.delegation, account, epoch)
                }
                let resumed = try await agent.resume(ResumeRequest(count: digest.count, digest: digest.bytes))
                let account = try #require(AccountID(900_005))
                let epoch = try #require(Epoch(1 << 32 + 1))
                let reported = try await agent.report(
                    ReportRequest(
                        key: 1, delegation: DealtMonth.delegation, account: account, epoch: epoch,
                        at: try #require(Timestamp(text: "2024-03-11T15:00:00Z")), channel: .phoneOut, contact: .nobody,
                        result: .noAnswer))
                let returned = try await agent.giveBack(
                    ReturnRequest(
                        key: 2, delegation: DealtMonth.delegation, account: account, epoch: epoch, reason: .unlocatable)
                )

                #expect(held.data.count == 3)
                #expect(resumed.isOK && resumed.data.isEmpty)
                #expect(reported.isOK && returned.isOK)
                #expect(try LedgerVerification(month.link).run().findings == [])
            } catch {
                await node.stop()
                throw error
            }
            await node.stop()
        }
    }

    /// What somebody with the database's password might change of a grant that came on board, and what gives it away.
    @Test(
        arguments: [
            ("SELECT 1", []),
            (
                "UPDATE lease_grant SET held_digest = '' WHERE contract_id = 2",
                [
                    "was recorded, and nothing is stored that fits it",
                    "is stored otherwise than it was recorded, or was never recorded",
                ]
            ),
            (
                "UPDATE lease_grant SET total_accounts = total_accounts + 1 WHERE contract_id = 2",
                ["contract 2, administrative, home-visit: the quota has 2 leased, the ledger 1"]
            ),
            ("DELETE FROM lease_grant WHERE contract_id = 2", ["was recorded, and nothing is stored that fits it"]),
        ] as [(String, [String])])
    func `the ledger is whole after an opening, and tells of a grant of it that was changed`(
        change: String, found: [String]
    ) async throws {
        try await StartedMonth.with(applied: false) { month in
            try load(month, Self.holdings[0], Self.holdings[1], Self.holdings[2])
            // A second file adds to what the first one brought.
            try load(month, Self.holdings[3])
            #expect(try LedgerVerification(month.link).run().findings == [])
            _ = try month.month.plan().apply()
            #expect(try LedgerVerification(month.link).run().findings == [])
            try month.link.script(change)
            let findings = try LedgerVerification(month.link).run().findings.map(\.found)

            #expect(findings.isEmpty == found.isEmpty, "\(findings)")
            for text in found { #expect(findings.contains { $0.contains(text) }, "\(findings)") }
        }
    }

    @Test func `a dry run says the same and leaves nothing, the same file again changes nothing`() async throws {
        try await StartedMonth.with(applied: false) { month in
            let tried = try load(month, Self.holdings[0], Self.holdings[3], dryRun: true)
            #expect(tried.result == .checked && tried.count("accounts held") == 2)
            #expect(try month.number("SELECT (SELECT count(*) FROM deal) + (SELECT count(*) FROM plan)") == 0)
            #expect(try load(month, Self.holdings[0], Self.holdings[3]).result == .imported)
            #expect(try load(month, Self.holdings[0], Self.holdings[3]).result == .unchanged)
            #expect(try month.count("deal") == 2)
        }
    }

    @Test func `a row that cannot be is listed with its column and reason`() async throws {
        let cases = [
            ("holding,900005,9,1,,administrative,telephone,2024-02-12,,", "until_on: is empty"),
            ("holding,900005,9,1,ACE01,administrative,telephone,2024-02-12,2024-04-05,", "agency: does not go with"),
            ("holding,900005,9,1,,preventive,telephone,2024-02-12,2024-04-05,", "contract: the contract does not have"),
            (
                "holding,900005,9,3,,administrative,telephone,2024-02-12,2024-04-05,",
                "contract: the contract does not work"
            ),
            ("holding,900005,9,1,,administrative,telephone,2024-02-12,2025-01-01,", "contract: the contract ends on"),
            (
                "holding,900005,9,77,,administrative,telephone,2024-02-12,2024-04-05,",
                "contract: there is no such contract"
            ),
            ("holding,999999,9,1,,administrative,telephone,2024-02-12,2024-04-05,", "account: is not in the cut"),
            ("holding,900005,9,1,,administrative,telephone,2024-02-12,2024-02-29,", "until_on: the term is over"),
            ("holding,900005,9,1,,administrative,telephone,2024-03-12,2024-03-11,", "until_on: is before from_on"),
            ("holder,900005,9,,ACE01,,,2024-01-12,2024-02-11,lost", "value: is none of"),
            ("breach,,9,1,,,,2024-03-01,,PEN-02", "from_on: is in none of the six months"),
            ("breach,,9,1,,,,2023-08-31,,PEN-02", "from_on: is in none of the six months"),
            ("breach,,9,1,,,,2024-02-01,,PEN-01", "value: is neither"),
            ("agreement,900005,9,1,,,,2024-01-12,,12", "value: is not 0 to 11"),
            ("extension,900005,9,,,,,,,25", "value: is not 1 to 24"),
            ("extension,900005,9,,,,,,,24", "value: the period is segmented already"),
        ]
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            for (row, fault) in cases {
                let report = try load(month, row)
                let found = report.badValues.map { "\($0.column): \($0.reason)" }
                #expect(report.result == .refused && found.contains { $0.hasPrefix(fault) }, "\(row): \(found)")
            }
        }
    }

    @Test func `one account cannot have two holders`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            let report = try load(
                month, Self.holdings[0], "holding,900005,9,2,,administrative,telephone,2024-02-13,2024-04-05,")

            #expect(report.result == .refused && report.badValues.map(\.line) == [2, 3])
        }
    }

    @Test func `what is known of the months before is kept, and the ledger marks it as imported`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            let report = try load(
                month, Self.holdings[0], "holder,900012,9,,ACE02,,,2024-01-12,2024-02-11,return",
                "breach,,9,1,,,,2023-09-01,,PEN-02", "breach,,9,1,,,,2024-02-29,,PEN-04",
                "agreement,900013,9,2,,,,2024-01-12,,2")
            let ledger = try month.ledger().split(separator: "\n")
                .filter { !$0.hasPrefix("policy ") }

            #expect(report.count("breaches") == 2 && report.count("agreements in cure") == 1)
            #expect(report.count("of the agreements, not in cure by the cut") == 1)
            #expect(try month.number("SELECT sum(period)::bigint FROM opening_breach") == 202309 + 202402)
            #expect(try month.count("opening_holder WHERE agency_id = 2 AND ended_by = 'return'") == 1)
            #expect(ledger.count == 6 && ledger.allSatisfy { $0.hasSuffix("imported=yes") })
            #expect(
                ledger.contains(
                    "opening kind=agreement delegation=9 account=900013 contract=2 from=2024-01-12 value=2 imported=yes"
                ))
        }
    }

    @Test func `months of prórroga raise what the cut knows before it is segmented`() async throws {
        try await StartedMonth.with(accounts: 30, applied: false) { month in
            try month.link.script("DELETE FROM segmentation")
            try load(month, "extension,900005,9,,,,,,,24")

            #expect(try month.number("SELECT extension_months::bigint FROM account WHERE account_id = 900005") == 24)
            #expect(try month.count("account WHERE extension_months > 0") == 1)
        }
    }

    @Test func `nothing comes on board once a plan is applied`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let failure = #expect(throws: CommandFailure.self) { try load(month, Self.holdings[0]) }

            #expect(failure?.exit == .usage)
            #expect(failure?.found.contains("before the first plan, and that is the one of 2024-03") == true)
        }
    }

    @Test func `an agreement of an account that the cut has in cure is not told apart`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            try month.link.script("UPDATE account SET restructure_in_cure = true WHERE account_id = 900013")
            let report = try load(month, "agreement,900013,9,2,,,,2024-01-12,,2")
            #expect(report.count("agreements in cure") == 1)
            #expect(report.count("of the agreements, not in cure by the cut") == nil)
        }
    }

    @Test func `what was held before reads as that, not as a plan of this installation`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            try load(month, Self.holdings[0])
            let audit = try AccountAudit(month.link, account: 900_005)
            let why = try #require(audit.lines.first { $0.hasPrefix("  why: ") })
            #expect(audit.holdings.map(\.dealtBy) == ["opening"])
            #expect(why.hasPrefix("  why: administrative; held when the operation came on board (import opening)"))
            #expect(!why.contains("(gone)") && !why.contains("seed"))
            let held = try #require(audit.lines.first { $0.hasPrefix("held by ACE01") })
            #expect(held.contains("until 2024-04-06T06:00:00.000Z, its term"))
            let failure = #expect(throws: CommandFailure.self) {
                try PlanRecord.row(PlanProofStore(month.link), named: "2024-02")
            }
            #expect(failure?.found.contains("stands for what was held before") == true)
        }
    }
}
