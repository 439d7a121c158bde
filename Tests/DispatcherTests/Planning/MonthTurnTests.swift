// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// Two months, one after the other, with leases that are alive in between.
struct MonthTurnTests {
    @Test func `a live lease keeps holder, epoch and contract and counts; a changed strategy is recalled in two steps`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let march = try month.plan().apply()
            let hand = try month.hand(of: 1, "administrative", "telephone", in: 9)
            try month.lease(hand: hand, accounts: 30)
            let leases = "SELECT account_id, epoch FROM position WHERE hand_id = \(hand) AND position <= 30"
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.segment(PlannedMonth.april)
            // The first goes to another strategy, the second may not be collected; the others stay as they are.
            try month.link.script(
                """
                UPDATE placement SET strategy = 3 WHERE period = 202404
                   AND account_id = (SELECT account_id FROM position WHERE hand_id = \(hand) AND position = 1);
                UPDATE placement SET strategy = NULL, portfolio = NULL, exclusion = 'dispute' WHERE period = 202404
                   AND account_id = (SELECT account_id FROM position WHERE hand_id = \(hand) AND position = 2);
                -- The advisers carry what is held and ten more.
                UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 40
                 WHERE contract_id = 1 AND delegation_id = 9 AND portfolio = 1
                """)
            #expect(try month.plan(PlannedMonth.april).preview().recalled == 2)
            #expect(try month.number("SELECT count(*) FROM notice") == 0)
            let april = try month.plan(PlannedMonth.april).apply()

