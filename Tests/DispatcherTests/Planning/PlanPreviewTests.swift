// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// What a manager sees before a plan is applied, and that what was seen is what is applied.
struct PlanPreviewTests {
    @Test func `a preview deals in memory what apply then deals, down to what rotation leaves over`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = try month.hand(of: 1, "administrative", "telephone", in: 9)
            try month.lease(hand: hand, accounts: 30)
            try month.end(hand, 1...30, "return", reason: "capacity")
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.segment(PlannedMonth.april)
            // Nobody else works administrative there any more: what ACE01 gave back finds nobody.
            try month.link.script("UPDATE contract SET strategies = '{3,4}' WHERE contract_id = 2")
            let numbers = try month.number("SELECT last_value FROM hand_number")
            let preview = try month.plan(PlannedMonth.april).preview()
            #expect(try month.number("SELECT last_value FROM hand_number") == numbers, "no number is used up")
            #expect(try month.plan(PlannedMonth.april).preview(deals: false).dealt == nil)
            let applied = try month.plan(PlannedMonth.april).apply()

            let tried = try #require(preview.dealt)
            let dealt = try #require(applied.dealt)
            #expect(tried.accounts == dealt.accounts && tried.hands == dealt.hands)
            #expect(tried.left.map(\.reason) == dealt.left.map(\.reason))
            #expect(tried.left.map(\.accounts) == dealt.left.map(\.accounts))
            #expect(tried.left.first { $0.reason == "rotation" }?.accounts == 30)
            #expect(preview.summary.contains { $0.hasPrefix("would be dealt: ") })
            // Again, the plan in force tells what was left, though not any more of each why.
            let again = try month.plan(PlannedMonth.april).apply()
            #expect(
                again.summary.contains("with a quota and not dealt: \(again.assigned - dealt.accounts)"))
            #expect(applied.summary.contains { $0.hasPrefix("what kept accounts from everybody, beside quotas: ") })
        }
    }

    @Test func `a strategy that goes empty is told with the contracts that are for it`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            func told() throws -> [String] {
                try month.plan().preview().warnings.filter { $0.contains(" in preventive, ") }
            }
            #expect(try told() == [])
            try month.link.script("UPDATE placement SET strategy = NULL WHERE strategy = 1")
            #expect(
                try told() == [
                    "no account waits to be dealt in preventive, which contract 4 is for: nothing of it is dealt"
                ])
        }
    }

    @Test func `a digest applies the plan that it is of, and after a new segmentation none`() async throws {
        try await PlannedMonth.with { month in
            func apply(_ digest: String) throws -> PlanReport {
                try PlanRun(month.link, period: PlannedMonth.march, expected: try PlanDigest(text: digest)).apply()
            }
            try month.addCut()
            try month.segment()
            let seen = try month.plan().preview().digest
            try month.addStop(account: 900_009, reason: "payoff")
            try month.segment()
            let changed = try month.plan().preview()

            let refused = #expect(throws: CommandFailure.self) { try apply(seen) }
            #expect(refused?.exit == .findings)
            #expect(refused?.found.contains("it is \(changed.digest.prefix(16)) now") == true)
            #expect(refused?.found.contains(Console.grouped(Int(changed.accounts))) == true)
            #expect(try month.number("SELECT (SELECT count(*) FROM plan) + (SELECT count(*) FROM hand)") == 0)

            // Its beginning is enough, in any letters; seven digits are too few.
            #expect(throws: CommandFailure.self) { try apply(String(changed.digest.prefix(7))) }
            #expect(throws: CommandFailure.self) { try apply("0123456g") }
            #expect(try apply(changed.digest.prefix(8).uppercased()).state == .applied)
            #expect(try apply(changed.digest).state == .unchanged)
            #expect(throws: CommandFailure.self) { try apply(seen) }
        }
    }

    @Test func `a preview sets every limit beside what it limits: advisers, bonds, last month`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let march = try month.plan().preview()
            #expect(march.change == nil && !march.detail.contains { $0.contains("+") })
            let bond = try #require(march.bonds.first)
            #expect(march.bonds.count == 1 && bond.contract == 3 && bond.bond == "100000.00" && bond.basis == "overdue")
            let mine = march.pools.flatMap(\.quotas).filter { $0.contract == 3 }
            #expect(bond.quotas == mine.count && bond.binds == mine.filter { $0.binding == "bond" }.count)
            #expect(march.detail.contains { $0.hasPrefix("bonds, of contract") })
            // 10 advisers are committed everywhere; so many accounts of a place take the hundreds, rounded up.
            for line in march.staffing {
                #expect(line.needed == (line.accounts + 199) / 200 && line.committed == 10)
            }
            #expect(march.detail.contains { $0.hasPrefix("advisers, in delegation") })

            _ = try month.plan().apply()
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april, count: 1_000)
            try month.segment(PlannedMonth.april)
            // Who works no more has lost what it had, though it is in no pool.
            try month.link.script("UPDATE contract SET ends_on = '2024-03-31' WHERE contract_id = 4")
            let april = try month.plan(PlannedMonth.april).preview()
            let lost = march.pools.flatMap(\.quotas).filter { $0.contract == 4 }.reduce(0) { $0 + $1.accounts }
            let quotas = april.pools.flatMap(\.quotas)
            let fewer = -quotas.compactMap(\.change).filter { $0 < 0 }.reduce(0, +)
            #expect(lost > 0 && quotas.allSatisfy { $0.change == $0.accounts + $0.held - $0.lastMonth })
            #expect(april.change?.fewer == fewer + lost && april.change?.more == 0)
        }
    }

    @Test func `settings that give away more than the whole are not put in force, and say whose shares they are`()
        async throws
    {
        try await PlannedMonth.with { month in
            let book = PlanSettingsBook(month.link)
            func put(_ shares: String) throws -> Bool {
                try book.put(
                    try PlanSettingsFile(text: "settings: mine\nshares: [\(shares)]\n"), from: PlannedMonth.march,
                    by: "ana")
            }
            let refused = #expect(throws: CommandFailure.self) {
                try put("{delegations: [9], strategies: [dual], fixed: {1: 60 %, 2: 40.01 %}}")
            }
            #expect(
                refused?.found
                    == "the targets of delegation 9, dual, add up to 100.01 %: contract 1 60 %, contract 2 40.01 %")
            let kept = try book.inForce(PlannedMonth.march)
            #expect(kept == .standard)
            #expect(try put("{delegations: [9], strategies: [dual], fixed: {1: 60 %, 2: 40 %}}"))
        }
    }

    @Test func `fixed shares that leave something over, or somebody out, are told with their numbers`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let part = try month.preview("shares: [{delegations: [9], strategies: [dual], fixed: {1: 70 %}}]")
            #expect(
                part.warnings.contains {
                    $0.hasPrefix("the fixed shares of delegation 9, dual, come to 70 %: placing comes before shares")
                })
            #expect(
                part.warnings.contains(
                    "contract 2 works dual in delegation 9 and has none of its fixed shares: it gets nothing of it"))
            let whole = try month.preview("shares: [{delegations: [9], strategies: [dual], fixed: {1: 70 %, 2: 30 %}}]")
            #expect(!whole.warnings.contains { $0.contains("fixed shares") })
        }
    }

    @Test func `whom the settings name and nobody is, is told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let report = try month.preview(
                "search: [ACE02, ACE77]\nshares: [{strategies: [dual], fixed: {1: 50 %, 2: 40 %, 99: 10 %}}]")
            #expect(report.warnings.contains("the settings give a share to contract 99, and there is no such contract"))
            #expect(report.warnings.contains("the settings name ACE77 to search, and it has no contract"))
            #expect(!report.warnings.contains { $0.contains("ACE02") })
        }
    }

    @Test func `the settings of the page are read, put and planned by`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let page = try String(
                contentsOf: URL(filePath: Checkout.root + "/docs/allocation.md"), encoding: .utf8)
            let block = try #require(page.split(separator: "```yaml\n").dropFirst().first)
            let text = try #require(block.split(separator: "```").first)
            let file = try PlanSettingsFile(text: String(text))
            let report = try PlanRun(month.link, period: PlannedMonth.march, settings: file).preview()

            #expect(report.settings == "mine" && report.assigned > 0)
            #expect(try PlanSettingsBook(month.link).put(file, from: PlannedMonth.april, by: "ana"))
        }
    }

    @Test func `what-if finds leases whose term is over as the preview does, and counts what is held of every pool`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-05T06:00:00Z'")
            _ = try month.plan().apply()
            let hand = Int32(
                try month.number("SELECT min(hand_id)::bigint FROM hand WHERE contract_ids = '{1}' AND size > 20"))
            try month.lease(hand: hand, accounts: 20)
            let now = try month.whatIf([.hold(try #require(AgencyID(1)))])
            #expect(now.totals.first { $0.what == "held" }.map { [$0.before, $0.after] } == [20, 20])
            #expect(now.agencies.first { $0.what == "ACE01" }?.after ?? 0 == 0, "to be dealt")
            // What it holds stays with it, so its quotas fall to that and not to nothing.
            #expect(now.quotas.filter { $0.contract == 1 }.reduce(0) { $0 + $1.after } == 20)

            try month.link.script("UPDATE clock SET virtual_now = '2024-06-20T06:00:00Z'")
            let later = try month.whatIf([.cap(try #require(BasisPoints(9_000)))])
            let preview = try month.plan().preview()
            #expect(later.totals.first { $0.what == "waiting" }?.before == preview.accounts)
            #expect(later.totals.first { $0.what == "held" }?.before == 0)
            #expect(
                try month.number("SELECT count(*) FROM lease_grant WHERE state = 'open'") == 1, "nothing is written")
        }
    }

    @Test func `what-if takes shares of one place, and refuses those that name nobody there`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let moved = try month.whatIf([try .init(shares: "9/dual=1:75,2:25")])
            for quota in moved.quotas { #expect(quota.delegation == 9 && quota.strategy == "dual") }
            let gained = moved.quotas.filter { $0.contract == 1 }.reduce(0) { $0 + $1.after - $1.before }
            #expect(
                gained > 0
                    && gained == -moved.quotas.filter { $0.contract == 2 }.reduce(0) { $0 + $1.after - $1.before })
            #expect(try month.whatIf([try .init(shares: "9/dual=1:50,2:50")]).quotas.isEmpty)

            for text in [
                "9/dual", "9/dual=", "9/dual=1", "9/dual=1:101", "9/dual=1:50,1:50", "33/dual=1:50", "9/x=1:50",
            ] {
                #expect(throws: CommandFailure.self, "\(text)") { try PlanTrial.Change(shares: text) }
            }
            #expect(throws: CommandFailure.self) { try month.whatIf([try .init(shares: "9/dual=1:60,2:41")]) }
            #expect(throws: CommandFailure.self) { try month.whatIf([try .init(shares: "9/dual=3:50")]) }
            for text in ["40 %", "40%", "40"] {
                #expect(try PlanTrial.Change(cap: text) == .cap(try #require(BasisPoints(4_000))))
            }
            #expect(throws: CommandFailure.self) { try PlanTrial.Change(cap: "0 %") }
        }
    }
}
