// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing
import TestSupport

/// An auditor's questions about one account, and about one peso.
struct AuditTests {
    @Test func `an account tells who held it, why, and what was done and paid, each with its receipt`() async throws {
        try await ProvenMonth.with { month in
            let audit = try AccountAudit(month.link, account: 1003)
            let holding = try #require(audit.holdings.first)

            #expect(audit.holdings.count == 1)
            #expect(holding.agency == "ACE01" && holding.contract == 1 && holding.position == 3 && holding.seed == 1)
            // The grant names no account: it is of all that its positions are of.
            #expect(audit.events.map(\.kind) == ["grant", "outcome", "review"])
            #expect(audit.events[1].receipt == LedgerTree.hex(month.receipts[2]))
            #expect(
                audit.lines.contains { $0.hasPrefix("held by ACE01 agency under contract 1 (n) from 2024-03-04T15:00") }
            )
            // What was told of it is proved by its receipt.
            let receipt = try #require(LedgerTree.bytes(hex: audit.events[2].receipt))
            #expect(try RootSigning(month.link).prove(receipt: receipt).check().record.hasPrefix("review outcome="))
            let grant = try #require(LedgerTree.bytes(hex: audit.events[0].receipt))
            #expect(try RootSigning(month.link).prove(receipt: grant).check().record.hasPrefix("grant id="))
        }
    }

    @Test func `an account that was planned tells the rule and the policy that placed it, and its plan`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut(count: 300)
            try month.segment()
            _ = try month.plan(seed: 5).apply()
            // Four months in arrears are administrative (SEG-02).
            let row = try #require(
                try month.link.run(
                    """
                    SELECT p.rule, s.policy, s.policy_version, h.plan_id, h.hand_id, d.position FROM deal d
                    JOIN hand h USING (delegation_id, hand_id)
                    JOIN placement p ON p.period = 202403 AND p.delegation_id = d.delegation_id AND p.account_id = d.account_id
                    JOIN segmentation s ON s.period = 202403 WHERE d.account_id = 900004
                    """
                ).first)
            let audit = try AccountAudit(month.link, account: 900_004)
            let holding = try #require(audit.holdings.first)

            #expect(audit.placements.map(\.strategy) == ["administrative"])
            #expect(audit.placements.map(\.rule) == [row.text(0)] && !row.text(0).isEmpty)
            #expect(holding.rule == row.text(0) && holding.policy == "\(row.text(1)) \(row.text(2))")
            #expect(row.text(1) == "infonavit-2023")
            #expect(holding.plan == row.int64(3) && holding.seed == 5)
            #expect(holding.waiting == .waits && holding.dealtBy == "plan")
            #expect(
                audit.lines.contains {
                    $0.contains(
                        "by rule \(row.text(0)) of policy infonavit-2023 \(row.text(2)); dealt by plan \(row.int64(3)), seed 5, "
                    )
                        && $0.contains("hand \(row.int32(4)), position \(row.int32(5)) of ")
                }, "\(audit.lines)")
        }
    }

    @Test func `on a day it tells who held it then, and what had happened`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            for (day, holdings, events) in [
                ("2024-03-03", 0, 0), ("2024-03-04", 1, 2), ("2024-03-05", 1, 3), ("2024-04-02", 1, 3),
                ("2024-04-05", 0, 3),
            ] {
                let audit = try AccountAudit(month.link, account: 1001, on: day)

                #expect(audit.holdings.count == holdings, "on \(day)")
                #expect(audit.events.count == events, "on \(day)")
            }
        }
    }

    /// A second decision is no news without the contest between.
    @Test func `a contest and both decisions are among what was done`() async throws {
        try await ProvenMonth.with(contests: true) { month in
            let audit = try AccountAudit(month.link, account: 1003)
            #expect(audit.events.map(\.kind) == ["grant", "outcome", "review", "contest", "review"])
            let contest = audit.events[3]
            #expect(contest.record.contains(" reason=the%20photo%20is%20there by=ACE01 at="))
            let receipt = try #require(LedgerTree.bytes(hex: contest.receipt))
            #expect(try RootSigning(month.link).prove(receipt: receipt).check().record == contest.record)
            #expect(audit.lines.contains { $0.hasPrefix("  contest outcome=") })
        }
    }

    @Test func `an extension of its grant is among what was done`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let lease = try await agent.lease(DealtMonth.lease(1, max: 2))
            let grant = try #require(lease.leaseSummary?.grant)
            let until = try #require(Timestamp(text: "2024-04-10T06:00:00Z"))
            try month.setClock("2024-03-05T15:00:00Z")
            #expect(
                try await agent.extend(
                    ExtendRequest(key: 2, delegation: DealtMonth.delegation, grant: grant, until: until)
                ).isOK)
            let other = try await month.connect(2)
            _ = try await other.lease(DealtMonth.lease(1, max: 2))
            let audit = try AccountAudit(try month.database.link(), account: 1001)
            // Of its own grant, and of no other.
            #expect(audit.events.map(\.kind) == ["grant", "extension"])
            #expect(audit.events.allSatisfy { $0.record.contains("=\(grant) ") })
            #expect(audit.holdings[0].term == "\(until)")
        }
    }

    @Test func `an account that was returned ended there, and one that nobody knows is said to be`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let audit = try AccountAudit(month.link, account: 1005)
            #expect(audit.holdings[0].ending?.hasPrefix("return (unlocatable) at 2024-03-04") == true)
            #expect(try AccountAudit(month.link, account: 1020).holdings[0].agency == nil)
            let failure = #expect(throws: CommandFailure.self) { try AccountAudit(month.link, account: 99) }
            #expect(failure?.found == "no cut has an account 99")
        }
    }

    /// Terms are 30 days, and grace 24 hours.
    @Test func `a live lease is told with its term, one that ran out with its expiry`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 2))
            let link = try month.database.link()
            let live = try #require(try AccountAudit(link, account: 1001).holdings.first)
            let term = try #require(live.term)
            #expect(live.until == term && live.ending == nil)
            #expect(try #require(live.enforced) > term)
            #expect(
                try AccountAudit(link, account: 1001).lines.contains {
                    $0.hasPrefix("held by ACE01")
                        && $0.contains("until \(term), its term; with grace and outages until ")
                })

            try link.script("UPDATE lease_grant SET state = 'closed', closed_at = term + interval '1 day'")
            let over = try #require(try AccountAudit(link, account: 1001).holdings.first)
            #expect(over.enforced == nil && over.until == live.enforced)
            #expect(over.ending?.hasPrefix("expiry at ") == true && over.ending?.hasSuffix("its term \(term)") == true)
            #expect(try AccountAudit(link, account: 1001).lines.contains { $0.hasPrefix("  ended: expiry at ") })
        }
    }

    @Test func `what nobody leased says for whom it waits, and what took it away`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            _ = try await agent.lease(DealtMonth.lease(1, max: 2))
            let link = try month.database.link()
            func told() throws -> String { try AccountAudit(link, account: 1005).lines[1...].joined(separator: "\n") }
            #expect(try told().contains("waits for ACE01 under contract 1, which may pull it"))
            let waiting = try #require(try AccountAudit(link, account: 1005).holdings.first)
            #expect(waiting.waiting == .waits && waiting.dealtTo.map(\.contract) == [1])

            try link.script("UPDATE hand SET state = 'closed' WHERE hand_id = 1")
            #expect(
                try told().contains("was dealt to ACE01 under contract 1, and not pulled before its hand was closed"))
            try link.script(
                "UPDATE hand SET withdrawn_at = now_instant(), withdrawn_from = 2, withdrawn_reason = 'hold' WHERE hand_id = 1"
            )
            #expect(try told().contains("was dealt to ACE01 under contract 1, and withdrawn before it was pulled"))
            try link.script("UPDATE lease_grant SET last_position = 5, skipped = '{3,4,5}'")
            #expect(try told().contains("passed over by the pull that came to it"))
            try link.script(
                "UPDATE hand SET state = 'open', withdrawn_at = NULL, withdrawn_from = NULL, withdrawn_reason = NULL")
            #expect(try told().contains("passed over"))
        }
    }

    private func explain(
        _ month: ProvenMonth, _ change: (inout StatementExplanation.Question) -> Void
    ) throws -> StatementExplanation {
        var question = StatementExplanation.Question()
        change(&question)
        return try StatementExplanation(month.link, period: ProvenMonth.period, question)
    }

    /// Two accounts by telephone at 10.00 and an agreement at 300.00: 320.00 and 51.20 of IVA.
    private static let figures: [(amount: String, lines: [String], sum: String)] = [
        ("300.00", ["300.00"], "is the line FEE-11 administrative.agreement"),
        ("348.00", ["300.00"], "with IVA 48.00"), ("320.00", ["20.00", "300.00"], "is the sum of its fees, 2 lines"),
        ("371.20", ["20.00", "300.00", "51.20"], "is the sum of its fees with IVA, 3 lines"),
        ("51.20", ["51.20"], "is the line IVA"),
    ]

    @Test func `a figure is led back to the lines that it is made of`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            for figure in Self.figures {
                let explanation = try explain(month) {
                    $0.amount = Cents(pesos: figure.amount)
                    $0.contract = 1
                }

                #expect(explanation.lines.map(\.amount) == figure.lines)
                #expect(explanation.sums.count == 1 && explanation.sums[0].contains(figure.sum))
            }
        }
    }

    @Test func `a line leads to its outcomes, their reviews and their receipts`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let explanation = try explain(month) {
                $0.contract = 1
                $0.rule = "FEE-11"
            }
            let records = explanation.lines.flatMap(\.records)

            #expect(records.map(\.receipt) == month.receipts.prefix(3).map { LedgerTree.hex($0) })
            #expect(records.last?.review == "approved by Ana Ruiz: evidence is complete")
            #expect(records.map(\.account) == ["1001", "1002", "1003"])
            #expect(try explain(month) { $0.recordsMax = 1 }.lines[0].records.count == 1)
            #expect(throws: CommandFailure.self) { try explain(month) { $0.amount = Cents(77) } }
        }
    }

    // MARK: - Totals and pre-statements

    private func asked(
        _ link: PgLink, _ amount: Cents, _ change: (inout StatementExplanation.Question) -> Void = { _ in }
    ) throws -> StatementExplanation {
        var question = StatementExplanation.Question()
        question.amount = amount
        change(&question)
        return try StatementExplanation(link, period: ClosingFixture.period, question)
    }

    @Test func `a total of a statement, of a delegation over all contracts and of the month is led back to its lines`()
        async throws
    {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            let month = try MonthClosing(link, period: ClosingFixture.period).close().month
            let documents = try month.statements.map { try StatementDocument($0.body) }
            func fees(_ totals: [StatementDocument.Totals]) -> Cents {
                totals.reduce(.zero) { $0 + (Cents(pesos: $1.fees) ?? .zero) }
            }
            let statement = try asked(link, fees([documents[0].totals]))
            #expect(statement.sums.count == 1)
            #expect(statement.sums[0].hasPrefix("contract 1, the whole statement: "))
            #expect(statement.sums[0].contains("is the sum of its fees, "))
            #expect(statement.lines.allSatisfy { $0.contract == 1 && $0.kind == "fee" })
            #expect(Set(statement.lines.map(\.delegation)) == [9, 14])

            let there = documents.flatMap(\.sections).filter { $0.delegation == 14 }.map(\.totals)
            let delegation = try asked(link, fees(there)) { $0.delegation = 14 }
            #expect(delegation.sums.count == 1 && delegation.sums[0].hasPrefix("3 contracts, delegation 14: "))
            #expect(Set(delegation.lines.map(\.contract)) == [1, 2, 3])

            let all = try asked(link, fees(documents.map(\.totals)))
            #expect(all.sums.count == 1 && all.sums[0].hasPrefix("3 contracts: "))
            #expect(
                all.lines.reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
                    == fees(documents.map(\.totals)))
            let few = try asked(link, fees(documents.map(\.totals))) { $0.linesMax = 2 }
            #expect(few.lines.count == 2 && few.lineCount == all.lines.count)
            #expect(few.words.last?.hasPrefix("\(all.lines.count - 2) more lines") == true)
        }
    }

    @Test func `all lines of a rule are a figure, too`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            let month = try MonthClosing(link, period: ClosingFixture.period).close().month
            let lines = try month.statements.flatMap { try StatementDocument($0.body).sections.flatMap(\.lines) }
                .filter { $0.rule == "PEN-01" }
            let sum = lines.reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
            let explanation = try asked(link, sum)

            #expect(lines.count > 2)
            #expect(explanation.sums == ["3 contracts: \(grouped(sum)) is the sum of PEN-01, \(lines.count) lines"])
            #expect(explanation.lines.allSatisfy { $0.rule == "PEN-01" && !$0.arithmeticInEnglish.isEmpty })
        }
    }

    @Test func `pre-statements are explained while they are out, and are not those of the close`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            var question = StatementExplanation.Question()
            question.contract = 1
            question.isOfPreStatements = true
            let period = ClosingFixture.period
            let failure = #expect(throws: CommandFailure.self) {
                try StatementExplanation(link, period: period, question)
            }
            #expect(failure?.found == "no pre-statement of 2024-03 is out")
            _ = try StageCommands(link, needsTwo: false).issue(period, by: "Ana")
            let explanation = try StatementExplanation(link, period: period, question)

            #expect(!explanation.isFinal && !explanation.lines.isEmpty)
            #expect(explanation.words.contains { $0.hasPrefix("  in pre-statement C1, SHA-256 ") })
            question.isOfPreStatements = false
            #expect(throws: CommandFailure.self) { try StatementExplanation(link, period: period, question) }
        }
    }

    /// 30 of 50 at a weight of 2, and 10 of 10 at one: 73.33 % of the minimum.
    @Test func `the work plan's arithmetic has every goal`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 7)
            try link.script(
                """
                INSERT INTO schedule VALUES ('fines', 'penalty', '2023-01-01', 'PEN-02', 'rate', '5'),
                    ('fines', 'penalty', '2023-01-01', 'PEN-02', 'threshold', '80');
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, minimum, weight, import_id)
                VALUES (202403, 'G-1', 'goal', 1, 14, '2024-03-01', 'worked', '30', '50', '2', 1),
                    (202403, 'G-2', 'goal', 1, 14, '2024-03-01', 'contacted', '10', '10', '1', 1);
                """)
            _ = try MonthClosing(link, period: ClosingFixture.period).close()
            var question = StatementExplanation.Question()
            question.rule = "PEN-02"
            let line = try #require(
                try StatementExplanation(link, period: ClosingFixture.period, question).lines.first)

            #expect(
                line.arithmetic.hasPrefix(
                    "media ponderada: (2 × 30 ÷ 50 + 1 × 10 ÷ 10) ÷ 3 = 73.33 % del mínimo < 80 %; 5 % de "))
            #expect(
                line.arithmeticInEnglish.hasPrefix(
                    "weighted mean: (2 × 30 ÷ 50 + 1 × 10 ÷ 10) ÷ 3 = 73.33 % of the minimum < 80 %; 5 % of "))
        }
    }
}
