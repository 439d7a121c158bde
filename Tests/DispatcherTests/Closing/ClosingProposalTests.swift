// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// A proposal to close a month holds for the statements that were proposed, and pre-statements for what agencies were shown.
struct ClosingProposalTests {
    private let period = ClosingStageSite.period

    private func close(_ link: PgLink, _ stages: StageCommands, by: String) throws -> MonthClosing.Result {
        try MonthClosing(link, period: period).close(check: { try stages.requireAsProposed($0, by: by) }).result
    }

    @Test func `what one person proposed another closes`() async throws {
        try await ClosingStageSite.with { link, stages in
            try stages.proposeClose(period, by: "Ana")

            #expect(ClosingStageSite.found { _ = try close(link, stages, by: "ana") }.hasPrefix("Ana proposed it"))
            #expect(try close(link, stages, by: "Luis") == .closed)
            #expect(try close(link, stages, by: "Ana") == .identical)
        }
    }

    @Test(arguments: [
        (ClosingStageSite.lessWork, "contract 1: fees "),
        (ClosingStageSite.renamed, "contract 3: the same amounts, and other indicators, records or facts behind them"),
    ])
    func `what changed since it was proposed is told, and closed only once it is proposed again`(
        change: String, told: String
    ) async throws {
        try await ClosingStageSite.with { link, stages in
            try stages.proposeClose(period, by: "Ana")
            try link.script(change)
            let failure = ClosingStageSite.failure { _ = try close(link, stages, by: "Luis") }
            #expect(
                failure.found.hasPrefix("1 contract of 2024-03 differs from what Ana proposed to close at 2024-04-09"))
            #expect(failure.found.contains(": " + told))
            #expect(failure.exit == .findings)
            #expect(try PeriodStore(link, period: period).state() == .open)
            // A preview tells the same, and does not take the proposal's place.
            for _ in 1...2 {
                let lines = try PreviewDifference(link, MonthClosing(link, period: period).preview()).lines
                #expect(lines.first?.hasPrefix("since Ana proposed the close at 2024-04-09") == true)
                #expect(lines.last?.hasPrefix("  " + told) == true)
            }
            #expect(ClosingStageSite.found { _ = try close(link, stages, by: "Luis") } == failure.found)
            try stages.proposeClose(period, by: "Ana")

            #expect(try close(link, stages, by: "Luis") == .closed)
        }
    }

    @Test func `an adjustment that is approved later is such a change`() async throws {
        try await ClosingStageSite.with { link, stages in
            let waiver = try stages.propose(
                ClosingStageSite.waiver("PEN-03"), in: period, contract: 1, delegation: 9, by: "Ana")
            try stages.proposeClose(period, by: "Ana")
            try stages.decide(adjustment: waiver, isApproved: true, reason: "r", by: "Luis")

            #expect(
                ClosingStageSite.found { _ = try close(link, stages, by: "Luis") }.contains(": contract 1: fees "))
        }
    }

    /// An upgrade may find one that kept no figures.
    @Test func `a proposal without figures has to be made again`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try PreviewDifference(link, MonthClosing(link, period: period).preview())
            try link.script("INSERT INTO closing_proposal VALUES (202403, 'Ana', '2024-04-08T12:00:00Z')")

            #expect(
                ClosingStageSite.found { _ = try close(link, stages, by: "Luis") }.hasPrefix(
                    "3 contracts of 2024-03 differ"))
        }
    }

    @Test func `where one person closes no proposal binds`() async throws {
        try await ClosingStageSite.with(needsTwo: false) { link, stages in
            try stages.proposeClose(period, by: "Ana")
            try link.script(ClosingStageSite.lessWork)

            #expect(try close(link, stages, by: "Ana") == .closed)
        }
    }

    @Test func `a month that a killed close left is given back before anything is proposed`() async throws {
        try await ClosingStageSite.with { link, stages in
            _ = try PeriodStore(link, period: period).markClosing()
            let failure = ClosingStageSite.failure { try stages.proposeClose(period, by: "Ana") }

            #expect(failure.found == "2024-03 is being closed")
            #expect(failure.remedy.contains("`dispatcherd close --period 2024-03 --give-back`"))
        }
    }

    // MARK: - Pre-statements

    /// Issued on Tuesday, April 9, and again on Thursday, April 11.
    @Test func `issued again the same bytes keep their time to object, and what changed has one of its own`()
        async throws
    {
        try await ClosingStageSite.with { link, stages in
            let first = try stages.issue(period, by: "Ana")
            #expect([first.statements, first.changed] == [3, 3])
            try link.script("UPDATE clock SET virtual_now = '2024-04-11T18:00:00Z'")
            let same = try stages.issue(period, by: "Eva")
            #expect(same.changed == 0 && same.until == first.until)
            #expect(
                try link.run("SELECT DISTINCT issued_by FROM pre_statement").map { $0.text(0) } == ["Ana"])
            try link.script(ClosingStageSite.renamed)
            let changed = try stages.issue(period, by: "Eva")
            #expect(changed.changed == 1 && "\(changed.until)" == "2024-04-19T06:00:00.000Z")
            #expect(
                try stages.preStatements(period).map(\.body)
                    == MonthClosing(link, period: period).preview().statements.map(\.body))
            func object(_ contract: Int32, _ agency: String) throws {
                _ = try stages.object(
                    period, contract: contract, delegation: 9, rule: "FEE-11", reason: "r", by: agency)
            }
            try link.script("UPDATE clock SET virtual_now = '2024-04-17T06:00:00Z'")

            #expect(
                ClosingStageSite.found { try object(1, "ACE01") }
                    == "the time to object to 2024-03 was over at 2024-04-17T06:00:00.000Z")
            try object(3, "ACE02")
            try link.script("UPDATE clock SET virtual_now = '2024-04-19T06:00:00Z'")
            #expect(ClosingStageSite.found { try object(3, "ACE02") }.hasSuffix("over at 2024-04-19T06:00:00.000Z"))
        }
    }
}
