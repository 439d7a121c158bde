// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Foundation
import PgStore
import Simulation
import TestSupport
import Testing

struct RedealTests {
    @Test(.timeLimit(.minutes(2)))
    func `a node that another one is before in dealing again leaves it to that one`() async throws {
        try await StartedMonth.with { month in
            try month.start("900014,9,job-loss,2024-03-11")
            try month.makeRoom(1)
            let other = try month.database.link()
            let mine = try month.database.link()
            try other.script("BEGIN")
            // Noted by the other one and not committed: whoever looks now sees no round.
            try other.script(
                """
                INSERT INTO redeal (period, plan_id, reason, closes_all, ordered_by, seed, digest, state, started_at, backend,
                                    backend_start, beat_at)
                SELECT 202403, plan_id, 'other', false, 'ana', 1, '', 'dealing', now_instant(), a.pid, a.backend_start,
                       clock_timestamp()
                  FROM plan, pg_stat_activity a WHERE a.pid = pg_backend_pid()
                """)
            async let dealt = Task.detached { try RedealKeeping.run(mine, dealAgain: .seconds(1)) }.value
            while try month.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0 {
                try await Task.sleep(for: .milliseconds(10))
            }
            try other.script("COMMIT")

            #expect(try await dealt == 0)
            #expect(try month.count("redeal") == 1)
            let refused = try #require(throws: CommandFailure.self) { try month.redeal(.leftOver) }
            #expect(refused.exit == .environment)
            #expect(refused.found.contains("is being dealt again since"))
        }
    }

    /// Whose process is stopped in between loses the hands that it has locked.
    @Test(.timeLimit(.minutes(2)))
    func `a transaction that deals a pool may pause for two minutes`() async throws {
        try await StartedMonth.with { month in
            try month.link.script(
                """
                CREATE TABLE pause_bound (setting text);
                CREATE FUNCTION note_bound() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO pause_bound VALUES (TG_OP || current_setting('idle_in_transaction_session_timeout'));
                    RETURN NULL; END $$;
                CREATE TRIGGER note_bound AFTER INSERT OR UPDATE ON hand FOR EACH STATEMENT EXECUTE FUNCTION note_bound()
                """)
            _ = try month.redeal(.everything)

            let bounds = try month.link.run("SELECT DISTINCT setting FROM pause_bound ORDER BY 1").map { $0.text(0) }
            #expect(bounds == ["INSERT2min", "UPDATE2min"])
            // Only in those transactions.
            #expect(try month.link.run("SHOW idle_in_transaction_session_timeout")[0].text(0) == "15min")
        }
    }

    /// What a suspension took from one contract goes to the others of its pools, and not back to it.
    @Test(.timeLimit(.minutes(2)))
    func `what was withdrawn from a contract is dealt on without it`() async throws {
        try await StartedMonth.with { month in
            let contract: Int32 = 1
            try month.link.script("UPDATE contract_capacity SET accounts_per_adviser = 10 * accounts_per_adviser")
            let endings = DealEndings(month.link)
            let withdrawn = try month.link.transaction {
                try endings.stage()
                _ = try SuspensionStore(month.link).stageUnpulled(of: [contract], in: nil)
                return try endings.run { endings, now in
                    LedgerBlock.seal(endings.map { .ending($0, period: Period.ofWork(at: now), at: now) })
                }.ended
            }
            let own =
                "position p JOIN hand h USING (delegation_id, hand_id) WHERE h.contract_ids[1] = \(contract)"
            let before = try month.count(own)
            let dealt = Suspensions.dealAgain(month.link, without: [contract], by: "Ana Ruiz")

            #expect(withdrawn > 0 && dealt > 0 && dealt <= withdrawn)
            #expect(try month.count(own) == before)
        }
    }

