// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

struct ExhaustionTests {
    /// Makes accounts meet every clause: 900016 and 900030, which are dealt, and 900028, which is current.
    static func exhaust(_ month: StartedMonth, _ accounts: String = "900016, 900030, 900028") throws {
        try month.link.script(
            """
            UPDATE account SET unpaid = 10, extension_months = 24, restructures = 1, regime = 1
             WHERE account_id IN (\(accounts))
            """)
    }

    private func report(_ month: StartedMonth, all: Bool = false) throws -> (
        rows: [ClauseReport.Row], ClauseReport.Totals
    ) {
        var rows: [ClauseReport.Row] = []
        let totals = try ClauseReport(
            month.link, period: PlannedMonth.march, subject: .exhaustion, includesNear: all, policy: nil
        ).scan { rows.append($0) }
        return (rows, totals)
    }

    static func validate(_ link: PgLink, _ accounts: Int64...) throws -> [CertificateReport] {
        try ExhaustionValidation(link, period: PlannedMonth.march, by: "Ana Ruiz").issue(accounts)
    }

    private func report(_ outcome: Int, _ account: Int64, _ result: String, on day: String) -> String {
        """
        INSERT INTO outcome
        SELECT 202403, 9, 1, 1, \(outcome), \(outcome), \(account), 1, 1, 1, 1, '\(day)', '\(day)', 'visit', 'none', '\(result)',
               NULL, NULL, NULL, '{"branch":"B7"}', '';
        """
    }

    private func review(_ outcome: Int, _ decision: String) -> String {
        "INSERT INTO review VALUES (202403, 9, \(outcome), '\(decision)', 'photo', 'Luz', '2024-03-12T15:00:00Z');"
    }

    // MARK: - The list

    @Test func `candidates are listed, and near misses where they are asked for`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            try month.link.script("UPDATE account SET restructures = 0 WHERE account_id = 900030")
            let (rows, totals) = try report(month)
            let (all, _) = try report(month, all: true)
            let near = try #require(all.first { $0.account == 900_030 })

