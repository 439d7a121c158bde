// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// All accounts of the planned month lie in one municipality per delegation, 09001 and 14001.
struct MunicipalityStopTests {
    @Test func `a disaster stops every account that the cut has in the municipality`() async throws {
        try await StartedMonth.with(accounts: 140) { month in
            try month.month.lease(
                hand: Int32(try month.number("SELECT min(hand_id)::bigint FROM hand WHERE delegation_id = 9")),
                accounts: 3)
            let dealt = try month.count("deal WHERE delegation_id = 9")
            let preview = try month.load(
                .stops,
                "account,delegation,municipality,reason,from_on,until_on\n,9,09001,disaster,2024-03-11,2024-08-31\n",
                dryRun: true)
            #expect(preview.count("of them held and recalled") == 3)
            #expect(try month.count("stop") == 0)
            let report = try month.stop(",9,09001,disaster,2024-03-11,2024-08-31")

            #expect(report.count("of them by municipality") == 140)
            #expect(report.count("dealt accounts taken back") == dealt)
            #expect(report.count("of them held and recalled") == 3)
            #expect(try month.count("ending WHERE delegation_id = 9 AND reason = 'disaster'") == dealt)
            #expect(try month.count("ending WHERE delegation_id = 14") == 0)
        }
    }

    @Test func `an account's own stop stands beside that of its municipality`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try month.stop("900016,9,,disaster,2024-03-11,2024-03-20")
            let report = try month.stop(",9,09001,disaster,2024-03-11,2024-08-31")
            let again = try month.stop(
                ",9,09001,disaster,2024-03-11,2024-08-31", "900016,9,,disaster,2024-03-11,2024-03-20")

            #expect(report.count("of them by municipality") == 60)
            #expect(again.count("stops already recorded") == 61)
            #expect(again.count("stops recorded") == 0)
            #expect(try month.count("stop WHERE account_id = 900016") == 2)
        }
    }

    @Test func `a disaster that was declared by mistake ends for the whole municipality`() async throws {
        try await StartedMonth.with(accounts: 140) { month in
            let dealt = try month.count("deal WHERE delegation_id = 9")
            try month.stop(",9,09001,disaster,2024-03-11,2024-08-31")
            let report = try month.start(
                ",9,exclusion-ended,2024-03-12,disaster,09001", columns: ",ended,municipality")

            #expect(report.count("stops ended") == 140)
            #expect(report.count("starts recorded") == 140)
            #expect(report.count("dealt into front hands") == dealt)
            #expect(try month.count("standing_stop WHERE until_on <> '2024-03-11'") == 0)
            #expect(
                try month.count(
                    "(SELECT account_id FROM deal WHERE delegation_id = 9 GROUP BY 1 HAVING count(*) <> 2) x") == 0)
        }
    }

    @Test func `a new account in a stopped municipality is stopped too`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            try month.stop(",9,09001,disaster,2024-03-11,2024-08-31")
            let file = ExampleText.file(
                .starts,
                [
                    [
                        "account": "999001", "delegation": "9", "municipality": "09001", "reason": "new-account",
                        "ended": "", "arrears": "2", "situation": "active", "judicial_on": "", "extension_until": "",
                        "fpp_until": "",
                        "disaster_until": "", "lawsuit_on": "", "dispute_on": "",
                    ]
                ])
            let report = try month.load(.starts, file)

            #expect(report.count("excluded") == 1)
            #expect(try month.text("SELECT exclusion FROM placement WHERE account_id = 999001") == "disaster")
            #expect(try month.count("stop WHERE account_id = 999001 AND municipality = 9001") == 1)
        }
    }

    @Test(arguments: [
        ("900016,9,09001,disaster,2024-03-11,", "municipality: is given, and so is account; a row names one of them"),
        (",9,,disaster,2024-03-11,", "account: is empty, and so is municipality"),
        (",9,14001,disaster,2024-03-11,", "municipality: lies in another delegation, 14"),
        (
            ",9,09001,lawsuit,2024-03-11,",
            "reason: goes by account; a municipality is stopped for disaster or extension"
        ),
        (
            ",9,09999,disaster,2024-03-11,",
            "municipality: the cut of 2024-03 has no account there; import the cut first, or look for a misspelt key"
        ),
    ])
    func `a municipality that cannot be stopped is refused`(row: String, reason: String) async throws {
        try await StartedMonth.with(accounts: 60) { month in
            let report = try month.stop(row)

            #expect(report.badValues.map { "\($0.column): \($0.reason)" } == [reason])
        }
    }
}
