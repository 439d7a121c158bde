// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct StartImportTests {
    @Test func `a job lost in the month is placed as preventive and dealt into a front hand`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            #expect(try month.count("placement WHERE account_id = 900014") == 0)
            let report = try month.start("900014,9,job-loss,2024-03-11")

            #expect(report.count("starts recorded") == 1)
            #expect(report.count("dealt into front hands") == 1)
            #expect(
                try month.text("SELECT rule FROM placement WHERE account_id = 900014") == "preventive.agreements-50")
            #expect(try month.number("SELECT priority::bigint FROM placement WHERE account_id = 900014") == 1)
            #expect(
                try month.count("hand WHERE is_front AND state = 'open' AND size = 1 AND contract_ids = '{4}'") == 1)
            #expect(
                try month.count(
                    """
                    deal d JOIN position p USING (delegation_id, hand_id, position, account_id, epoch)
                      JOIN hand h USING (delegation_id, hand_id)
                     WHERE d.account_id = 900014 AND h.is_front AND d.epoch = (1::bigint << 32) + 1
                    """) == 1)
            #expect(try month.text("SELECT job_lost_on::text FROM account WHERE account_id = 900014") == "2024-03-11")
            let ledger = try month.ledger()
            #expect(
                ledger.contains(
                    "start delegation=9 account=900014 reason=job-loss on=2024-03-11 rule=preventive.agreements-50 fate=dealt"
                ))
            #expect(ledger.contains("front=yes"))
        }
    }

    @Test func `without room in the quota it is placed, not dealt, and the reason is kept`() async throws {
        try await StartedMonth.with { month in
            let report = try month.start("900014,9,job-loss,2024-03-11")

            #expect(report.count("unassigned, no quota is left") == 1)
            #expect(try month.fate(900_014) == "quota")
            #expect(try month.count("placement WHERE account_id = 900014 AND strategy = 1") == 1)
            #expect(try month.count("hand WHERE is_front") == 0)
        }
    }

    @Test func `of more starts than room the urgent class goes first`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(2)
            // Class 1 by the job that was lost; the others missed one payment and come by their tactic.
            let report = try month.start(
                "900028,9,missed-payment,2024-03-11,1", "900042,9,missed-payment,2024-03-11,1",
                "900056,9,job-loss,2024-03-11,", "900070,9,job-loss,2024-03-10,", columns: ",arrears")

            #expect(report.count("dealt into front hands") == 2)
            #expect(try month.fate(900_056) == "dealt")
            #expect(try month.fate(900_070) == "dealt")
            #expect(try month.fate(900_028) == "quota")
        }
    }

    @Test func `the same file, or the same rows in another, change nothing`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(3)
            try month.start("900014,9,job-loss,2024-03-11")
            let same = try month.start("900014,9,job-loss,2024-03-11")
            let more = try month.start("900014,9,job-loss,2024-03-11", "900028,9,job-loss,2024-03-11")

            #expect(same.result == .unchanged)
            #expect(more.count("starts already recorded") == 1)
            #expect(more.count("starts recorded") == 1)
            #expect(try month.count("hand WHERE is_front") == 2)
            #expect(try month.count("deal WHERE account_id = 900014") == 1)
        }
    }

    @Test func `a dry run shows what would be dealt and deals nothing`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            let report = try month.load(
                .starts, StartedMonth.header + "\n900014,9,job-loss,2024-03-11\n", dryRun: true)

            #expect(report.result == .checked)
            #expect(report.count("dealt into front hands") == 1)
            #expect(try month.count("start") == 0)
            #expect(try month.count("hand WHERE is_front") == 0)
            #expect(try month.count("placement WHERE account_id = 900014") == 0)
        }
    }

    @Test func `an account in a hand is placed anew, and dealt anew to whoever may work it then`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(5, strategy: 2)
            // Two arrears: preventive, and waiting in the hand of contract 4.
            let report = try month.start("900016,9,missed-payment,2024-03-11,5", columns: ",arrears")

            #expect(report.count("placed otherwise than where they waited, and dealt by that") == 1)
            #expect(
                try month.count(
                    """
                    deal d JOIN hand h USING (delegation_id, hand_id)
                     WHERE account_id = 900016 AND is_front AND strategy = 2 AND contract_ids <@ '{1,2}'
                    """) == 1)
            #expect(try month.count("ending WHERE account_id = 900016 AND kind = 'withdrawal'") == 1)
            #expect(
                try month.text("SELECT rule FROM placement WHERE account_id = 900016") == "administrative.agreements-50"
            )
            #expect(try month.number("SELECT epoch FROM start") == (1 << 32) + 2)
            #expect(try month.number("SELECT former_epoch FROM start") == (1 << 32) + 1)
            #expect(
                try month.text("SELECT former::text FROM start WHERE account_id = 900016") == #"{"arrears": 2}"#)
        }
    }

    @Test func `an exclusion that ended gives a new epoch, and the old one stays ended`() async throws {
        try await StartedMonth.with { month in
            try month.stop("900016,9,,dispute,2024-03-05,")
            #expect(try month.count("ending WHERE account_id = 900016") == 1)
            let early = try month.start("900016,9,exclusion-ended,2024-03-10", columns: "")
            #expect(early.count("excluded") == 1)
            let report = try month.start("900016,9,exclusion-ended,2024-03-12,dispute", columns: ",ended")

            #expect(report.count("stops ended") == 1)
            #expect(report.count("dealt into front hands") == 1)
            #expect(
                try month.count(
                    "deal d JOIN hand h USING (delegation_id, hand_id) WHERE account_id = 900016 AND is_front "
                        + "AND epoch = (1::bigint << 32) + 2") == 1)
            #expect(try month.count("ending WHERE account_id = 900016") == 1)
            #expect(try month.count("standing_stop WHERE account_id = 900016 AND until_on = '2024-03-11'") == 1)
        }
    }

    @Test func `an extension of the cut that ended lets the account be collected`() async throws {
        try await StartedMonth.with { month in
            // n = 31: three arrears and an extension until the end of the year.
            #expect(try month.text("SELECT exclusion FROM placement WHERE account_id = 900031") == "extension")
            try month.makeRoom(1)
            let report = try month.start("900031,9,exclusion-ended,2024-03-12,extension", columns: ",ended")

            #expect(report.count("dealt into front hands") == 1)
            #expect(
                try month.text("SELECT extension_until::text FROM account WHERE account_id = 900031") == "2024-03-11")
        }
    }

    @Test func `a stop loaded again after it ended takes nothing back`() async throws {
        try await StartedMonth.with { month in
            try month.stop("900016,9,,dispute,2024-03-05,")
            try month.start("900016,9,exclusion-ended,2024-03-12,dispute", columns: ",ended")
            let again = try month.stop("900016,9,,dispute,2024-03-05,", "900030,9,,dispute,2024-03-05,")

            #expect(again.count("stops already recorded") == 1)
            #expect(again.count("dealt accounts taken back") == 1)
            #expect(try month.count("ending WHERE account_id = 900016") == 1)
        }
    }

    @Test func `a new account needs all that the cut asks for, and joins the cut`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            let file = ExampleText.file(
                .starts,
                [
                    [
                        "account": "999001", "delegation": "9", "municipality": "09001", "reason": "new-account",
                        "ended": "", "arrears": "2", "situation": "active", "judicial_on": "", "extension_until": "",
                        "fpp_until": "",
                        "disaster_until": "", "job_lost_on": "", "lawsuit_on": "", "dispute_on": "",
                    ]
                ])
            let report = try month.load(.starts, file)
            let bare = try month.start("999002,9,new-account,2024-03-11")

            #expect(report.count("dealt into front hands") == 1, "\(report.lines)")
            #expect(try month.count("account WHERE account_id = 999001 AND paid_4m_bp = 6250") == 1)
            #expect(try month.text("SELECT coalesce(former::text, 'none') FROM start") == "none")
            #expect(bare.result == .refused)
            #expect(bare.badValues.first?.reason == "is empty, and a new account needs it")
        }
    }

    @Test(arguments: [
        ("900014,9,job-loss,2024-03-13,,", "on_date: lies in the future; the latest day is 2024-03-12"),
        (
            "900014,9,missed-payment,2024-03-11,,",
            "reason: says that a payment was missed, and no column says what changed by it"
        ),
        ("900014,9,job-loss,2024-03-11,,dispute", "ended: goes with exclusion-ended only"),
        ("900014,14,job-loss,2024-03-11,,", "account: is in the cut of delegation 9"),
        (
            "777,9,job-loss,2024-03-11,,",
            "account: is not in the cut of 2024-03; an account that is new comes as new-account"
        ),
        (",9,job-loss,2024-03-11,,", "account: is empty"),
    ])
    func `a start that cannot be is refused`(row: String, reason: String) async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let report = try month.start(row, columns: ",arrears,ended")

            #expect(report.badValues.first.map { "\($0.column): \($0.reason)" } == reason)
            #expect(try month.count("start") == 0)
        }
    }

    @Test func `a start with other values than the one loaded is refused`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try month.start("900014,9,missed-payment,2024-03-11,1", columns: ",arrears")
            let other = try month.start("900014,9,missed-payment,2024-03-11,2", columns: ",arrears")

            #expect(
                other.badValues.map(\.reason) == [
                    "that start is loaded already, with other values; what changed later needs a later on_date"
                ])
        }
    }

    @Test func `a period that is not dealt, or that a later one has overtaken, takes no starts`() async throws {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            let undealt = try #require(throws: CommandFailure.self) {
                try month.start("900014,9,job-loss,2024-03-11")
            }
            _ = try month.month.plan().apply()
            try month.month.openPeriod(PlannedMonth.april)
            try month.link.script(
                """
                INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202404, 'dealing', 1, '', '', now_instant())
                """)
            let overtaken = try #require(throws: CommandFailure.self) {
                try month.start("900014,9,job-loss,2024-03-11")
            }

            #expect([undealt.exit, overtaken.exit] == [.usage, .usage])
            #expect(undealt.found == "2024-03 has no plan that is applied")
            #expect(overtaken.found == "2024-04 is planned already, so nothing is dealt in 2024-03 any more")
        }
    }

    @Test func `a start is explained as of the day on which it was placed, other accounts as of the cut`()
        async throws
    {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            try month.start("900014,9,job-loss,2024-03-11")
            let started = try month.month.explain(900_014)
            let other = try month.month.explain(900_028)

            #expect(started.start?.reason == "job-loss")
            #expect(started.cut == "2024-03-12")
            #expect(started.decision.rule == "preventive.agreements-50")
            #expect(started.recorded?.rule == started.decision.rule)
            #expect(started.notes == [])
            #expect(started.lines[0].hasSuffix("started 2024-03-11 (job-loss), placed as of 2024-03-12"))
            #expect(other.start == nil)
            #expect(other.cut == "2024-02-29")
        }
    }

    @Test func `a stop that was withdrawn keeps nothing from being dealt by a plan that is tried`() async throws {
        try await StartedMonth.with { month in
            try month.stop("900016,9,,dispute,2024-03-05,")
            try month.start("900016,9,exclusion-ended,2024-03-05,dispute", columns: ",ended")

            #expect(try month.month.whatIf(month.month.policy).tried.undealable == 0)
        }
    }

    @Test func `what becomes excluded by a start is taken back`() async throws {
        try await StartedMonth.with { month in
            let report = try month.start(
                "900016,9,missed-payment,2024-03-11,2023-01-15", columns: ",judicial_on")

            #expect(report.count("excluded") == 1)
            #expect(report.count("dealt accounts taken back") == 1)
            #expect(try month.count("ending WHERE account_id = 900016 AND reason = 'judicial'") == 1)
        }
    }
}
