// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

/// One file, several versions; and the two policies of other institutions.
struct PolicyVersionTests {
    private func transferred(_ unpaid: Int64, agreement: Int64 = 1) -> AccountRow {
        .current.with([
            .judicialOn: day("2020-05-04"), .unpaid: unpaid, .arrears: unpaid, .agreementAvailable: agreement,
        ])
    }

    // SEG-07, SEG-05.
    @Test(
        arguments: [
            ("2022-04-01", 9, 1, false), ("2022-04-01", 10, 1, true), ("2022-10-31", 12, 1, true),
            ("2022-10-31", 13, 1, false), ("2022-04-01", 11, 0, false),
            ("2022-11-01", 9, 1, false), ("2022-11-01", 10, 1, true), ("2023-04-30", 24, 1, true),
            ("2023-04-30", 25, 1, false), ("2022-11-01", 11, 0, false),
            ("2023-05-01", 9, 0, false), ("2023-05-01", 10, 0, true), ("2023-11-30", 60, 0, true),
            ("2023-12-01", 4, 0, false), ("2023-12-01", 5, 0, true), ("2024-03-01", 60, 0, true),
        ] as [(String, Int64, Int64, Bool)])
    func `dual goes by the threshold of the day`(day: String, unpaid: Int64, agreement: Int64, isDual: Bool) throws {
        let probe = try PolicyProbe("infonavit-2023", on: day)

        #expect((probe.strategy(transferred(unpaid, agreement: agreement)) == .dual) == isDual)
    }

    @Test(
        arguments: [
            ("2022-03-31", nil), ("2022-04-01", "2022-04"), ("2022-10-31", "2022-04"), ("2022-11-01", "2022-11"),
            ("2023-05-01", "2023-05"), ("2023-11-30", "2023-05"), ("2023-12-01", "2023-12"), ("2199-12-31", "2023-12"),
        ] as [(String, String?)])
    func `a day has the version that is in force then`(day: String, version: String?) throws {
        let file = try ShippedPolicy.infonavit()

        #expect(file.policy(on: try #require(LocalDate(text: day)))?.version == version)
        #expect(file.policy.version == "2023-12")
        #expect(file.versions.count == 4)
    }

    // SEG-11, SEG-12.
    @Test(
        arguments: [
            (0, nil, nil), (1, .preventive, "band-1-30"), (30, .preventive, "band-1-30"),
            (31, .administrative, "band-31-60"), (60, .administrative, "band-31-60"),
            (61, .administrative, "band-61-90"), (90, .administrative, "band-61-90"),
            (91, .administrative, "band-91-120"), (120, .administrative, "band-91-120"),
            (121, .dual, "band-over-120"), (999, .dual, "band-over-120"),
        ] as [(Int64, Strategy?, String?)])
    func `bands go by days late, both ends included`(days: Int64, strategy: Strategy?, tactic: String?) throws {
        let probe = try PolicyProbe("fna-bands")
        let row = AccountRow.current.with([.daysLate: days, .regime: 2])

        #expect(probe.strategy(row) == strategy)
        #expect(probe.tactic(row) == tactic)
    }

    @Test func `over 120 days only what does not qualify for legal referral stays`() throws {
        let probe = try PolicyProbe("fna-bands")
        let row = AccountRow.current.with([.legalReferral: 1])

        #expect(probe.reason(row.with([.daysLate: 121])) == "legal-referral")
        #expect(probe.strategy(row.with([.daysLate: 120])) == .administrative)
        #expect(probe.tactic(.current.with([.regime: 3, .incompletePayments: 1])) == "follow-restructure")
        #expect(probe.strategy(.current.with([.regime: 3])) == nil)
        #expect(probe.policy.holding(.dual)?.unlocatableDays == 5)
    }

    // SEG-13, SEG-14, SEG-15.
    @Test(
        arguments: [
            ([.arrears: 0], nil, nil), ([.arrears: 1], .administrative, "left-employer"),
            ([.arrears: 1, .affiliatedEmployer: 1], .administrative, "not-deducted"),
            ([.arrears: 1, .affiliatedEmployer: 1, .documentsMissing: 1], .administrative, "documents-missing"),
            ([.arrears: 2, .unpaid: 2], .administrative, "left-employer"),
            ([.arrears: 3, .unpaid: 3], .administrative, "watch-list"),
            ([.arrears: 3, .unpaid: 4], .administrative, "watch-list"), ([.arrears: 4], .dual, "extrajudicial"),
            ([.arrears: 5], .dual, "extrajudicial"),
        ] as [([AccountField: Int64?], Strategy?, String?)])
    func `the pool follows employment, papers and billings without payment`(
        values: [AccountField: Int64?], strategy: Strategy?, tactic: String?
    ) throws {
        let probe = try PolicyProbe("fonacot-pool")
        let row = AccountRow.current.with(values)

        #expect(probe.strategy(row) == strategy)
        #expect(probe.tactic(row) == tactic)
    }

    // RES-01: four late payments are certain default, of which 71 % is lost without an employer.
    @Test(
        arguments: [
            (2_816_900, 4), (2_816_902, 3), (14_084_506, 3), (14_084_508, 2), (35_211_266, 2), (35_211_268, 1),
        ] as [(Int64, Int16)])
    func `a larger expected loss is served earlier`(balance: Int64, priority: Int16) throws {
        let row = AccountRow.current.with([.arrears: 4, .daysLate: 116, .balance: balance])

        #expect(row[.expectedLoss] == (balance * 71 + 50) / 100)
        #expect(try PolicyProbe("fonacot-pool").placement(row).priority == priority)
    }

    @Test func `the same accounts are placed by every policy, each in its own way`() throws {
        let row = AccountRow.current.with([
            .arrears: 2, .unpaid: 2, .daysLate: 45, .affiliatedEmployer: 1, .incompletePayments: 1,
        ])

        #expect(
            try PolicyProbe.names.map { try PolicyProbe($0).strategy(row) } == [
                .preventive, .administrative, .administrative,
            ])
        #expect(
            try PolicyProbe.names.map { try PolicyProbe($0).tactic(row) }
                == ["incomplete-payment", "band-31-60", "not-deducted"])
    }
}