            #expect(april.recalled == 2)
            let notices = try month.link.run(
                "SELECT p.position, n.reason, n.final_at FROM notice n JOIN position p USING (account_id, epoch) ORDER BY 1"
            )
            #expect(notices.map { $0.int32(0) } == [1, 2])
            #expect(notices.map { $0.text(1) } == ["strategy-changed", "excluded"])
            #expect(notices.allSatisfy { "\($0.timestamp(2))".hasPrefix("2024-04-0") })
            // Nothing of it was dealt again, and the grant stands as it was.
            #expect(
                try month.number(
                    "SELECT count(*) FROM deal d JOIN (\(leases)) l USING (account_id) WHERE d.epoch <> l.epoch") == 0)
            #expect(
                try month.number(
                    "SELECT count(*) FROM lease_grant WHERE state = 'open' AND contract_id = 1 AND agency_id = 1") == 1)
            // All strategies of the station share forty, and thirty are held.
            let mine = april.pools.filter { $0.delegation == 9 && $0.portfolio == "telephone" }.flatMap(\.quotas)
                .filter { $0.contract == 1 }
            #expect(mine.reduce(0) { $0 + $1.held } == 30)
            #expect(mine.reduce(0) { $0 + $1.accounts } == 10)
            #expect(
                try month.number(
                    "SELECT sum(limit_accounts)::bigint FROM quota WHERE contract_id = 1 AND delegation_id = 9 AND portfolio = 1"
                )
                    == 40)
            #expect(mine.contains { $0.lastMonth > 0 })
            #expect(try month.plan(PlannedMonth.april).apply().state == .unchanged)
            #expect(try month.number("SELECT count(*) FROM notice") == 2)

            let compared = try PlanComparing(month.link).run("2024-03", "2024-04")
            #expect(
                compared.totals.first { $0.what == "to be dealt" }.map { [$0.before, $0.after] } == [
                    march.assigned, april.assigned,
                ])
            #expect(!compared.quotas.isEmpty)
            #expect(throws: CommandFailure.self) { try PlanComparing(month.link).run("2024-03", "99") }

            // At the date of the notice the lease ends, and the next month deals the account again under a new epoch.
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-20T06:00:00Z'")
            #expect(try Recalls.finish(month.link) == 2)
        }
    }

    /// Of three recalls of March that were withdrawn, April's cut takes away two, and a person withdraws both again; and a fourth one,
    /// which was under way when April was dealt.
    @Test func `a recall that was withdrawn bars no notice of a later month, and one of that month stays withdrawn`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = try month.hand(of: 1, "administrative", "telephone", in: 9)
            try month.lease(hand: hand, accounts: 30)
            let leases = try month.link.run(
                "SELECT account_id, epoch FROM position WHERE hand_id = \(hand) AND position <= 4 ORDER BY position"
            ).map { row in
                LeaseKey(
                    delegation: DealtMonth.delegation, account: try #require(AccountID(row.int64(0))),
                    epoch: try #require(Epoch(row.int64(1))))
            }
            let day = try #require(Timestamp(text: "2024-04-25T06:00:00Z"))
            #expect(
                try Recalls.notice(month.link, leases.dropLast(), reason: "no-progress", finalAt: day, by: "ana").count
                    == 3)
            for lease in leases.dropLast() {
                #expect(try Recalls.decide(month.link, lease, .withdrawn, reason: "works", by: "ana") != nil)
            }
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            // The second one moves, the first one goes to another strategy.
            try month.link.script(
                """
                UPDATE account SET delegation_id = 14, municipality = 14001
                 WHERE period = 202404 AND account_id = \(leases[1].account)
                """)
            try month.segment(PlannedMonth.april)
            try month.link.script(
                """
                UPDATE placement SET strategy = 3
                 WHERE period = 202404 AND account_id IN (\(leases[0].account), \(leases[3].account))
                """)
            let last = leases.suffix(1)
            #expect(
                try Recalls.notice(month.link, Array(last), reason: "no-progress", finalAt: day, by: "ana").count == 1)
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T07:00:00Z'")
            #expect(try month.plan(PlannedMonth.april).preview().recalled == 2)
            #expect(try month.plan(PlannedMonth.april).apply().recalled == 2)
            let underWay = "SELECT reason FROM notice WHERE decision IS NULL ORDER BY reason"
            #expect(
                try month.link.run(underWay).map { $0.text(0) }
                    == ["delegation-changed", "no-progress", "strategy-changed"])

            for lease in leases.prefix(2) + last {
                #expect(try Recalls.decide(month.link, lease, .withdrawn, reason: "stays", by: "ana") != nil)
            }
            #expect(try month.plan(PlannedMonth.april).apply().recalled == 0)
            #expect(try month.link.run(underWay).isEmpty)
        }
    }

    /// The first five of thirty held accounts are in the new cut where their debtors moved to.
    @Test
    func `who is held and moves to another delegation is counted once, not dealt there, and recalled in two steps`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = try month.hand(of: 1, "administrative", "telephone", in: 9)
            try month.lease(hand: hand, accounts: 30)
            let moved = "SELECT account_id FROM position WHERE hand_id = \(hand) AND position <= 5"
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.link.script(
                """
                UPDATE account SET delegation_id = 14, municipality = 14001
                 WHERE period = 202404 AND account_id IN (\(moved))
                """)
            try month.segment(PlannedMonth.april)
            let placed = try month.number(
                "SELECT count(*) FROM placement WHERE period = 202404 AND strategy IS NOT NULL")
            let preview = try month.plan(PlannedMonth.april).preview()
            let april = try month.plan(PlannedMonth.april).apply()

            for report in [preview, april] {
                let held = report.pools.flatMap(\.quotas).reduce(0) { $0 + $1.held }
                #expect(held == 30)
                #expect(report.accounts + held == placed)
                #expect(report.recalled == 5)
            }
            #expect(april.dealt?.accounts == april.assigned)
            let live =
                "SELECT count(*) FROM position p JOIN hand h USING (delegation_id, hand_id) WHERE h.period = 202404"
            #expect(try month.number(live + " AND p.account_id IN (\(moved))") == 0)
            #expect(
                try month.number(
                    "SELECT count(*) FROM notice WHERE reason = 'delegation-changed' AND account_id IN (\(moved))") == 5
            )

            // Dealt again within the month they stay out; once the recall is final, they are dealt where they are.
            let again = RedealRun(month.link, scope: RedealScope(.everything), reason: "rebalance", by: "ana")
            _ = try again.run()
            #expect(try month.number(live + " AND p.account_id IN (\(moved))") == 0)
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-20T06:00:00Z'")
            #expect(try Recalls.finish(month.link) == 5)
            _ = try again.run()
            #expect(try month.number(live + " AND p.delegation_id = 14 AND p.account_id IN (\(moved))") == 5)
        }
    }

    /// No node runs that would have swept it. The first grant ends in the middle of April, its grace a day later.
    @Test(arguments: [("2024-04-01T06:00:00Z", 30), ("2024-04-29T06:00:00Z", 0)])
    func `a lease past its enforced term is dealt again, swept or not, and a preview leaves it as it is`(
        now: String, held: Int64
    ) async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            try month.lease(hand: try month.hand(of: 1, "administrative", "telephone", in: 9), accounts: 30)
            try month.link.script("UPDATE lease_grant SET term = '2024-04-15T06:00:00Z', grace_us = 86400000000")
            try month.link.script("UPDATE clock SET virtual_now = '\(now)'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.segment(PlannedMonth.april)
            let open = "SELECT count(*) FROM lease_grant WHERE state = 'open'"
            let preview = try month.plan(PlannedMonth.april).preview()
            #expect(try month.number(open) == 1)
            let applied = try month.plan(PlannedMonth.april).apply()

            for report in [preview, applied] {
                #expect(report.pools.flatMap(\.quotas).reduce(0) { $0 + $1.held } == held)
            }
            #expect(preview.assigned == applied.assigned)
            #expect(try month.number(open) == (held > 0 ? 1 : 0))
        }
    }

    @Test func `early, middle and late pullers get every stratum in its proportion, and no accounts picked by number`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.link.script(
                "UPDATE account SET regime = 1 + account_id % 3, balance = 9000000 * (1 + account_id % 7)")
            let file = try PlanSettingsFile(text: "settings: mine\nstrata: [band, balance, employment]\n")
            _ = try PlanSettingsBook(month.link).put(file, from: PlannedMonth.march, by: "ana")
            try month.segment()
            _ = try month.plan().apply()
            let rows = try month.link.run(
                """
                SELECT hand_id, priority, stratum, account_id FROM position ORDER BY delegation_id, hand_id, position
                """)
            var classes: [[Int64]: [(stratum: Int32, account: Int64)]] = [:]
            for row in rows {
                classes[[Int64(row.int32(0)), Int64(row.int16(1))], default: []]
                    .append((row.int32(2), row.int64(3) % 100_000))
            }

            #expect(Set(rows.map { $0.int32(2) }).count > 40)
            var early = Moments()
            var late = Moments()
            for hand in classes.values where hand.count >= 60 {
                let whole = Dictionary(grouping: hand, by: \.stratum).mapValues(\.count)
                for part in [0..<hand.count / 3, hand.count / 3..<hand.count * 2 / 3, hand.count * 2 / 3..<hand.count] {
                    let pulled = Dictionary(grouping: hand[part], by: \.stratum).mapValues(\.count)
                    // Spread evenly: at either end of the part at most one account is early or late.
                    #expect(
                        whole.allSatisfy {
                            abs(pulled[$0, default: 0] * hand.count - $1 * part.count) <= 2 * hand.count
                        })
                }
                for item in hand.prefix(hand.count / 3) { early.add(item.account) }
                for item in hand.suffix(hand.count / 3) { late.add(item.account) }
            }
            // The cut numbers its accounts evenly: were numbers favoured, the means would part. Four standard errors.
            #expect(early.count > 300)
            #expect(early.isWithinFourErrors(of: late))
        }
    }
}

/// Count, sum and sum of squares: enough to compare two means without a fraction.
private struct Moments {
    private(set) var count: Int64 = 0
    private var sum: Int64 = 0
    private var squares: Int64 = 0

    mutating func add(_ value: Int64) {
        count += 1
        sum += value
        squares += value * value
    }

    /// Of n values each: (a - b)² <= 16 · (var a + var b) / n, times n².
    func isWithinFourErrors(of other: Moments) -> Bool {
        let variance = squares - sum * sum / count + other.squares - other.sum * other.sum / other.count
        let difference = sum - other.sum
        return count == other.count && difference * difference <= 16 * variance
    }
}