            #expect(rows.map(\.account) == [900_016, 900_028])
            #expect(totals.candidates == 2)
            #expect(totals.accounts == 120)
            #expect(near.missing == ["no-means-left"])
            #expect(near.values["extension_months"] == "24")
            #expect(Int64(all.count) == totals.candidates + totals.nearMisses)
        }
    }

    @Test func `an irregular dwelling counts only when a review has approved it, and the latest one decides`()
        async throws
    {
        try await StartedMonth.with(accounts: 60) { month in
            try month.link.script("UPDATE account SET unpaid = 10, regime = 1 WHERE account_id = 900016")
            func isCandidate() throws -> Bool { try report(month).rows.map(\.account) == [900_016] }
            try month.link.script(report(1, 900_016, "dwelling-irregular", on: "2024-03-05T16:00:00Z"))
            #expect(try !isCandidate())
            try month.link.script(review(1, "rejected"))
            #expect(try !isCandidate())
            try month.link.script(
                report(2, 900_016, "dwelling-irregular", on: "2024-03-06T16:00:00Z") + review(2, "approved"))
            #expect(try isCandidate())
            try month.link.script(report(3, 900_016, "dwelling-inhabited", on: "2024-03-07T16:00:00Z"))
            #expect(try isCandidate())
            try month.link.script(review(3, "approved"))
            #expect(try !isCandidate())
        }
    }

    @Test func `a policy without clauses is refused by name`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let text = try ShippedPolicy.text("infonavit-2023")
            let path = "\(month.folder)/none.yaml"
            let end = try #require(text.firstRange(of: "\nexhaustion:"))
            try Data(text[..<end.lowerBound].utf8 + Array("\n".utf8)).write(to: URL(filePath: path))
            let failure = try #require(throws: CommandFailure.self) {
                try ClauseReport(
                    month.link, period: PlannedMonth.march, subject: .segregation, includesNear: false, policy: path)
            }

            #expect(failure.exit == .usage)
            #expect(failure.found.hasSuffix("has no clauses of segregation"))
        }
    }

    // MARK: - Validation

    @Test func `a certificate has a folio and a content, ends the deal, and stands on the ledger`() async throws {
        try await StartedMonth.with { month in
            try Self.exhaust(month)
            try month.link.script(
                report(1, 900_016, "dwelling-irregular", on: "2024-03-05T16:00:00Z") + review(1, "approved"))
            let certificates = try Self.validate(month.link, 900_016, 900_028)
            let first = try #require(certificates.first)
            let body = try CertificateBook(month.link).body("DTCS-2024-03-000001")
            let page = try CertificateBook(month.link).page("DTCS-2024-03-000001").joined(separator: "\n")

            #expect(certificates.map(\.folio) == ["DTCS-2024-03-000001", "DTCS-2024-03-000002"])
            #expect(first.dealsEnded == 1)
            #expect(try month.count("ending WHERE account_id = 900016 AND reason = 'exhaustion'") == 1)
            #expect(try month.count("standing_stop WHERE reason = 'exhaustion'") == 2)
            #expect(body.contains(#""issuedBy":"Ana Ruiz""#))
            #expect(body.contains(#""extensionMonths":24"#))
            #expect(body.contains(#""attempts":["# + "\n" + #"{"channel":"visit","contacts":0"#))
            #expect(body.contains(#""dwelling":{"branch":"B7","outcome":1"#))
            #expect(page.contains("approved by Luz"))
            #expect(
                try month.ledger().contains(
                    "certificate folio=DTCS-2024-03-000001 delegation=9 account=900016 content=\(first.sha256)"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the holder of a certified account is told that it is taken back`() async throws {
        try await StartedMonth.with { month in
            try Self.exhaust(month)
            let row = try #require(
                try month.link.run(
                    """
                    SELECT c.agency_id, h.strategy FROM deal d JOIN hand h USING (delegation_id, hand_id)
                      JOIN contract c ON c.contract_id = h.contract_ids[1]
                     WHERE d.account_id = 900016
                    """
                ).first)
            let strategy = try #require(Strategy(rawValue: row.int16(1)))
            let node = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
            let agent = try await month.agency(row.int32(0), at: node)
            var leased: [LeasedAccount] = []
            for request in 1...50 as ClosedRange<Int64> where !leased.contains(where: { $0.account.value == 900_016 }) {
                leased += try await agent.lease(
                    LeaseRequest(key: request, delegation: DealtMonth.delegation, strategy: strategy, max: 100)
                ).leasedAccounts
            }
            let held = try #require(leased.first { $0.account.value == 900_016 })
            _ = try Self.validate(month.link, 900_016, 900_028)
            let push = await agent.next(.recall)
            #expect(push?["account"] == "900016" && push?["epoch"] == "\(held.epoch)")
            #expect(push?["final"] == "yes" && push?["reason"] == "exhaustion")
            // What nobody held is told to nobody.
            #expect(try month.count("push WHERE kind = 'RECALL'") == 1)
            await node.stop()
        }
    }

    @Test func `a missing clause, an account that is not there or a second certificate refuse all of them`()
        async throws
    {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            let missing = try #require(throws: CommandFailure.self) { try Self.validate(month.link, 900_016, 900_017) }
            let unknown = try #require(throws: CommandFailure.self) { try Self.validate(month.link, 900_016, 123) }
            #expect(try month.count("certificate") == 0)
            _ = try Self.validate(month.link, 900_016)
            let again = try #require(throws: CommandFailure.self) { try Self.validate(month.link, 900_028, 900_016) }

            #expect(missing.found == "account 900017 misses unpaid, no-means-left")
            #expect(unknown.found == "account 123 is not in the cut of 2024-03")
            #expect(again.found == "account 900016 has the certificate DTCS-2024-03-000001")
            #expect(again.exit == .findings)
            #expect(try month.count("certificate") == 1)
        }
    }

    @Test func `of two validations at once one wins, and the other one is told which`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            let database = month.database
            let results = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        do {
                            return try Self.validate(database.link(), 900_016).map(\.folio).joined()
                        } catch let failure as CommandFailure {
                            return failure.found
                        }
                    }
                }
                var results: [String] = []
                for try await result in group { results.append(result) }
                return results.sorted()
            }

            #expect(results.last { $0.hasPrefix("DTCS") } == "DTCS-2024-03-000001")
            #expect(results.count { $0 == "account 900016 has the certificate DTCS-2024-03-000001" } == 3)
            #expect(try month.count("certificate") == 1)
        }
    }

    @Test func `a certified account is not dealt, and a revoked one is, with a new epoch`() async throws {
        try await StartedMonth.with { month in
            try Self.exhaust(month)
            _ = try Self.validate(month.link, 900_016)
            let blocked = try month.start("900016,9,exclusion-ended,2024-03-11")
            let book = CertificateBook(month.link)
            let revoked = try book.revoke("DTCS-2024-03-000001", by: "Ana Ruiz", reason: "paid")
            let twice = try #require(throws: CommandFailure.self) {
                try book.revoke("DTCS-2024-03-000001", by: "Luz", reason: "again")
            }
            let freed = try month.start("900016,9,exclusion-ended,2024-03-12")
            let next = try Self.validate(month.link, 900_016)

            #expect(blocked.count("excluded") == 1)
            #expect(revoked.state == "revoked")
            #expect(twice.found.hasPrefix("DTCS-2024-03-000001 was revoked at 2024-03-12"))
            #expect(freed.count("dealt into front hands") == 1)
            #expect(next.map(\.folio) == ["DTCS-2024-03-000002"])
            #expect(try month.count("deal WHERE account_id = 900016") == 2)
            #expect(try month.count("ending WHERE account_id = 900016 AND reason = 'exhaustion'") == 2)
            #expect(try month.ledger().contains("revocation folio=DTCS-2024-03-000001"))
        }
    }

    @Test func `after each revocation the same file deals the account again, and once`() async throws {
        try await StartedMonth.with { month in
            try Self.exhaust(month)
            let book = CertificateBook(month.link)
            let row = "900016,9,exclusion-ended,2024-03-12"
            var dealt: [Int64?] = []
            for _ in 1...3 {
                let folio = try #require(try Self.validate(month.link, 900_016).first?.folio)
                _ = try book.revoke(folio, by: "Ana Ruiz", reason: "paid")
                dealt.append(try month.start(row).count("dealt into front hands"))
            }
            let again = try month.start(row)
            let other = try month.start(row + ",5", columns: ",arrears")

            #expect(dealt == [1, 1, 1])
            #expect(again.count("starts already recorded") == 1)
            #expect(other.badValues.map(\.column) == ["on_date"])
            #expect(try month.count("start WHERE account_id = 900016") == 3)
            #expect(try month.count("deal WHERE account_id = 900016") == 4)
        }
    }

    @Test func `a list can be validated again: those that are certified already are left out, each other once`()
        async throws
    {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            let listed = try report(month).rows.map(\.account)
            let validation = try ExhaustionValidation(month.link, period: PlannedMonth.march, by: "Ana Ruiz")
            _ = try validation.issue([900_016])
            let open = try validation.uncertified(listed + listed)
            _ = try validation.issue(open)

            #expect(listed == [900_016, 900_028, 900_030])
            #expect(open == [900_028, 900_030])
            #expect(try validation.uncertified(listed) == [])
            #expect(try month.count("certificate") == 3)
        }
    }

    @Test func `a closed period certifies nothing`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            try month.link.script("UPDATE period SET state = 'closed'")
            let failure = try #require(throws: CommandFailure.self) { try Self.validate(month.link, 900_016) }

            #expect(failure.exit == .usage)
        }
    }

    @Test func `the list knows who is certified`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            _ = try Self.validate(month.link, 900_016)
            let (rows, totals) = try report(month)

            #expect(totals.candidates == 2)
            #expect(totals.certified == 1)
            #expect(rows.first { $0.account == 900_016 }?.folio == "DTCS-2024-03-000001")
        }
    }

    @Test func `the accounts of a list are its column of that name`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try Self.exhaust(month)
            let path = "\(month.folder)/candidates.csv"
            let count = try ClauseReport(
                month.link, period: PlannedMonth.march, subject: .exhaustion, includesNear: false, policy: nil
            ).write(to: path)
            let bad = "\(month.folder)/bad.csv"
            try Data("account\n12x\n".utf8).write(to: URL(filePath: bad))
            let cutOff = "\(month.folder)/cut-off.csv"
            try Data("account\n900016".utf8).write(to: URL(filePath: cutOff))

            let header = try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n")[0]

            #expect(Set(header.split(separator: ",")).count == header.split(separator: ",").count)
            #expect(header.hasPrefix("account,delegation,clause.unpaid,"))
            #expect(count == 3)
            #expect(try AccountList.read(path) == [900_016, 900_028, 900_030])
            #expect(throws: CommandFailure.self) { try AccountList.read(bad) }
            #expect(throws: CommandFailure.self) { try AccountList.read(cutOff) }
        }
    }

    @Test(arguments: ["", "   ", "a\nb", String(repeating: "a", count: 81)])
    func `nobody validates namelessly`(by: String) async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let failure = try #require(throws: CommandFailure.self) {
                try ExhaustionValidation(month.link, period: PlannedMonth.march, by: by)
            }
            #expect(failure.exit == .usage)
        }
    }
}
