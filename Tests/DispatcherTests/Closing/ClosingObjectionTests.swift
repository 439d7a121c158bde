// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

/// Who objects to what, and who decides about it.
struct ClosingObjectionTests {
    private let period = ClosingStageSite.period

    private func object(
        _ stages: StageCommands, _ rule: String, delegation: Int16? = 9, by: String = "ACE01"
    ) throws -> Int64 {
        try stages.object(period, contract: 1, delegation: delegation, rule: rule, reason: "r", by: by)
    }

    @Test(arguments: [
        ("ACE02", "contract 1 is ACE01's, and not ACE02's"), ("ACE99", "contract 1 is ACE01's, and not ACE99's"),
        ("Ana Ruiz", "Ana Ruiz is no agency"), ("", " is no agency"),
    ])
    func `only the contract's agency objects`(by: String, told: String) async throws {
        try await ClosingStageSite.with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let failure = ClosingStageSite.failure { _ = try object(stages, "PEN-03", by: by) }

            #expect(failure.found == told && failure.exit == .usage)
            #expect(try stages.objections(period).count == 0)
        }
    }

    @Test func `who raised an objection neither decides about it nor approves what follows`() async throws {
        try await ClosingStageSite.with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let number = try object(stages, "PEN-03")
            for isUpheld in [true, false] {
                #expect(
                    ClosingStageSite.found {
                        _ = try stages.decide(objection: number, isUpheld: isUpheld, reason: "r", by: "ace 01")
                    } == "ACE01 raised it, and another person has to decide about objection \(number)")
            }
            let waiver = try #require(
                try stages.decide(objection: number, isUpheld: true, reason: "r", by: "Ana"))
            #expect(
                ClosingStageSite.found {
                    try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "ACE01")
                } == "ACE01 raised objection \(number), and another person has to decide about adjustment \(waiver)")
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Luis")
        }
    }

    @Test func `who proposes a close again is told whose proposal it takes the place of`() async throws {
        try await ClosingStageSite.with { _, stages in
            let first = try stages.proposeClose(period, by: "Ana")
            let second = try stages.proposeClose(period, by: "Luis")

            #expect(first == nil)
            #expect(second?.hasPrefix("Ana's of 2024-") == true)
        }
    }

    /// Both are held up at the month until both have begun.
    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `of two who decide at the same time one is told that it was decided`(isAdjustment: Bool) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try ClosingFixture.make(link, seed: 5)
            try link.script(
                """
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, subject, value, import_id)
                VALUES (202403, 'V-9', 'visit', 1, 9, '2024-03-10', 'adviser-absent', 'no', 1);
                """)
            let stages = StageCommands(link, needsTwo: true)
            _ = try stages.issue(period, by: "Ana")
            let objection = try object(stages, "PEN-03")
            let number =
                isAdjustment
                ? try #require(try stages.decide(objection: objection, isUpheld: true, reason: "r", by: "Ana"))
                : objection
            let blocker = try database.link("blocker")
            try blocker.script("BEGIN; SELECT FROM period FOR UPDATE")
            let told = try await withThrowingTaskGroup(of: String.self) { group in
                for isYes in [true, false] {
                    group.addTask {
                        try await onThread {
                            let own = StageCommands(try database.link("person"), needsTwo: true)
                            return ClosingStageSite.found {
                                if isAdjustment {
                                    try own.decide(adjustment: number, isApproved: isYes, reason: "r", by: "Luis")
                                } else {
                                    _ = try own.decide(objection: number, isUpheld: isYes, reason: "r", by: "Luis")
                                }
                            }
                        }
                    }
                }
                let waiting =
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'person' AND wait_event_type = 'Lock'"
                try await until { try link.run(waiting)[0].int64(0) == 2 }
                try blocker.script("ROLLBACK")
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }

            let what = isAdjustment ? "adjustment" : "objection"
            #expect(Set(told) == ["nothing was thrown", "\(what) \(number) was decided meanwhile"])
        }
    }

    @Test func `where one person decides it may be the same`() async throws {
        try await ClosingStageSite.with(needsTwo: false) { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let number = try object(stages, "PEN-03")
            let waiver = try #require(
                try stages.decide(objection: number, isUpheld: true, reason: "r", by: "ACE01"))
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "ACE01")

            #expect(try stages.adjustments(period).map(\.decision) == ["approved"])
        }
    }

    /// What follows from other lines could be upheld without any effect.
    @Test(arguments: ["IVA", "AMB-15", "PEN" + "-77", "FEE-12", "PEN" + "-3"])
    func `an objection is about a penalty or about fees`(rule: String) async throws {
        try await ClosingStageSite.with { _, stages in
            _ = try stages.issue(period, by: "Ana")
            let failure = ClosingStageSite.failure { _ = try object(stages, rule) }

            #expect(failure.found == "an objection is about a penalty or about fees, and \(rule) is neither")
            #expect(failure.remedy.contains("PEN-03, ") && failure.remedy.hasSuffix(", FEE-11."))
            #expect(failure.exit == .usage)
        }
    }

    /// Fees are billed in a delegation; by bands only where the contract pays by them.
    @Test func `fees are objected to in one place, and by what the contract pays by`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            for rule in ["FEE-11", "FEE-03"] {
                let failure = ClosingStageSite.failure { _ = try object(stages, rule, delegation: nil) }
                #expect(failure.found == "the pre-statement of contract 1 has no \(rule) there")
                #expect(failure.remedy.hasSuffix("name it with --delegation.") && failure.exit == .findings)
            }
            let band = ClosingStageSite.failure { _ = try object(stages, "FEE-03") }
            #expect(band.found == "the pre-statement of contract 1 has no FEE-03 there")
            #expect(band.remedy.contains("FEE-11 there."))
            _ = try object(stages, "FEE-11")
            #expect(ClosingStageSite.found { _ = try object(stages, "FEE-11:dual.phone") }.hasSuffix("is neither"))
        }
        try await ClosingStageSite.with { link, stages in
            try link.script(ClosingContingencyOracle.terms)
            _ = try stages.issue(period, by: "Ana")
            for rule in ["FEE-03", "FEE-11"] { _ = try object(stages, rule) }
            #expect(ClosingStageSite.found { _ = try object(stages, "FEE-03", delegation: nil) }.contains("no FEE-03"))
        }
    }

    /// Once fees could be objected to on the whole invoice.
    @Test func `an older objection about fees of the whole invoice is about those of each delegation`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            let old = try StageStore(link).raise(
                period, contract: 1, delegation: nil, rule: "FEE-11", reason: "r", by: "ACE01")
            #expect(
                ClosingStageSite.found { _ = try object(stages, "FEE-11") }
                    == "objection \(old) is about the same line, and waits for its decision")
            let credit = try #require(
                try stages.decide(objection: old, isUpheld: true, amount: Cents(1_00), reason: "r", by: "Ana"))
            #expect(try stages.adjustments(period).first { $0.adjustment.number == credit }?.delegation == nil)
        }
    }

    @Test func `what a budget cut may be objected to where it cut something, and upheld it is a credit`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try stages.issue(period, by: "Ana")
            #expect(
                ClosingStageSite.found { _ = try object(stages, "AGY-15", delegation: nil) }
                    == "the pre-statement of contract 1 has no AGY-15 there")
            try link.script("INSERT INTO schedule VALUES ('fees', 'fee', '2023-01-01', 'AGY-15', 'budget', '100.00')")
            _ = try stages.issue(period, by: "Ana")
            #expect(ClosingStageSite.found { _ = try object(stages, "AGY-15") }.hasSuffix("has no AGY-15 there"))
            let number = try object(stages, "AGY-15", delegation: nil)
            #expect(
                ClosingStageSite.found {
                    _ = try stages.decide(objection: number, isUpheld: true, reason: "r", by: "Ana")
                } == "objection \(number) is about fees, and what they lack is not named")
            let credit = try #require(
                try stages.decide(
                    objection: number, isUpheld: true, amount: Cents(25_00), reason: "r", by: "Ana"))
            try stages.decide(adjustment: credit, isApproved: true, reason: "r", by: "Luis")
            let statement = try StatementDocument(
                try MonthClosing(link, period: period).preview().statements[0].body)

            #expect(statement.sections.last?.lines.filter { $0.rule == "AGY-15" }.map(\.kind) == ["fee-cut", "credit"])
            #expect(statement.totals.fees == "125.00")
        }
    }
}
