// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct SegmentationRunTests {
    @Test func `every account has exactly one verdict`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let report = try month.segment()

            #expect(report.accounts == 3_800)
            #expect(report.placedAccounts + report.excludedAccounts + report.nothingToCollect == 3_800)
            #expect(
                try month.number("SELECT count(*) FROM placement WHERE strategy IS NOT NULL") == report.placedAccounts)
            #expect(
                try month.number("SELECT count(*) FROM placement WHERE strategy IS NULL") == report.excludedAccounts)
            #expect(
                try month.number("SELECT count(DISTINCT account_id) FROM placement") == 3_800 - report.nothingToCollect)
            #expect(
                try month.number("SELECT accounts - placed - excluded FROM segmentation") == report.nothingToCollect)
        }
    }

    @Test func `the same cut and policy change nothing and say so`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let first = try month.segment()
            let second = try month.segment()

            #expect(!first.isUnchanged)
            #expect(second.isUnchanged)
            #expect(second.digest == first.digest)
            #expect(second.lines.last == "nothing changed: the same placements were there already")
        }
    }

    @Test func `the order of the rows does not matter`() async throws {
        var digests: Set<String> = []
        for descending in [false, true] {
            try await PlannedMonth.with { month in
                try month.addCut(descending: descending)
                let report = try month.segment()
                digests.insert(report.digest + report.cutDigest)
            }
        }

        #expect(digests.count == 1)
    }

    /// It is of what the rules read, so another policy gives another one on the same cut: no word may let it pass for the cut's.
    @Test func `the digest of what the rules read is named for what it is`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let mine = try month.segment()
            let fonacot = try PolicyFile(text: ShippedPolicy.text("fonacot-pool"))
            let other = try SegmentationRun(month.link, period: PlannedMonth.march, policy: fonacot).run()

            #expect(mine.cutDigest != other.cutDigest)
            for report in [mine, other] {
                let digest = report.cutDigest.prefix(16)
                let words = ", what its rules read of the cut \(digest), placements "
                #expect(report.lines.contains { $0.contains(words) })
            }
            #expect(try PolicyRuns(month.link, period: nil).lines[0].contains("  digest of what it reads  "))
        }
    }

    @Test func `after a plan is dealt it names all that still places accounts`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()

            let failure = #expect(throws: CommandFailure.self) { try month.segment() }
            #expect(
                failure?.description.contains("placed by import stops, import starts and the next period") == true)
        }
    }

    @Test func `mediation invites up to each delegation's sessions, the rest stays dual`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let report = try month.segment()

            #expect(report.sessions.capacity == 4)
            #expect(report.sessions.invited == 4)
            #expect(report.sessions.candidates > 4)
            #expect(
                try month.number(
                    "SELECT min(n) FROM (SELECT count(*) n FROM placement WHERE strategy = 4 GROUP BY delegation_id) x")
                    == 2)
            #expect(
                try month.number(
                    "SELECT count(*) FROM placement p JOIN account USING (delegation_id, account_id) WHERE strategy = 3 AND arrears > 9"
                )
                    == report.sessions.candidates - 4)
        }
    }

    @Test(arguments: [
        ("lawsuit", "lawsuit"), ("death", "insured"), ("payoff", "liquidated"), ("fpp", "fpp"),
        ("extension", "extension"),
        ("dispute", "dispute"), ("disaster", "disaster"),
    ])
    func `a stop excludes as the cut's own column would`(stop: String, reason: String) async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.addStop(account: 1_400_005, reason: stop)
            let report = try month.segment()

            #expect(!report.isUnchanged)
            let row = try month.link.run("SELECT exclusion, rule FROM placement WHERE account_id = 1400005").first
            #expect(row?.optionalText(0) == reason)
            #expect(row?.text(1) == "exclusion.\(reason)")
        }
    }

    @Test func `the policy is kept byte for byte`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()

            let body = try month.link.run("SELECT body FROM policy p JOIN segmentation ON p.digest = policy_digest")
                .first?
                .text(0)
            #expect(body == month.policy.text)
        }
    }

    @Test func `a period without a cut is refused`() async throws {
        try await PlannedMonth.with { month in
            #expect(throws: CommandFailure.self) { try month.segment() }
            #expect(throws: CommandFailure.self) { try month.segment(PlannedMonth.april) }
        }
    }

    @Test func `a closed period keeps its placements`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script("UPDATE period SET state = 'closed'")
            try month.addStop(account: 1_400_005, reason: "lawsuit")

            let failure = #expect(throws: CommandFailure.self) { try month.segment() }
            #expect(failure?.description.contains("2024-03 is closed") == true)
            #expect(try month.number("SELECT count(*) FROM placement WHERE exclusion = 'lawsuit'") == 0)
        }
    }

    @Test func `a policy that is not in force yet is refused`() async throws {
        try await PlannedMonth.with { month in
            let later = try PolicyFile(
                text: month.policy.text.replacing("effective: 20", with: "effective: 21"))
            try month.addCut()

            #expect(throws: CommandFailure.self) {
                try SegmentationRun(month.link, period: PlannedMonth.march, policy: later).run()
            }
        }
    }

    @Test func `placements that were dealt stay`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            try month.addStop(account: 1_400_005, reason: "lawsuit")

            #expect(throws: CommandFailure.self) { try month.segment() }
        }
    }

    @Test func `new rules for a closed month are warned of, the same rules are not`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script("UPDATE period SET state = 'closed'")
            let changed = month.policy.text.replacing("{arrears: {above: 3}}", with: "{arrears: {above: 2}}")
            var same = PolicyCheck(text: month.policy.text + "# a remark\n", file: "same")
            var other = PolicyCheck(text: changed, file: "other")
            try same.compareWithClosed(month.link)
            try other.compareWithClosed(month.link)

            #expect(same.warnings.isEmpty)
            #expect(
                other.warnings.map(\.found) == [
                    "it is in force from 2023-12-01, but 2024-03 is closed and was placed by other rules under the same name"
                ])
            #expect(other.warnings.first?.line == month.policy.text.lines(before: "  - version: 2023-12") + 1)
        }
    }
}

extension String {
    fileprivate func lines(before part: String) -> Int {
        firstRange(of: part).map { self[..<$0.lowerBound].count { $0 == "\n" } } ?? -1
    }
}
