// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// Starts of accounts that wait in a hand or are held: 900016 has two arrears and waits in the preventive hand of contract 4,
/// whose quota is dealt to its last account.
struct StartWaitingTests {
    private static let moved = "moved to the front of the hands where they waited"
    private static let anew = "placed otherwise than where they waited, and dealt by that"
    private static let held = "held, and stay with their agencies as dealt"
    private static let withdrawn = "withdrawn from hands where they waited"

    @Test func `what waits goes to the front of its contract's hands with what changed, and no quota is asked`()
        async throws
    {
        try await StartedMonth.with { month in
            let limits = try month.limits()
            func dealt() throws -> Int64 {
                try month.link.transaction {
                    let store = try ClosingStore(month.link, period: PlannedMonth.march) { _ in }
                    try store.attributePayments(grace: [])
                    return try store.strategies().reduce(0) { $0 + $1.dealt }
                }
            }
            let before = try dealt()
            let report = try month.start(
                "900016,9,missed-payment,2024-03-11,3,9900.00", columns: ",arrears,overdue")

            #expect(report.count(Self.moved) == 1)
            #expect(report.count("starts recorded") == 1)
            #expect(
                try month.count(
                    """
                    deal d JOIN position p USING (delegation_id, hand_id, position, account_id, epoch)
                      JOIN hand h USING (delegation_id, hand_id)
                     WHERE d.account_id = 900016 AND d.epoch = (1::bigint << 32) + 2 AND p.arrears = 3 AND p.overdue = 990000
                       AND h.is_front AND h.state = 'open' AND h.contract_ids = '{4}' AND h.strategy = 1 AND h.size = 1
                    """) == 1)
            #expect(
                try month.count(
                    """
                    ending WHERE account_id = 900016 AND epoch = (1::bigint << 32) + 1 AND kind = 'withdrawal'
                       AND reason = 'placed-anew' AND NOT was_held
                    """) == 1)
            #expect(try month.limits() == limits)
            // The month's page counts an account once, however often it was dealt.
            #expect(try dealt() == before)
            #expect(try month.fate(900_016) == "dealt")
            #expect(try month.count("(\(StartedMonth.live)) l WHERE account_id = 900016") == 1)
            #expect(try month.ledger().contains("account=900016 epoch=4294967297 kind=withdrawal reason=placed-anew"))
            #expect(try month.broken() == [])
        }
    }

    @Test func `what moves to the front keeps the exposure that it was dealt with`() async throws {
        try await StartedMonth.with { month in
            // Contract 3 has a bond over what is overdue, in delegation 14.
            let account = try month.number(
                """
                SELECT p.account_id FROM position p JOIN hand h USING (delegation_id, hand_id)
                 WHERE h.contract_ids = '{3}' ORDER BY p.position DESC LIMIT 1
                """)
            let exposure = try month.number("SELECT exposure FROM position WHERE account_id = \(account)")
            let report = try month.start("\(account),14,missed-payment,2024-03-11,99999.00", columns: ",overdue")

            #expect(report.count(Self.moved) == 1)
            #expect(exposure > 0)
            #expect(
                try month.number("SELECT exposure FROM position WHERE account_id = \(account) AND overdue = 9999900")
                    == exposure)
        }
    }

    @Test func `placed otherwise without room it is withdrawn, and its place is another's`() async throws {
        try await StartedMonth.with { month in
            // Five arrears are administrative, which contract 4 does not work.
            let report = try month.start(
                "900016,9,missed-payment,2024-03-11,5,", "900014,9,job-loss,2024-03-11,,", columns: ",arrears,overdue")

            #expect(report.count("unassigned, no quota is left") == 1)
            #expect(report.count(Self.withdrawn) == 1)
            #expect(report.count("dealt into front hands") == 1)
            #expect(report.count("dealt accounts taken back") == 0)
            #expect(try month.fate(900_016) == "quota")
            #expect(try month.fate(900_014) == "dealt")
            #expect(try month.count("(\(StartedMonth.live)) l WHERE account_id = 900016") == 0)
            #expect(try month.broken() == [])
        }
    }

    @Test func `placed otherwise it stays with its contract where that works the pool and has room`() async throws {
        try await StartedMonth.with(accounts: 840) { month in
            try month.makeRoom(12, strategy: 3)
            let accounts = try month.link.run(
                """
                SELECT account_id FROM (
                    SELECT p.account_id, row_number() OVER (PARTITION BY h.contract_ids ORDER BY p.position) AS rank
                      FROM position p JOIN hand h USING (delegation_id, hand_id)
                     WHERE h.delegation_id = 9 AND h.strategy = 2 AND p.arrears BETWEEN 5 AND 8) x
                 WHERE rank <= 3 ORDER BY account_id
                """
            ).map { $0.int64(0) }
            let before = try month.contracts(accounts)
            let rows = accounts.map { "\($0),9,missed-payment,2024-03-11,2020-05-04" }.joined(separator: "\n")
            let report = try month.load(.starts, "\(StartedMonth.header),judicial_on\n\(rows)\n")

            #expect(accounts.count == 6)
            #expect(Set(before) == ["{1}", "{2}"])
            #expect(report.count(Self.anew) == 6, "\(report.lines)")
            #expect(try month.contracts(accounts) == before)
            #expect(
                try month.count("position p JOIN hand h USING (delegation_id, hand_id) WHERE is_front AND strategy = 3")
                    == 6)
        }
    }

    @Test func `of what stays with its contract the urgent class goes first`() async throws {
        try await StartedMonth.with(accounts: 840) { month in
            try month.makeRoom(1, strategy: 3)
            let room = try month.link.run(
                "SELECT h.contract_ids::text, h.portfolio FROM ending JOIN hand h USING (hand_id)")[0]
            let accounts = try month.link.run(
                """
                SELECT p.account_id FROM position p JOIN hand h USING (delegation_id, hand_id)
                  JOIN account a USING (delegation_id, account_id)
                 WHERE h.delegation_id = 9 AND h.strategy = 2 AND h.contract_ids::text = $1 AND p.arrears BETWEEN 5 AND 8
                   AND a.incomplete_payments = 0 ORDER BY p.account_id LIMIT 2
                """, [.text(room.text(0))]
            ).map { $0.int64(0) }
            let address = room.int16(1) == 2 ? "yes" : "no"
            let report = try month.start(
                "\(accounts[0]),9,missed-payment,2024-03-11,2020-05-04,\(address),",
                "\(accounts[1]),9,missed-payment,2024-03-11,2020-05-04,\(address),1",
                columns: ",judicial_on,has_address,incomplete_payments")

            #expect(report.count(Self.anew) == 1, "\(report.lines)")
            #expect(try month.fate(accounts[0]) == "quota")
            #expect(try month.fate(accounts[1]) == "dealt")
        }
    }

    @Test func `what is held stays with its holder, and the report names what the policy says now`() async throws {
        try await StartedMonth.with { month in
            let (hand, account) = try month.firstPreventive()
            try month.month.lease(hand: hand, accounts: 1)
            let rule = try month.text("SELECT rule FROM placement WHERE account_id = \(account)")
            let report = try month.start("\(account),9,missed-payment,2024-03-11,5", columns: ",arrears")

            #expect(report.count(Self.held) == 1)
            #expect(report.count("held ones that the policy now places otherwise") == 1)
            #expect(report.count(Self.withdrawn) == 0)
            let now = try month.text("SELECT rule FROM placement WHERE account_id = \(account)")
            #expect(now.hasPrefix("administrative."))
            #expect(
                report.warnings.map(\.reason) == [
                    "is held, and stays so as \(rule); the policy now places it as \(now)"
                ])
            #expect(report.warnings.map(\.line) == [2])
            #expect(try month.broken() == [])
            #expect(try month.text("SELECT former_rule || ' ' || fate FROM start") == "\(rule) in-hand")
            #expect(try month.count("deal WHERE account_id = \(account)") == 1)
            #expect(try month.count("ending WHERE account_id = \(account)") == 0)
        }
    }

    @Test func `what is held and placed as before is counted as held alone`() async throws {
        try await StartedMonth.with { month in
            let (hand, account) = try month.firstPreventive()
            try month.month.lease(hand: hand, accounts: 1)
            let report = try month.start("\(account),9,missed-payment,2024-03-11,12000.00", columns: ",overdue")

            #expect(report.count(Self.held) == 1)
            #expect(report.count("held ones that the policy now places otherwise") == 0)
            #expect(report.warnings == [])
        }
    }

    @Test func `what waits in a front hand as it would be dealt stays where it is`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            try month.start("900014,9,job-loss,2024-03-11")
            let again = try month.start("900014,9,job-loss,2024-03-10")

            #expect(again.count("waiting in front hands already") == 1)
            #expect(again.count(Self.withdrawn) == 0)
            #expect(try month.count("deal WHERE account_id = 900014") == 1)
        }
    }

    @Test func `each row is counted once, and the counts come to what was recorded`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            let (hand, account) = try month.firstPreventive()
            try month.month.lease(hand: hand, accounts: 1)
            try month.start("900028,9,job-loss,2024-03-05")
            let report = try month.start(
                "900028,9,job-loss,2024-03-05,,", "\(account),9,missed-payment,2024-03-11,5,",
                "900030,9,missed-payment,2024-03-11,3,", "900044,9,missed-payment,2024-03-11,5,",
                "900058,9,missed-payment,2024-03-11,,2023-01-15", "900042,9,job-loss,2024-03-11,,",
                columns: ",arrears,judicial_on")

            let effects: Set = [
                "starts recorded", "starts already recorded", "municipalities without an account to start",
                "stops ended",
                "held ones that the policy now places otherwise", Self.withdrawn, "dealt accounts taken back",
                "of them held and recalled",
            ]
            let fates = report.counts.filter { !effects.contains($0.label) && $0.count > 0 }
            #expect(report.count("starts already recorded") == 1)
            #expect(report.count("starts recorded") == 5)
            #expect(fates.reduce(0) { $0 + $1.count } == 5, "\(report.lines)")
            #expect(fates.count >= 4)
        }
    }

    @Test func `a municipality of which each account has a row of its own is counted`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try month.stop(",9,09001,disaster,2024-03-11,2024-08-31")
            let own = (1...60).map { "\(900_000 + $0),9,exclusion-ended,2024-03-12,," }.joined(separator: "\n")
            let report = try month.load(
                .starts,
                "\(StartedMonth.header),ended,municipality\n,9,exclusion-ended,2024-03-12,disaster,09001\n\(own)\n")

            #expect(report.count("municipalities without an account to start") == 1)
            #expect(report.count("stops ended") == 60)
            #expect(report.count("starts recorded") == 60)
        }
    }

    @Test func `what waits in a hand that contracts share, or of one tactic, goes to the front of such a one`()
        async throws
    {
        let settings = """
            settings: both
            shared: [{delegations: [9], strategies: [administrative]}]
            pick: [{delegations: [14], strategies: [administrative]}]
            """
        try await StartedMonth.with(applied: false) { month in
            _ = try PlanSettingsBook(month.link).put(
                PlanSettingsFile(text: settings), from: PlannedMonth.march, by: "ana")
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-01T15:00:00Z'")
            _ = try month.month.plan().apply()
            try month.link.script("UPDATE clock SET virtual_now = '2024-03-12T15:00:00Z'")
            func waiting(_ delegation: Int, _ contracts: String) throws -> Int64 {
                try month.number(
                    """
                    SELECT p.account_id FROM position p JOIN hand h USING (delegation_id, hand_id)
                     WHERE h.delegation_id = \(delegation) AND h.strategy = 2 AND h.contract_ids = '\(contracts)'
                       AND p.arrears = 5 ORDER BY h.hand_id DESC, p.position DESC LIMIT 1
                    """)
            }
            let shared = try waiting(9, "{1,2}")
            let picked = try waiting(14, "{1}")
            let report = try month.start(
                "\(shared),9,missed-payment,2024-03-11,6", "\(picked),14,missed-payment,2024-03-11,6",
                columns: ",arrears")

            #expect(report.count(Self.moved) == 2, "\(report.lines)")
            #expect(
                try month.count(
                    """
                    position p JOIN hand h USING (delegation_id, hand_id) WHERE h.is_front AND h.contract_ids = '{1,2}'
                       AND p.account_id = \(shared) AND p.reason = 5
                    """) == 1)
            #expect(
                try month.count(
                    """
                    position p JOIN hand h USING (delegation_id, hand_id) WHERE h.is_front AND h.contract_ids = '{1}'
                       AND p.account_id = \(picked) AND h.tactic = p.tactic AND h.priority = p.priority
                    """) == 1)
        }
    }

    @Test func `what the contract may not have any more goes to nobody who may not have it`() async throws {
        try await StartedMonth.with { month in
            let account = try month.firstPreventive().account
            let tactic = try month.text("SELECT tactic FROM placement WHERE account_id = \(account)")
            try month.link.script(
                """
                INSERT INTO agency_suspension (agency_id, strategy, band, motive, ordered_by, since)
                VALUES (4, 1, '\(tactic)', 'goal-missed', 'ana', now_instant())
                """)
            let other = try month.number(
                """
                SELECT p.account_id FROM position p JOIN hand h USING (delegation_id, hand_id)
                 WHERE h.contract_ids = '{4}' AND h.delegation_id = 9 AND p.tactic <> '\(tactic)' ORDER BY p.position LIMIT 1
                """)
            let report = try month.start(
                "\(account),9,missed-payment,2024-03-11,12000.00", "\(other),9,missed-payment,2024-03-11,12000.00",
                columns: ",overdue")

            #expect(report.count("unassigned, whoever has room may not work them") == 1, "\(report.lines)")
            #expect(report.count(Self.moved) == 1)
            #expect(try month.fate(account) == "ban")
            #expect(try month.fate(other) == "dealt")
        }
    }
}

