// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

/// What the shipped policies have in common, and the thresholds of `fna-bands` and `fonacot-pool`, at, below and above.
struct ShippedThresholdTests {
    private static let late: [AccountField: Int64?] = [.arrears: 2, .unpaid: 2, .daysLate: 45, .affiliatedEmployer: 1]

    // ASG-10, SEG-13 (d), SOL-04, SOL-06.
    @Test(
        arguments: PolicyProbe.names,
        [
            (.extensionUntil, -1, nil), (.extensionUntil, 0, "extension"), (.extensionUntil, 1, "extension"),
            (.fppUntil, -1, nil), (.fppUntil, 0, "fpp"), (.fppUntil, 1, "fpp"),
            (.disasterUntil, -1, nil), (.disasterUntil, 0, "disaster"), (.disasterUntil, 1, "disaster"),
        ] as [(AccountField, Int64, String?)])
    func `in every policy an account is protected to the last day of what protects it`(
        name: String, until: (field: AccountField, days: Int64, reason: String?)
    ) throws {
        let row = AccountRow.current.with(Self.late).with([until.field: cutPlus(until.days)])

        #expect(try PolicyProbe(name).reason(row) == until.reason)
    }

    // SEG-09, FIN-20, SOL-17, SOL-43, GOV-04.
    @Test(
        arguments: PolicyProbe.names,
        [
            ([:], nil), ([.lawsuitOn: cutPlus(-1)], "lawsuit"), ([.disputeOn: cutPlus(-1)], "dispute"),
            ([.situation: 2], "liquidated"), ([.situation: 3], "insured"), ([.exhaustedOn: cutPlus(-1)], "exhausted"),
        ] as [([AccountField: Int64?], String?)])
    func `in every policy a suit, a dispute, a payoff, a death and a certificate exclude`(
        name: String, change: (values: [AccountField: Int64?], reason: String?)
    ) throws {
        #expect(try PolicyProbe(name).reason(.current.with(Self.late).with(change.values)) == change.reason)
    }

    // SEG-04, SEG-09: transferred on a dictamen.
    @Test(
        arguments: [("2022-06-30", nil), ("2022-07-01", "judicial"), ("2022-07-02", "judicial")] as [(String, String?)])
    func `who was transferred once dictámenes were issued is with the judicial segment`(
        day text: String, reason: String?
    )
        throws
    {
        let row = AccountRow.current.with([.arrears: 20, .judicialOn: day(text)])

        #expect(try PolicyProbe("infonavit-2023").reason(row) == reason)
    }

    // SEG-06.
    @Test(
        arguments: [
            [.accounting: 1], [.accounting: 2], [.jobLostOn: cutPlus(-5)], [.currency: 2], [.regime: 3], [.unpaid: 0],
            [.agreementAvailable: 0],
        ] as [[AccountField: Int64?]])
    func `dual takes an account whatever its books, job, currency or agreements`(change: [AccountField: Int64?]) throws
    {
        let row = AccountRow.current.with([.arrears: 6, .unpaid: 6, .judicialOn: day("2020-05-04")]).with(change)

        #expect(try PolicyProbe("infonavit-2023").strategy(row) == .dual)
    }

    // SEG-11: the last band before 120 days is visited.
    @Test(
        arguments: [(90, .telephone), (91, .homeVisit), (120, .homeVisit), (121, .homeVisit), (30, .telephone)]
            as [(Int64, Portfolio)])
    func `from the band of 91 days on debtors are visited`(days: Int64, portfolio: Portfolio) throws {
        let row = AccountRow.current.with([.daysLate: days])

        #expect(try PolicyProbe("fna-bands").placement(row).portfolio == portfolio)
    }

    // SEG-12.
    @Test(
        arguments: [
            (3, 0, nil), (3, 1, .preventive), (3, 2, .preventive), (2, 1, nil),
        ] as [(Int64, Int64, Strategy?)])
    func `a current restructure is followed once a payment was incomplete`(
        regime: Int64, payments: Int64, strategy: Strategy?
    ) throws {
        let row = AccountRow.current.with([.regime: regime, .incompletePayments: payments])

        #expect(try PolicyProbe("fna-bands").strategy(row) == strategy)
    }

    // SEG-12.
    @Test(arguments: [(119, nil), (120, nil), (121, "legal-referral"), (122, "legal-referral")] as [(Int64, String?)])
    func `what qualifies for legal referral is out above 120 days`(days: Int64, reason: String?) throws {
        let row = AccountRow.current.with([.daysLate: days, .legalReferral: 1])

        #expect(try PolicyProbe("fna-bands").reason(row) == reason)
    }

    // ASG-05.
    @Test func `in every band an account whose debtor cannot be found goes back within five days`() throws {
        let policy = try PolicyProbe("fna-bands").policy

        #expect(policy.strategies.map { policy.holding($0.strategy)?.unlocatableDays } == [5, 5, 5])
    }

