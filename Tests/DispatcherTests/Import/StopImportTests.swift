// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct StopImportTests {
    private static let header = "account,delegation,reason,from_on,until_on\n"

    /// Hand 1 of delegation 14 with accounts 101 to 106: 101 to 103 are granted, 102 was skipped, 104 to 106 are dealt.
    private func deal(_ site: ImportSite) throws {
        try site.seedContracts()
        try site.addCutOfOne()
        try site.link.script(
            """
            INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202403, 'applied', 1, '\\x', '\\x', now());
            INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id) VALUES (14,
                31, 2, 1, 9, 1);
            INSERT INTO hand VALUES (14, 1, '{31}', 2, 1, 202403, 1, false, 'open', 6, 30, 60, 0, 0, '\\x');
            INSERT INTO position SELECT 14, 1, n, 100 + n, 7, 1000 * n, 1, 0, 1, 'rest', 3, 1, 1, 14039, 'r'
                FROM generate_series(1, 6) n;
            INSERT INTO deal SELECT 14, 100 + n, 7, 1, n FROM generate_series(1, 6) n;
            INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id,
                agency_id,
                instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure,
                    left_accounts, stop,
                held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
            VALUES (14, 1, 1, 3, (SELECT quota_id FROM quota), 31, 7, 1, 1, '\\x', '{2}', 2, 4000, 2, 4000, 7, '',
                '\\x', now(), now(), now(),
                now(), 0, 0)
            """)
    }

    @Test func `a held account is recalled and its quota released by the position's exposure`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            let report = try site.load(.stops, Self.header + "103,14,lawsuit,2024-03-11,\n")

            #expect(report.lines.contains("  dealt accounts taken back: 1"))
            #expect(report.lines.contains("  of them held and recalled: 1"))
            #expect(
                try site.count(
                    "ending WHERE account_id = 103 AND kind = 'exclusion' AND reason = 'lawsuit' AND was_held"
                ) == 1)
            #expect(
                try site.count(
                    "release WHERE quota_id = (SELECT quota_id FROM quota) AND accounts = 1 AND exposure = 3000") == 1)
        }
    }

    @Test func `a month without a cut takes no stops, and the months that have one are named`() async throws {
        try await ImportSite.with { site in
            let none = try site.refusal(.stops, Self.header + "103,14,death,2024-03-11,\n")
            try site.addCutOfOne()
            let april = try #require(Period(text: "2042-03"))
            let other = try site.refusal(.stops, Self.header + "103,14,death,2024-03-11,\n", period: april)
            let starts = try site.refusal(
                .starts, "account,delegation,reason,on_date\n103,14,job-loss,2024-03-11\n", period: april)
            let taken = try site.load(.stops, Self.header + "103,14,death,2024-03-11,\n")

            #expect([none.exit, other.exit, starts.exit] == [.usage, .usage, .usage])
            #expect(none.found == "2024-03 has no cut")
            #expect(none.remedy == "No month has one: import one with dispatcherd import cut FILE --period 2024-03")
            #expect(other.found == "2042-03 has no cut")
            #expect(
                other.remedy
                    == "Of 2024-03 there is one; for another month: dispatcherd import cut FILE --period 2042-03")
            #expect(starts.found == "2042-03 has no cut")
            #expect(try site.count("period WHERE period = 204203") == 0)
            #expect(try site.count("stop") == 1)
            #expect(taken.result == .imported)
        }
    }

    @Test func `stops on accounts that no cut has there are taken and told`() async throws {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file([["account": "103", "delegation": "14"]]))
            let report = try site.load(
                .stops,
                Self.header + "103,14,death,2024-03-11,\n999,14,death,2024-03-11,\n")

            #expect(report.lines.contains("  stops on accounts that no cut has there: 1"))
            #expect(report.warnings.map(\.line) == [3])
        }
    }

    @Test func `a stop in another delegation than the account's would reach nobody, and is refused`() async throws {
        try await ImportSite.with { site in
            try site.load(.cut, CutText.file([["account": "103", "delegation": "14"]]))
            let report = try site.load(.stops, Self.header + "103,9,lawsuit,2024-03-11,\n")

            #expect(report.result == .refused)
            #expect(
                report.badValues.map { "\($0.column) \($0.value): \($0.reason)" } == [
                    "delegation 9: the account is in delegation 14 by the cut; a stop there would reach nobody"
                ])
        }
    }

    @Test(arguments: [102, 104]) func `an account that is only dealt ends without a release`(account: Int) async throws
    {
        try await ImportSite.with { site in
            try deal(site)
            try site.load(.stops, Self.header + "\(account),14,payoff,2024-03-11,\n")

            #expect(try site.count("ending WHERE account_id = \(account) AND kind = 'payoff' AND NOT was_held") == 1)
            #expect(try site.count("release") == 0)
        }
    }

    @Test func `a lease that was swept is not held`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            try site.link.script("UPDATE lease_grant SET state = 'closed', closed_at = now()")
            try site.load(.stops, Self.header + "101,14,death,2024-03-11,\n")

            #expect(try site.count("ending WHERE account_id = 101 AND NOT was_held") == 1)
            #expect(try site.count("release") == 0)
        }
    }

    @Test func `what has ended stays as it ended`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            try site.link.script("INSERT INTO ending VALUES (14, 101, 7, 'return', 'asked', now(), 1, 1, true)")
            let report = try site.load(.stops, Self.header + "101,14,lawsuit,2024-03-11,\n")

            #expect(report.counts.first { $0.label == "dealt accounts taken back" }?.count == 0)
            #expect(try site.count("ending WHERE kind = 'return'") == 1)
            #expect(try site.count("release") == 0)
        }
    }

    @Test func `a stop that has passed is recorded and takes nothing back`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            let report = try site.load(.stops, Self.header + "101,14,extension,2024-02-01,2024-03-30\n")

            #expect(report.lines.contains("  stops recorded: 1"))
            #expect(try site.count("ending") == 0)
        }
    }

    @Test func `an account that nobody was dealt is only recorded`() async throws {
        try await ImportSite.with { site in
            try site.addCutOfOne()
            try site.load(.stops, Self.header + "900,20,fpp,2024-03-01,2024-08-31\n")

            #expect(try site.count("stop WHERE account_id = 900 AND reason = 'fpp'") == 1)
            #expect(try site.count("ending") == 0)
        }
    }

    @Test func `what is taken back is on the ledger of the month at the clock`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            try site.link.script("UPDATE clock SET virtual_now = '2024-03-12T12:00:00Z'")
            try site.load(
                .stops,
                Self.header + "103,14,lawsuit,2024-03-11,\n104,14,payoff,2024-03-11,\n900,15,death,2024-03-11,\n")
            let blocks = try site.link.run("SELECT delegation_id, period, count, records FROM block")
            let text = String(decoding: blocks[0].bytes(3), as: UTF8.self)

            #expect(blocks.count == 1)
            #expect(blocks[0].int16(0) == 14)
            #expect(blocks[0].int32(1) == 202_403)
            #expect(blocks[0].int32(2) == 2)
            #expect(
                text.contains(
                    "ending delegation=14 account=103 epoch=7 kind=exclusion reason=lawsuit at=2024-03-12T12:00:00.000Z"
                ))
            #expect(text.contains("account=104 epoch=7 kind=payoff reason=payoff"))
        }
    }

    @Test func `more stops than one page holds are all taken back`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            try site.link.script(
                """
                INSERT INTO hand VALUES (15, 2, '{31}', 2, 1, 202403, 1, false, 'open', 6000, 30, 60, 0, 0, '\\x');
                INSERT INTO position SELECT 15, 2, n, 1000 + n, 7, 1, 1, 0, 1, 'rest', 3, 1, 1, 15039, 'r'
                    FROM generate_series(1, 6000) n;
                INSERT INTO deal SELECT 15, 1000 + n, 7, 2, n FROM generate_series(1, 6000) n;
                """)
            let rows = (1...6_000).map { "\(1_000 + $0),15,disaster,2024-03-11,\n" }.joined()
            let report = try site.load(.stops, Self.header + rows + "103,14,lawsuit,2024-03-11,\n")

            #expect(report.lines.contains("  dealt accounts taken back: 6,001"))
            #expect(try site.count("ending") == 6_001)
        }
    }

    @Test func `of two reasons the payoff names the ending`() async throws {
        try await ImportSite.with { site in
            try deal(site)
            try site.load(.stops, Self.header + "101,14,dispute,2024-03-01,\n101,14,payoff,2024-03-02,\n")

            #expect(try site.count("ending WHERE account_id = 101 AND kind = 'payoff'") == 1)
            #expect(try site.count("release") == 1)
        }
    }

    @Test func `a stop again changes nothing, with another last day it is refused`() async throws {
        try await ImportSite.with { site in
            try site.addCutOfOne()
            try site.load(.stops, Self.header + "900,20,fpp,2024-03-01,2024-08-31\n")
            let again = try site.load(
                .stops, Self.header + "900,20,fpp,2024-03-01,2024-08-31\n901,20,fpp,2024-03-01,\n")
            let other = try site.load(.stops, Self.header + "900,20,fpp,2024-03-01,\n")

            #expect(again.lines.contains("  stops already recorded: 1"))
            #expect(
                other.badValues.map(\.reason) == [
                    "the stop is recorded with 2024-08-31; a change needs a row with a later from_on"
                ])
        }
    }

    @Test(arguments: [
        ("900,20,fpp,2024-04-02,", "from_on: lies in the future; the latest day is 2024-03-31"),
        ("900,20,fpp,2024-03-10,2024-03-09", "until_on: is before from_on"),
        (
            "900,20,strike,2024-03-10,",
            "reason: is none of `lawsuit`, `death`, `payoff`, `fpp`, `extension`, `dispute`, `disaster`"
        ),
    ])
    func `a stop that cannot be is refused`(row: String, reason: String) async throws {
        try await ImportSite.with { site in
            try site.addCutOfOne()
            let report = try site.load(.stops, Self.header + row + "\n")

            #expect(report.badValues.map { "\($0.column): \($0.reason)" } == [reason])
        }
    }
}
