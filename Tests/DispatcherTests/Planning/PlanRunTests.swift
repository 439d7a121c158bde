// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct PlanRunTests {
    @Test func `every dealt account is in one open hand under its first epoch`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let report = try month.plan().apply()

            #expect(report.state == .applied)
            #expect(report.dealt?.accounts == report.assigned)
            #expect(try month.number("SELECT count(*) FROM position") == report.assigned)
            #expect(try month.number("SELECT count(DISTINCT account_id) FROM deal") == report.assigned)
            #expect(try month.number("SELECT count(*) FROM deal WHERE epoch <> (1::bigint << 32) + 1") == 0)
            #expect(try month.number("SELECT count(*) FROM hand WHERE state <> 'open' OR is_front") == 0)
            #expect(
                try month.number(
                    """
                    SELECT count(*) FROM position p
                      JOIN deal d USING (delegation_id, hand_id, position, account_id, epoch)
                      JOIN hand h USING (delegation_id, hand_id)
                      JOIN placement l ON l.delegation_id = p.delegation_id AND l.account_id = p.account_id
                       AND l.strategy = h.strategy AND l.portfolio = h.portfolio AND l.tactic = p.tactic
                       AND l.priority = p.priority
                    """) == report.assigned)
        }
    }

    @Test func `each hand has its size, terms and digest`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()

            let wrong = try month.number(
                """
                SELECT count(*) FROM hand h LEFT JOIN LATERAL (
                    SELECT count(*) AS n, coalesce(max(position), 0) AS last,
                           sha256(coalesce(string_agg(int8send(account_id) || int8send(epoch), '' ORDER BY position), '')) AS digest
                      FROM position p WHERE p.delegation_id = h.delegation_id AND p.hand_id = h.hand_id) p ON true
                 WHERE h.size <> p.n OR p.last <> p.n OR h.digest <> p.digest
                    OR h.term_days <> CASE h.strategy WHEN 1 THEN 20 ELSE 30 END
                    OR h.grace_us <> 86400000000 OR h.late_report_us <> 172800000000
                """)
            #expect(wrong == 0)
        }
    }

    @Test func `preview shows what apply deals and writes nothing`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let preview = try month.plan().preview()
            #expect(try month.number("SELECT (SELECT count(*) FROM plan) + (SELECT count(*) FROM quota)") == 0)
            let applied = try month.plan().apply()

            #expect(preview.digest == applied.digest)
            #expect(preview.pools.map(\.accounts) == applied.pools.map(\.accounts))
            #expect(
                try month.number("SELECT sum(limit_accounts)::bigint FROM quota") == preview.assigned)
        }
    }

    @Test func `the same plan again changes nothing, another one is refused`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let first = try month.plan().apply()
            let second = try month.plan().apply()

            #expect(second.state == .unchanged)
            #expect(second.plan == first.plan)
            #expect(try month.number("SELECT count(*) FROM plan") == 1)
            #expect(throws: CommandFailure.self) { try month.plan(seed: 7).apply() }
        }
    }

    @Test func `the same plan again shows its own figures, whatever a plan of today would be`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let first = try month.plan().apply(by: "ana")
            try month.link.script(
                """
                UPDATE contract_capacity SET committed_advisers = 1;
                UPDATE contract SET ends_on = '2024-02-01' WHERE contract_id = 2
                """)
            let today = try month.plan().preview()
            let second = try month.plan().apply(by: "luis")

            #expect(today.digest != first.digest)
            #expect(today.isApplied)
            #expect(today.summary.first?.hasPrefix("plan \(first.plan ?? 0) of 2024-03 is in force") == true)
            #expect(second.digest == first.digest)
            #expect(second.assigned == first.assigned)
            #expect(second.pools.map(\.accounts) == first.pools.map(\.accounts))
            #expect(
                second.pools.flatMap { $0.quotas.map(\.accounts) } == first.pools.flatMap { $0.quotas.map(\.accounts) })
            #expect(second.dealt?.accounts == first.dealt?.accounts)
            #expect(second.dealt?.hands == first.dealt?.hands)
            #expect(second.persons == ["ana"])
            #expect(second.appliedAt != nil)
        }
    }

    @Test func `a plan that deals nothing says so, and is applied only by one who says so too`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script("UPDATE contract SET ends_on = '2024-02-01'")
            let preview = try month.plan().preview()
            let refused = #expect(throws: CommandFailure.self) { try month.plan().apply() }

            #expect(preview.assigned == 0)
            #expect(preview.summary.first?.hasPrefix("WARNING: this plan deals nothing") == true)
            #expect(refused?.exit == .usage)
            #expect(refused?.description.contains("import contracts") == true)
            #expect(try month.number("SELECT count(*) FROM plan") == 0)
            let report = try PlanRun(month.link, period: PlannedMonth.march, dealsNothing: true).apply()
            #expect(report.state == .applied)
            #expect(report.summary.first?.hasPrefix("WARNING: this plan deals nothing") == true)
        }
    }

    @Test func `one contract that takes one pool is enough for a plan`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script("UPDATE contract SET ends_on = '2024-02-01' WHERE contract_id <> 4")
            let report = try month.plan().apply()

            #expect(report.alarm == nil)
            #expect(report.assigned > 0)
        }
    }

    @Test func `another seed deals another order of the same quotas`() async throws {
        var orders: Set<[Int64]> = []
        for seed in [5, 5, 6] as [Int64] {
            try await PlannedMonth.with { month in
                try month.addCut()
                try month.segment()
                _ = try month.plan(seed: seed).apply()
                let rows = try month.link.run(
                    "SELECT account_id FROM position ORDER BY delegation_id, hand_id, position")
                orders.insert(rows.map { $0.int64(0) })
            }
        }

        #expect(orders.count == 2)
    }

    @Test func `a period without placements, or closed, is refused`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let unsegmented = #expect(throws: CommandFailure.self) { try month.plan().apply() }
            #expect(unsegmented?.description.contains("dispatcherd segment --period 2024-03") == true)
            try month.segment()
            try month.link.script("UPDATE period SET state = 'closed'")

            #expect(throws: CommandFailure.self) { try month.plan().apply() }
            #expect(try month.number("SELECT count(*) FROM plan") == 0)
        }
    }

    @Test func `an apply that was killed is taken back and its epochs are not used again`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let digest = try month.segment().digest
            _ = try month.plan().apply()
            // As if the last transaction had never come.
            try month.link.script(
                """
                UPDATE plan SET state = 'dealing';
                UPDATE hand SET state = 'inactive';
                DELETE FROM quota_history;
                DELETE FROM quota
                """)
            #expect(throws: CommandFailure.self) { try month.segment() }
            let report = try month.plan().apply()

            #expect(report.segmentationDigest == digest)
            #expect(try month.number("SELECT count(*) FROM plan WHERE state = 'discarded'") == 1)
            #expect(try month.number("SELECT count(*) FROM plan WHERE state = 'applied'") == 1)
            #expect(
                try month.number("SELECT count(*) FROM position WHERE epoch = (1::bigint << 32) + 2") == report.assigned
            )
            #expect(try month.number("SELECT count(*) FROM position") == report.assigned)
            #expect(try month.number("SELECT count(*) FROM deal") == 2 * report.assigned)
        }
    }

    @Test
    func
        `beside an apply that deals, neither an apply nor a discard takes its plan back; one that is gone is taken over`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut(count: 420)
            try month.segment()
            _ = try month.plan().apply()
            #expect(try month.number("SELECT count(*) FROM plan_dealing") == 0)
            // As if the last transaction had not come yet, of a process that is there.
            try month.link.script(
                """
                UPDATE plan SET state = 'dealing';
                UPDATE hand SET state = 'inactive';
                DELETE FROM quota_history;
                DELETE FROM quota;
                INSERT INTO plan_dealing
                SELECT plan_id, a.pid, a.backend_start, clock_timestamp() FROM plan, LATERAL (
                    SELECT * FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_start IS NOT NULL LIMIT 1) a
                """)
            let second = #expect(throws: CommandFailure.self) { try month.plan().apply() }
            #expect(second?.description.contains("is being dealt by another command") == true)
            #expect(second?.exit == .usage)
            #expect(throws: CommandFailure.self) { try month.plan().discard() }
            #expect(try month.number("SELECT count(*) FROM plan WHERE state = 'dealing'") == 1)

            // Behind a pooler the process stays, and the beats stop.
            try month.link.script("UPDATE plan_dealing SET beat_at = beat_at - interval '10 minutes'")
            #expect(try month.plan().discard() == 1)
            #expect(try month.plan().apply().state == .applied)
            #expect(try month.number("SELECT count(*) FROM plan_dealing") == 0)
        }
    }

    @Test func `a stopped plan can be discarded, an applied one not`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            #expect(throws: CommandFailure.self) { try month.plan().discard() }
            try month.link.script("UPDATE plan SET state = 'dealing'; UPDATE hand SET state = 'inactive'")

            #expect(try month.plan().discard() != nil)
            #expect(try month.plan().discard() == nil)
            #expect(try month.number("SELECT count(*) FROM hand") == 0)
        }
    }

    @Test func `an account that is stopped after the segmentation is not dealt`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.addStop(account: 1_400_005, reason: "death")
            _ = try month.plan().apply()

            #expect(
                try month.number("SELECT count(*) FROM placement WHERE account_id = 1400005 AND strategy IS NOT NULL")
                    == 1)
            #expect(try month.number("SELECT count(*) FROM deal WHERE account_id = 1400005") == 0)
        }
    }

    @Test func `no contract passes its bond, to the centavo`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let report = try month.plan().apply()
            let limited = report.pools.flatMap(\.quotas).filter { $0.contract == 3 }

            #expect(limited.contains { $0.binding == "bond" })
            #expect(
                try month.number(
                    """
                    SELECT sum(exposure)::bigint FROM position JOIN hand USING (delegation_id, hand_id) WHERE contract_ids = '{3}'
                    """) <= 10_000_000)
            #expect(
                try month.number("SELECT sum(limit_exposure)::bigint FROM quota WHERE contract_id = 3") <= 10_000_000)
            #expect(
                try month.number(
                    """
                    SELECT count(*) FROM hand h JOIN quota q ON q.delegation_id = h.delegation_id
                       AND q.contract_id = h.contract_ids[1] AND q.strategy = h.strategy AND q.portfolio = h.portfolio
                     WHERE h.size > q.limit_accounts
                    """) == 0)
        }
    }

    @Test func `a contract outside its dates and an agency on hold are left out with a warning`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script(
                """
                UPDATE contract SET ends_on = '2024-02-29' WHERE contract_id = 1;
                UPDATE agency SET status = 'hold' WHERE agency_id = 2
                """)
            let report = try month.plan().preview()

            #expect(report.warnings.contains("contract 1 of ACE01 is left out: it ended on 2024-02-29"))
            #expect(report.warnings.contains("contract 2 of ACE02 is left out: the agency is on hold"))
            // Contract 2 could take them if its agency were not on hold.
            let dual = report.pools.filter { $0.strategy == "dual" }
            #expect(!dual.isEmpty && dual.allSatisfy { $0.unassigned.map(\.reason) == ["hold"] })
        }
    }

    @Test func `a contract by present advisers takes what is staffed`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            try month.link.script(
                """
                UPDATE contract_capacity SET accounts_per_adviser = 20 WHERE contract_id = 4;
                INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, supersedes, import_id)
                SELECT 202403, f.*, (SELECT max(import_id) FROM import)
                  FROM (VALUES ('a', 'staffing', 4, 14::smallint, date '2024-02-10', 1::smallint, '9', NULL),
                               ('b', 'staffing', 4, 14::smallint, date '2024-02-20', 1::smallint, '5', NULL),
                               ('c', 'staffing', 4, 14::smallint, date '2024-02-20', 1::smallint, '3', 'b'),
                               ('d', 'staffing', 4, 14::smallint, date '2024-03-20', 1::smallint, '8', NULL)) AS f
                """)
            let report = try month.plan().preview()
            let quotas = report.pools.filter { $0.strategy == "preventive" }.map {
                ($0.delegation, $0.quotas.map(\.accounts))
            }

            #expect(quotas.map(\.0) == [9, 14])
            #expect(quotas.map(\.1) == [[200], [60]])
            #expect(
                report.warnings == [
                    "contract 4 goes by present advisers and has no staffing fact for delegation 9, 14: the committed ones are taken"
                ])
        }
    }

    @Test func `at the month's turn what is held stays and counts, the rest is dealt anew`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = try #require(
                try month.link.run(
                    "SELECT hand_id FROM hand WHERE strategy = 2 AND portfolio = 1 AND delegation_id = 14 AND contract_ids = '{1}'"
                )
                .first?.int32(0))
            try month.lease(hand: hand, accounts: 10)
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-01T06:00:00Z'")
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.segment(PlannedMonth.april)
            let report = try month.plan(PlannedMonth.april).apply()

            #expect(
                try month.number("SELECT count(*) FROM hand WHERE period = 202403 AND state <> 'closed'") == 0)
            #expect(
                try month.number(
                    """
                    SELECT count(*) FROM position n JOIN hand h USING (delegation_id, hand_id)
                     WHERE h.period = 202404 AND n.account_id IN
                           (SELECT account_id FROM position o WHERE o.hand_id = \(hand) AND o.position <= 10)
                    """) == 0)
            let quota = report.pools.first {
                $0.delegation == 14 && $0.strategy == "administrative" && $0.portfolio == "telephone"
            }?
            .quotas.first { $0.contract == 1 }
            #expect(quota?.held == 10)
            #expect(
                try month.number(
                    """
                    SELECT limit_accounts FROM quota
                     WHERE delegation_id = 14 AND contract_id = 1 AND strategy = 2 AND portfolio = 1
                    """) == (quota?.accounts ?? 0) + 10)
            #expect(throws: CommandFailure.self) { try month.plan().preview() }
        }
    }

    @Test func `the ledger records quotas and hands when they are opened`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            // What the segmentation told it.
            let before = try month.number("SELECT sum(count)::bigint FROM block")
            let blocks = try month.number("SELECT count(*) FROM block")
            _ = try month.plan().apply()

            let hands = try month.number("SELECT count(*) FROM hand")
            let quotas = try month.number("SELECT count(*) FROM quota")
            // The plan itself is recorded in each of its two delegations.
            #expect(try month.number("SELECT sum(count)::bigint FROM block") == before + hands + quotas + 2)
            #expect(try month.number("SELECT count(*) FROM block") == blocks + 2)
            #expect(try month.number("SELECT count(*) FROM quota_history") == quotas)
        }
    }

    @Test func `the partitions that outcomes of the month need are there`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()

            #expect(try month.number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'outcome'::regclass") == 2)
        }
    }
}