    /// In the instant of the plan too: a virtual clock may stand.
    @Test(arguments: ["2024-03-12T15:00:00Z", "2024-03-13T15:00:00Z"])
    func `a plan's record holds after its month is dealt again to contracts that it gave nothing`(
        instant: String
    ) async throws {
        try await StartedMonth.with(applied: false) { month in
            _ = try month.month.plan().apply()
            try month.link.script(
                """
                UPDATE clock SET virtual_now = '\(instant)';
                INSERT INTO contract_capacity VALUES (3, 9, 1, 10, 200);
                UPDATE contract SET bond = 100000000000 WHERE contract_id = 3
                """)
            _ = try month.redeal(.everything)
            #expect(
                try month.number("SELECT limit_accounts FROM quota WHERE contract_id = 3 AND delegation_id = 9") > 0)
            #expect(try PlanCheckRun(month.link, period: PlannedMonth.march).run().faults == [])
        }
    }

    /// Contracts 1 and 2 work the pool; what comes back is 1's, and a plan of the whole pool gives each half of it.
    @Test(arguments: [5, 6])
    func
        `what rotation keeps from one contract goes to another with room in the same run, and is not taken away by the next`(
            back: Int
        ) async throws
    {
        try await StartedMonth.with { month in
            let hands = try month.link.run(
                """
                SELECT hand_id, size, contract_ids[1] FROM hand
                 WHERE delegation_id = 9 AND strategy = 2 AND portfolio = 1 AND size > 0 ORDER BY contract_ids
                """)
            #expect(hands.map { $0.int32(2) } == [1, 2])
            for hand in hands { try month.month.lease(hand: hand.int32(0), accounts: hand.int32(1)) }
            let accounts = try month.link.run(
                "SELECT account_id FROM position WHERE hand_id = \(hands[0].int32(0)) ORDER BY position LIMIT \(back)"
            ).map { $0.int64(0) }
            for account in accounts { try month.giveBack(account, reason: "unlocatable") }
            let scope = RedealScope(.everything, delegations: [DealtMonth.delegation], strategies: [.administrative])
            let mine = month.waiting + " AND h.portfolio = 1 AND h.strategy = 2 AND h.delegation_id = 9"
            for _ in 1...2 {
                let report = try RedealRun(month.link, scope: scope, reason: "rebalance", by: "ana").run()

                #expect(
                    report.pools.filter { $0.portfolio == "telephone" }.reduce(0) { $0 + $1.accounts } == Int64(back))
                #expect(report.shortage == nil && !report.followedBy.isEmpty)
                #expect(try month.count(mine + " AND h.contract_ids = '{2}'") == Int64(back))
                #expect(try month.count(mine) == Int64(back))
                try month.link.script("UPDATE clock SET virtual_now = virtual_now + interval '1 hour'")
            }
            #expect(try month.broken() == [])
            #expect(try month.unrecordedLimits() == [])
        }
    }

    /// Bonds enter a plan by the mean of a pool, and the dealing goes by each account's amount.
    @Test func `what waits on is counted once, where the plan and the dealing keep it back by a bond, too`()
        async throws
    {
        try await StartedMonth.with { month in
            try month.link.script("UPDATE contract SET bond = 7000000, exposure_basis = 'overdue'")
            try month.noteContracts()
            let run = RedealRun(month.link, scope: RedealScope(.everything), reason: "rebalance", by: "ana")
            let reports = [try run.preview(), try run.run()]

            for report in reports {
                #expect(report.unassigned["bond"] ?? 0 > 0)
                #expect(report.pools.contains { $0.left["bond"] ?? 0 > 0 })
                #expect(report.waiting.values.reduce(0, +) == report.demand - report.accounts)
            }
        }
    }

    @Test func `what nobody holds is dealt under new epochs, what is held stays and counts`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            let before = try month.count(month.waiting)
            let report = try month.redeal(.everything)

            #expect(report.state == .applied && report.accounts == before)
            #expect(try month.count(month.waiting) == before)
            #expect(try month.count("deal WHERE epoch = (1::bigint << 32) + 2") == before)
            #expect(try month.count("hand WHERE state = 'inactive'") == 0)
            #expect(
                try month.number("SELECT sum(limit_accounts)::bigint FROM quota")
                    == before + 5)
            #expect(try month.count("redeal WHERE state = 'done'") == 1)
            #expect(try month.broken() == [])
        }
    }

    /// As behind a plan that closed what was over while no node ran.
    @Test(arguments: [true, false])
    func `what came back is held no more, whether a node has counted it or not, so that no place is given twice`(
        isFolded: Bool
    ) async throws {
        try await StartedMonth.with { month in
            let hand = try month.hand(of: 1)
            try month.month.lease(hand: hand, accounts: 5)
            // The first fold only says from where on it counts.
            _ = try month.link.foldReleases(limit: 1)
            let accounts = try month.link.run(
                "SELECT account_id FROM position WHERE hand_id = \(hand) AND position <= 5"
            )
            .map { $0.int64(0) }
            for account in accounts { try month.giveBack(account, reason: "paid", isFolded: isFolded) }
            let pool = "delegation_id = 9 AND strategy = 2 AND portfolio = 1"
            #expect(
                try month.number("SELECT sum(released_accounts)::bigint FROM quota WHERE \(pool)") == (isFolded ? 5 : 0)
            )
            _ = try month.redeal(.everything)
            let waits = try month.count(
                month.waiting + " AND h.strategy = 2 AND h.portfolio = 1 AND h.delegation_id = 9")

            #expect(waits > 5)
            #expect(try month.number("SELECT sum(limit_accounts)::bigint FROM quota WHERE \(pool)") == Int64(waits))
        }
    }

    @Test func `a contract with fewer advisers gets less, its limits fall at once, also below what it holds`()
        async throws
    {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            try month.link.script(
                """
                UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 3 WHERE contract_id = 1;
                UPDATE clock SET virtual_now = virtual_now + interval '1 hour'
                """)
            try month.noteContracts()
            let report = try month.redeal(.everything)
            let limit = "FROM quota WHERE contract_id = 1 AND delegation_id = 9 AND portfolio = 1"

            #expect(report.quotas.contains { $0.contract == 1 && $0.after < $0.before })
            #expect(try month.number("SELECT sum(limit_accounts)::bigint \(limit)") == 3)
            #expect(
                try month.number(
                    "SELECT sum(limit_accounts)::bigint FROM quota WHERE contract_id = 1 AND delegation_id = 14 AND portfolio = 1"
                ) == 3)
            #expect(try month.broken() == [])
            #expect(try month.unrecordedLimits() == [])
        }
    }

    /// Contract 4 alone takes preventive accounts: five are held when its advisers carry three. A round that has nothing to deal
    /// lowers limits all the same.
    @Test(arguments: [false, true])
    func `where advisers fell below what is held, a start takes none of what comes back before they carry it`(
        allHeld: Bool
    ) async throws {
        try await StartedMonth.with { month in
            let hands = try month.link.run(
                """
                SELECT hand_id, portfolio, size FROM hand
                 WHERE delegation_id = 9 AND contract_ids = '{4}' AND size > 0 ORDER BY portfolio
                """)
            let hand = try #require(hands.first { $0.int16(1) == 1 }?.int32(0))
            for row in hands where allHeld || row.int32(0) == hand {
                try month.month.lease(hand: row.int32(0), accounts: allHeld ? row.int32(2) : 5)
            }
            let held = try month.link.run("SELECT account_id FROM position WHERE hand_id = \(hand) ORDER BY position")
                .prefix(allHeld ? Int.max : 5).map { $0.int64(0) }
            try month.link.script(
                """
                UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = \(held.count - 2)
                 WHERE contract_id = 4 AND portfolio = 1
                """)
            try month.noteContracts()
            let scope = RedealScope(.everything, delegations: [try #require(Delegation(9))], strategies: [.preventive])
            let report = try RedealRun(month.link, scope: scope, reason: "rebalance", by: "ana").run()
            #expect(report.pools.isEmpty == allHeld)
            let limit = "SELECT limit_accounts FROM quota WHERE contract_id = 4 AND delegation_id = 9 AND portfolio = 1"
            #expect(try month.number(limit) == Int64(held.count) - 2)

            // Two come back: as many are held as the advisers carry. A third makes room for one.
            for account in held.prefix(2) { try month.giveBack(account, reason: "unlocatable") }
            try month.start("900014,9,job-loss,2024-03-11")
            #expect(try month.fate(900_014) == "quota")
            try month.giveBack(held[2], reason: "unlocatable")
            try month.start("900028,9,job-loss,2024-03-11", "900056,9,job-loss,2024-03-11")
            #expect(try [month.fate(900_028), month.fate(900_056)].sorted() == ["dealt", "quota"])
            #expect(try month.broken() == [])
            #expect(try month.unrecordedLimits() == [])
        }
    }

    @Test func `a preview says whose limits change and changes nothing`() async throws {
        try await StartedMonth.with { month in
            try month.link.script("UPDATE contract_capacity SET accounts_per_adviser = 1 WHERE contract_id = 1")
            let order = try RedealOrder(
                period: "2024-03", delegations: [9], strategies: [], leftOver: false, by: "ana", seed: nil)
            let text = try order.run(on: month.link, isPreview: true, asJSON: false)

            #expect(text.contains("ACE01") && text.contains("nothing was changed"))
            #expect(try month.count("redeal") == 0)
            #expect(try month.count("hand WHERE state = 'closed'") == 0)
            #expect(throws: CommandFailure.self) {
                try RedealOrder(
                    period: "2024-04", delegations: [], strategies: [], leftOver: false, by: "ana", seed: nil
                ).run(on: month.link, isPreview: true, asJSON: false)
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `one that was stopped leaves no half dealt pool, and the next one goes on with it`() async throws {
        try await StartedMonth.with { month in
            let before = try month.count(month.waiting)
            try month.link.script(
                """
                CREATE FUNCTION stop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF (SELECT count(*) FROM redeal_pool WHERE state = 'done') = 2 THEN RAISE 'the plug is pulled'; END IF;
                    RETURN NEW; END $$;
                CREATE TRIGGER stop_it BEFORE UPDATE ON redeal_pool FOR EACH ROW WHEN (NEW.state = 'done')
                    EXECUTE FUNCTION stop_it()
                """)
            let failed = #expect(throws: CommandFailure.self) {
                // A link of its own, which is gone afterwards as the process of a killed command is.
                try month.redeal(.everything, on: try month.database.link())
            }
            #expect(failed?.exit == .environment)
            try month.link.script("DROP TRIGGER stop_it ON redeal_pool")
            #expect(try month.count("redeal_pool WHERE state = 'closed'") == 1)
            #expect(try month.count("hand WHERE state = 'inactive'") == 0)
            #expect(try month.count("redeal_pool WHERE state = 'done'") == 2)
            let waiting = try month.count(month.waiting)
            try await until {
                try month.count(
                    "pg_stat_activity a JOIN redeal r ON r.backend = a.pid AND r.backend_start = a.backend_start") == 0
            }
            let resumed = try RedealRun.finishAbandoned(month.link)

            #expect(waiting < before)
            #expect(resumed?.state == .resumed)
            #expect(try month.count(month.waiting) == before)
            #expect(try month.count("redeal WHERE state = 'done'") == 1)
            #expect(try month.broken() == [])
        }
    }

    /// Who begins a round locks the periods and then comes to the round: in the other order two nodes would wait for each other.
    @Test(.timeLimit(.minutes(1)))
    func `who deals a pool has its month before its round`() async throws {
        try await StartedMonth.with { month in
            try month.link.script(
                """
                CREATE FUNCTION stop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the plug is pulled'; END $$;
                CREATE TRIGGER stop_it BEFORE UPDATE ON redeal_pool FOR EACH ROW WHEN (NEW.state = 'done')
                    EXECUTE FUNCTION stop_it()
                """)
            #expect(throws: CommandFailure.self) { try month.redeal(.everything, on: try month.database.link()) }
            try month.link.script("DROP TRIGGER stop_it ON redeal_pool")
            try await until {
                try month.count(
                    "pg_stat_activity a JOIN redeal r ON r.backend = a.pid AND r.backend_start = a.backend_start") == 0
            }
            let beginner = try month.database.link()
            try beginner.script("BEGIN; SELECT FROM period ORDER BY period FOR NO KEY UPDATE")
            let database = month.database
            async let isResumed = onThread {
                try RedealRun.finishAbandoned(try database.link("dealer"), showsProgress: false)?.state == .resumed
            }
            try await until {
                try month.count("pg_stat_activity WHERE application_name = 'dealer' AND wait_event_type = 'Lock'") == 1
            }
            try beginner.script("SELECT FROM redeal FOR UPDATE NOWAIT; COMMIT")

            #expect(try await isResumed)
        }
    }

    @Test func `of two at once the second is told who deals, and changes nothing`() async throws {
        try await StartedMonth.with { month in
            let other = try month.database.link()
            _ = try RedealStore(other).insert(
                period: PlannedMonth.march, plan: 1, reason: "rebalance", closesAll: true, by: "eva", seed: 1,
                digest: [1], pools: [], quotas: [])
            let failure = #expect(throws: CommandFailure.self) { try month.redeal(.everything) }

            #expect(failure?.exit == .environment)
            #expect(failure?.found.contains("is being dealt again") == true && failure?.found.contains("eva") == true)
            #expect(try month.count("redeal") == 1)
            #expect(try month.count("hand WHERE state = 'closed'") == 0)
            try other.script("SELECT 1")
        }
    }

    @Test func `a preview deals again what the run then deals, rotation included`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            let account = try month.number(
                "SELECT p.account_id FROM lease_grant g JOIN position p USING (delegation_id, hand_id) LIMIT 1")
            try month.giveBack(account, reason: "capacity")
            for manner in [RedealScope.Manner.leftOver, .everything] {
                let run = RedealRun(month.link, scope: RedealScope(manner), reason: "rebalance", by: "ana")
                let preview = try run.preview()
                let done = try run.run()
                #expect(preview.accounts == done.accounts && done.accounts > 0)
                #expect(preview.shortage == done.shortage)
                // A run deals in the order of the tables.
                let pools = [preview, done].map { report in
                    report.pools.map { "\($0.delegation) \($0.strategy) \($0.portfolio) \($0.accounts)" }.sorted()
                }
                #expect(pools[0] == pools[1])
                let count = "\(Console.grouped(Int(done.accounts))) account\(done.accounts == 1 ? "" : "s")"
                #expect(preview.summary.contains("\(count) would be dealt again"))
            }
        }
    }

    @Test func `what comes back goes to another agency, unless the institution has to look into it`() async throws {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 3)
            let accounts = try month.link.run(
                "SELECT account_id FROM position WHERE hand_id = \(try month.hand(of: 1)) AND position <= 3 ORDER BY position"
            ).map { $0.int64(0) }
            try month.giveBack(accounts[0], reason: "unlocatable")
            try month.giveBack(accounts[1], reason: "paid")
            let list = try ReturnList(month.link, period: try PeriodArgument(text: "2024-03"))
            let report = try month.redeal(.leftOver)
            let after = try ReturnList(month.link, period: try PeriodArgument(text: "2024-03"))

            #expect(list.lines.contains { $0.hasPrefix("other-agency") && $0.contains("1") })
            #expect(list.lines.contains { $0.hasPrefix("check") })
            #expect(report.accounts == 1)
            #expect(after.lines.contains { $0.hasPrefix("dealt") })
            #expect(
                try month.number(
                    """
                    SELECT h.contract_ids[1]::bigint FROM deal d JOIN hand h USING (delegation_id, hand_id)
                     WHERE d.account_id = \(accounts[0]) AND h.is_front AND h.state = 'open'
                    """) == 2)
            #expect(try month.broken() == [])
        }
    }

    @Test func `an account that every agency of a place had goes back to the earlier one, never to the latest`()
        async throws
    {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 1)
            let account = try month.number(
                "SELECT p.account_id FROM lease_grant g JOIN position p USING (delegation_id, hand_id) WHERE p.position = 1"
            )
            let deal =
                "deal d JOIN hand h USING (delegation_id, hand_id) WHERE d.account_id = \(account) ORDER BY d.epoch DESC LIMIT 1"
            for holder in [2, 1, 2] as [Int64] {
                try month.giveBack(account, reason: "capacity")
                #expect(try month.redeal(.leftOver).accounts == 1)
                #expect(try month.number("SELECT h.contract_ids[1]::bigint FROM \(deal)") == holder)
                let list = try ReturnList(month.link, period: try PeriodArgument(text: "2024-03"))
                #expect(list.lines.contains { $0.hasPrefix("dealt") })
                // Its limit is used up by what it holds; the totals of its quota go on.
                try month.month.lease(
                    hand: Int32(try month.number("SELECT d.hand_id::bigint FROM \(deal)")), accounts: 1)
                try month.link.script(
                    """
                    UPDATE lease_grant g SET total_accounts = n FROM (
                        SELECT hand_id, row_number() OVER (PARTITION BY quota_id ORDER BY granted_at, hand_id) AS n
                          FROM lease_grant) t WHERE t.hand_id = g.hand_id
                    """)
            }
        }
    }

    /// It is midnight in Mexico City at six.
    @Test(arguments: [false, true])
    func `what waits for a contract is dealt to others once its last day is over, and not before`(byNode: Bool)
        async throws
    {
        try await StartedMonth.with { month in
            try month.link.script(
                """
                UPDATE contract SET ends_on = '2024-03-13' WHERE contract_id = 1;
                UPDATE clock SET virtual_now = '2024-03-14T05:59:59Z'
                """)
            let before = try month.count(month.waiting)
            let mine = month.waiting + " AND h.contract_ids = '{1}'"
            let kept = try month.count(mine)
            func look() throws -> Int64 {
                byNode ? try RedealKeeping.run(month.link, dealAgain: .zero) : try month.redeal(.leftOver).accounts
            }
            #expect(try look() == 0 && kept > 0 && month.count(mine) == kept)
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-14T06:00:00Z'")

            #expect(try look() == kept)
            #expect(try look() == 0)
            #expect(try month.count(mine) == 0 && month.count(month.waiting) == before)
            #expect(try month.count("hand WHERE withdrawn_reason = 'contract-ended' AND contract_ids = '{1}'") > 0)
            #expect(try month.count("hand WHERE withdrawn_reason = 'contract-ended' AND contract_ids <> '{1}'") == 0)
            #expect(try month.number("SELECT sum(limit_accounts)::bigint FROM quota WHERE contract_id = 1") == 0)
            #expect(try month.broken() == [])
            #expect(try month.unrecordedLimits() == [])
        }
    }

    @Test func `what nobody pulls for the days of the setting goes to those who pull`() async throws {
        try await StartedMonth.with { month in
            let setting = try DealSettings(
                strategy: "administrative", delegations: [9], unpulledDays: "7", by: "ana")
            #expect(try setting.set(month.link).contains("7 days"))
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-19T14:59:59Z'")
            #expect(try RedealKeeping.run(month.link, dealAgain: .zero) == 0)
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            let idle = try month.count(
                "hand WHERE delegation_id = 9 AND strategy = 2 AND contract_ids = '{2}' AND size > 0")
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-19T15:00:00Z'")
            while try RedealKeeping.run(month.link, dealAgain: .zero) > 0 {}

            #expect(try month.count("hand WHERE withdrawn_reason = 'unpulled' AND contract_ids = '{2}'") == idle)
            #expect(
                try month.count(
                    "hand WHERE state = 'open' AND contract_ids = '{2}' AND delegation_id = 9 AND strategy = 2") == 0)
            #expect(
                try month.count("hand WHERE state = 'open' AND is_front AND contract_ids = '{1}' AND delegation_id = 9")
                    > 0)
            #expect(try month.count("hand WHERE state = 'closed' AND delegation_id = 14") == 0)
            #expect(try month.broken() == [])
        }
    }

    @Test func `assigned is what a contract drew or what waits for it, however often the month was dealt`() async throws
    {
        try await StartedMonth.with { month in
            try month.month.lease(hand: try month.hand(of: 1), accounts: 5)
            try month.month.lease(hand: try month.hand(of: 2), accounts: 4)
            _ = try month.redeal(.everything)
            let account = try month.number(
                "SELECT p.account_id FROM lease_grant g JOIN position p USING (delegation_id, hand_id) WHERE g.contract_id = 2 LIMIT 1"
            )
            try month.giveBack(account, reason: "capacity")
            _ = try month.redeal(.leftOver)
            _ = try AgencyOrder(
                .hold, agency: "ACE01", strategy: nil, band: nil, motive: "audit", recallOn: nil, by: "ana"
            ).run(on: month.link, isPreview: false, asJSON: false)
            var assigned: [Int32: Int64] = [:]
            try month.link.transaction {
                let store = try ClosingStore(month.link, period: PlannedMonth.march) { _ in }
                for row in try store.dealt() { assigned[row.place.contract, default: 0] += row.accounts }
                for row in try store.endings() where row.kind == "withdrawal" {
                    assigned[row.place.contract, default: 0] -= row.count
                }
            }
            var expected: [Int32: Int64] = [:]
            for row in try month.link.run(
                """
                SELECT h.contract_ids[1], count(DISTINCT p.account_id)
                  FROM hand h
                  JOIN position p USING (delegation_id, hand_id)
                 WHERE p.position <= coalesce((SELECT max(g.last_position) FROM lease_grant g
                       WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id), 0)
                    OR h.state = 'open'
                 GROUP BY 1
                """)
            { expected[row.int32(0)] = row.int64(1) }

            #expect(expected[1] == 5)
            #expect(assigned.filter { $0.value != 0 } == expected)
        }
    }
}