    // SEG-13, SEG-14.
    @Test(
        arguments: [
            (0, 0, nil), (0, 1, .administrative), (0, 2, .administrative), (1, 0, .administrative),
            (3, 0, .administrative), (4, 0, .dual),
        ] as [(Int64, Int64, Strategy?)])
    func `the pool takes what has an arrear or an unpaid billing`(arrears: Int64, unpaid: Int64, strategy: Strategy?)
        throws
    {
        let row = AccountRow.current.with([.arrears: arrears, .unpaid: unpaid])

        #expect(try PolicyProbe("fonacot-pool").strategy(row) == strategy)
    }

    // FIN-19: a due amount that was not paid in full makes late; SEG-13 (a): who left the employer is called at once.
    @Test(
        arguments: [
            ([.daysLate: 0, .incompletePayments: 1], nil), ([.daysLate: 1, .incompletePayments: 1], "left-employer"),
            ([.daysLate: 1, .affiliatedEmployer: 1], "not-deducted"),
            ([.jobLostOn: cutPlus(-61)], nil), ([.jobLostOn: cutPlus(-60)], "left-employer"),
            ([.jobLostOn: cutPlus(0)], "left-employer"), ([.jobLostOn: cutPlus(1)], nil),
            ([.jobLostOn: cutPlus(-60), .affiliatedEmployer: 1], nil),
        ] as [([AccountField: Int64?], String?)])
    func `the pool takes who is a day late, and who has just left the employer`(
        values: [AccountField: Int64?], tactic: String?
    ) throws {
        let probe = try PolicyProbe("fonacot-pool")
        let row = AccountRow.current.with(values)

        #expect(probe.tactic(row) == tactic)
        #expect(probe.strategy(row) == (tactic == nil ? nil : .administrative))
    }

    // SEG-13: (a) to the call centre, (b) to coordinators.
    @Test(
        arguments: [(0, 1, .telephone), (1, 1, .homeVisit), (1, 0, .telephone)] as [(Int64, Int64, Portfolio)])
    func `who left the employer is called, who was not deducted is visited`(
        employed: Int64, address: Int64, portfolio: Portfolio
    ) throws {
        let row = AccountRow.current.with([.arrears: 1, .affiliatedEmployer: employed, .hasAddress: address])

        #expect(try PolicyProbe("fonacot-pool").placement(row).portfolio == portfolio)
    }

    // FIN-08: after a restructure no plan is left.
    @Test(arguments: [(0, true), (1, false), (2, false)] as [(Int64, Bool)])
    func `a restructure takes the plans away and leaves full payoff`(restructures: Int64, hasPlans: Bool) throws {
        let row = AccountRow.current.with([
            .arrears: 12, .unpaid: 12, .affiliatedEmployer: 0, .fppMonths: 6, .jobLostOn: cutPlus(-400),
            .restructures: restructures,
        ])
        let plans: Set = ["plan-20-20-20", "plan-70-30", "plan-50-50"]
        let offers = try PolicyProbe("fonacot-pool").offers(row)

        #expect(offers.intersection(plans) == (hasPlans ? plans : []))
        #expect(offers.contains("payoff-only") == !hasPlans)
    }

    // FIN-10.
    @Test(arguments: [(0, false), (1, true), (2, true)] as [(Int64, Bool)])
    func `plan 70,30 needs a cover that was used`(months: Int64, isOffered: Bool) throws {
        let row = AccountRow.current.with([.fppMonths: months])

        #expect(try PolicyProbe("fonacot-pool").offers(row).contains("plan-70-30") == isOffered)
    }

    // FIN-11: not during a claim, after death or disability.
    @Test(
        arguments: [
            ([:], true), ([.disputeOn: cutPlus(-1)], false), ([.situation: 3], false), ([.situation: 2], false),
        ]
            as [([AccountField: Int64?], Bool)])
    func `plan 50,50 is not for the disputed or released`(change: [AccountField: Int64?], isOffered: Bool) throws {
        let row = AccountRow.current.with([.arrears: 24, .unpaid: 24, .affiliatedEmployer: 0]).with(change)

        #expect(try PolicyProbe("fonacot-pool").offers(row).contains("plan-50-50") == isOffered)
    }

    // FIN-06.
    @Test(arguments: [(0, false), (1, true), (2, true)] as [(Int64, Bool)])
    func `late interest is waived where something is overdue`(overdue: Int64, isOffered: Bool) throws {
        let row = AccountRow.current.with([.overdue: overdue])

        #expect(try PolicyProbe("fonacot-pool").offers(row).contains("interest-waiver") == isOffered)
    }

    // RES-01: the bands of expected loss, in the administrative recovery as in the extrajudicial one.
    @Test(
        arguments: [
            (2_816_900, nil), (2_816_902, 3), (14_084_506, 3), (14_084_508, 2), (35_211_266, 2), (35_211_268, 1),
        ] as [(Int64, Int16?)])
    func `administrative recovery is ordered by expected loss too`(balance: Int64, priority: Int16?) throws {
        let row = AccountRow.current.with([.arrears: 3, .unpaid: 2, .daysLate: 116, .balance: balance])

        #expect(try PolicyProbe("fonacot-pool").placement(row).priority == priority ?? 4)
    }
}