extension StartedMonth {
    /// Deals that are held or can still be pulled.
    fileprivate static let live = """
        SELECT d.account_id FROM deal d JOIN hand h USING (delegation_id, hand_id)
         WHERE h.state = 'open'
           AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = d.account_id AND e.epoch = d.epoch)
        """

    fileprivate func limits() throws -> String {
        try text("SELECT string_agg(quota_id || ':' || limit_accounts, ' ' ORDER BY quota_id) FROM quota")
    }

    /// Whose hands the latest deals of accounts are in.
    fileprivate func contracts(_ accounts: [Int64]) throws -> [String] {
        try accounts.map {
            try text(
                """
                SELECT h.contract_ids::text FROM deal d JOIN hand h USING (delegation_id, hand_id)
                 WHERE d.account_id = \($0) ORDER BY d.epoch DESC LIMIT 1
                """)
        }
    }

    /// The first account of contract 4's hand in delegation 9.
    func firstPreventive() throws -> (hand: Int32, account: Int64) {
        let row = try link.run(
            """
            SELECT h.hand_id, p.account_id FROM hand h JOIN position p USING (delegation_id, hand_id)
             WHERE h.delegation_id = 9 AND h.strategy = 1 AND p.position = 1 ORDER BY h.size DESC LIMIT 1
            """)[0]
        return (row.int32(0), row.int64(1))
    }
}
