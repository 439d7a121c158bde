// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import Testing

/// Relief and exhaustion of the shipped policies, at, below and above each threshold.
struct ReliefTests {
    private let infonavit: PolicyProbe
    private let fonacot: PolicyProbe

    init() throws {
        infonavit = try PolicyProbe("infonavit-2023")
        fonacot = try PolicyProbe("fonacot-pool")
    }

    // SOL-01, SOL-02.
    @Test(
        arguments: [
            (-31, 0, nil, false), (-30, 0, nil, true), (0, 23, nil, true), (-1, 24, nil, false), (-1, 25, nil, false),
            (1, 0, nil, false), (-5, 0, -1, true), (-5, 0, 0, false), (-5, 0, 1, false),
        ] as [(Int64, Int64, Int64?, Bool)])
    func `an extension follows a lost job within thirty days, up to 24 months`(
        lost: Int64, months: Int64, until: Int64?, isOffered: Bool
    ) {
        let row = AccountRow.current.with([
            .jobLostOn: cutPlus(lost), .extensionMonths: months, .extensionUntil: until.map(cutPlus),
        ])

        #expect(infonavit.offers(row).contains("extension") == isOffered)
    }

    // SOL-03.
    @Test(
        arguments: [
            (10, 20, 5_000, true), (10, 21, 5_000, false), (10, 19, 500, true), (10, 0, 499, false),
            (-92, 0, 501, true),
            (-93, 0, 5_000, false), (nil, 0, 5_000, false),
        ] as [(Int64?, Int64, Int64, Bool)])
    func `a disaster's extension is not for those close to payoff or more than twenty instalments behind`(
        until: Int64?, unpaid: Int64, share: Int64, isOffered: Bool
    ) {
        let row = AccountRow.current.with([
            .disasterUntil: until.map(cutPlus), .unpaid: unpaid, .originalAmount: 1_000_000, .balance: share * 100,
        ])

        #expect(infonavit.offers(row).contains("disaster-extension") == isOffered)
    }

    // SOL-05.
    @Test(
        arguments: [(5, nil, true), (6, nil, false), (7, nil, false), (5, 0, false), (5, -1, true)]
            as [(Int64, Int64?, Bool)])
    func `the payment fund covers six months`(months: Int64, until: Int64?, isOffered: Bool) {
        let row = AccountRow.current.with([
            .jobLostOn: cutPlus(-200), .fppMonths: months, .fppUntil: until.map(cutPlus),
        ])

        #expect(infonavit.offers(row).contains("payment-fund") == isOffered)
        #expect(!infonavit.offers(row.with([.jobLostOn: nil])).contains("payment-fund"))
    }

    // SOL-07, SOL-08: regimes 1 REA, 2 ROA, 3 RE.
    @Test(
        arguments: [
            (0, 1, 3, 0, false), (1, 1, 3, 0, true), (9, 1, 3, 0, true), (10, 1, 3, 0, false), (5, 1, 2, 0, false),
            (5, 1, 4, 0, true), (5, 2, 0, 5_500, true), (5, 2, 0, 5_499, false), (5, 2, 0, 5_501, true),
            (5, 2, 9, 0, false), (5, 1, 0, 9_000, false), (5, 3, 9, 9_000, false),
        ] as [(Int64, Int64, Int64, Int64, Bool)])
    func `a fresh start is for one to nine unpaid instalments and what its regime asks for`(
        unpaid: Int64, regime: Int64, payments: Int64, share: Int64, isOffered: Bool
    ) {
        let row = AccountRow.current.with([
            .unpaid: unpaid, .regime: regime, .continuousPayments: payments, .bimesterPaid: share,
        ])

        #expect(infonavit.offers(row).contains("fresh-start") == isOffered)
    }

    // SOL-09, from September 2023.
    @Test(arguments: [(0, false), (1, true), (2, true)] as [(Int64, Bool)])
    func `a private fresh start asks for no payment beforehand`(unpaid: Int64, isOffered: Bool) throws {
        let row = AccountRow.current.with([.unpaid: unpaid])

        #expect(infonavit.offers(row).contains("private-fresh-start") == isOffered)
        #expect(try !PolicyProbe("infonavit-2023", on: "2023-08-01").offers(row).contains("private-fresh-start"))
    }

    // SOL-10: currencies 1 pesos, 2 VSM.
    @Test(
        arguments: [
            (1, 2, 2, true, true), (1, 3, 2, false, false), (1, 4, 2, false, false), (0, 0, 2, false, false),
            (1, 2, 1, true, false),
        ]
            as [(Int64, Int64, Int64, Bool, Bool)])
    func `pensioners may enrol three times, those in pesos from November 2023`(
        ruling: Int64, enrolments: Int64, currency: Int64, isOffered: Bool, wasOffered: Bool
    ) throws {
        let row = AccountRow.current.with([
            .pensionResolution: ruling, .pensionEnrolments: enrolments, .currency: currency,
        ])

        #expect(infonavit.offers(row).contains("pensioners") == isOffered)
        #expect(try PolicyProbe("infonavit-2023", on: "2023-05-01").offers(row).contains("pensioners") == wasOffered)
    }

    // SOL-11, from May 2022.
    @Test func `credits in VSM may be converted`() throws {
        let row = AccountRow.current.with([.currency: 2])

        #expect(infonavit.offers(row).contains("shared-responsibility"))
        #expect(!infonavit.offers(.current).contains("shared-responsibility"))
        #expect(try !PolicyProbe("infonavit-2023", on: "2022-04-01").offers(row).contains("shared-responsibility"))
    }

    // SOL-12.
    @Test(arguments: [(0, false), (1, true), (249_999, true), (250_000, false), (250_001, false)] as [(Int64, Bool)])
    func `early payoff needs less than a quarter owed`(balance: Int64, isOffered: Bool) {
        let row = AccountRow.current.with([.originalAmount: 1_000_000, .balance: balance])

        #expect(infonavit.offers(row).contains("early-payoff") == isOffered)
    }

    // SOL-16.
    @Test func `damage insurance needs current payments`() {
        #expect(infonavit.offers(.current).contains("damage-insurance"))
        for field in [AccountField.arrears, .unpaid, .overdue] {
            #expect(!infonavit.offers(.current.with([field: 1])).contains("damage-insurance"))
        }
    }

    // STR-06, as relief that a tactic asks for.
    @Test func `an account carries all that it may be offered, not only the first`() {
        let row = AccountRow.current.with([
            .agreementAvailable: 1, .instalmentDrop: 5_000, .unpaid: 2, .arrears: 2, .currency: 2,
        ])

        #expect(infonavit.offers(row) == ["agreement-50", "private-fresh-start", "shared-responsibility"])
        #expect(infonavit.tactic(row) == "agreements-50")
    }

    // FIN-09.
    @Test(
        arguments: [
            (0, 5, 0, true, false), (0, 6, 0, true, true), (0, 7, 0, true, true), (1, 6, 0, true, false),
            (0, 6, 1, true, false), (0, 6, 0, false, false),
        ] as [(Int64, Int64, Int64, Bool, Bool)])
    func `plan 20,20,20 is for the jobless whose cover is used up and who were never restructured`(
        employed: Int64, months: Int64, restructures: Int64, isJobless: Bool, isOffered: Bool
    ) {
        let row = AccountRow.current.with([
            .affiliatedEmployer: employed, .fppMonths: months, .restructures: restructures,
            .jobLostOn: isJobless ? cutPlus(-300) : nil,
        ])

        #expect(fonacot.offers(row).contains("plan-20-20-20") == isOffered)
    }

    // FIN-09, with the amounts of the catalogue.
    @Test(
        arguments: [
            (10_000_00, "2,000.00 down and 20 × 400.00, on time 320.00 each: 8,400.00 in all"),
            (10_000_07, "2,000.01 down and 20 × 400.00, the last 400.06, on time 320.00 each: 8,400.06 in all"),
            (0, nil),
        ] as [(Int64, String?)])
    func `the offer of plan 20,20,20 has its amounts`(balance: Int64, amounts: String?) throws {
        let book = OfferBook(fonacot.segmenter.policy)
        let offers = book.solutions(.max, balance: Cents(balance))

        #expect(offers.first { $0.solution == "plan-20-20-20" }?.amounts == amounts)
        #expect(offers.allSatisfy { $0.amounts == nil || $0.solution == "plan-20-20-20" })
    }

    // FIN-10.
    @Test(arguments: [(0, nil, false), (1, nil, true), (6, 0, false), (6, -1, true)] as [(Int64, Int64?, Bool)])
    func `plan 70,30 comes after insurance or fund`(months: Int64, until: Int64?, isOffered: Bool) {
        let row = AccountRow.current.with([.fppMonths: months, .fppUntil: until.map(cutPlus)])

        #expect(fonacot.offers(row).contains("plan-70-30") == isOffered)
    }

    // FIN-11.
    @Test(arguments: [(11, false), (12, true), (36, true), (37, false)] as [(Int64, Bool)])
    func `plan 50,50 is for one to three years without payment`(unpaid: Int64, isOffered: Bool) {
        let row = AccountRow.current.with([.unpaid: unpaid, .arrears: unpaid])

        #expect(fonacot.offers(row).contains("plan-50-50") == isOffered)
        #expect(!fonacot.offers(row.with([.affiliatedEmployer: 1])).contains("plan-50-50"))
    }

    // FIN-06, FIN-08.
    @Test func `of a broken restructure nothing but full payoff may be negotiated`() {
        let row = AccountRow.current.with([.restructures: 1, .arrears: 20, .unpaid: 20, .overdue: 1, .fppMonths: 6])

        #expect(fonacot.offers(row) == ["payoff-only", "interest-waiver"])
        #expect(fonacot.tactic(row) == "payoff-only")
        #expect(!fonacot.offers(row.with([.overdue: 0])).contains("interest-waiver"))
        #expect(!fonacot.offers(row.with([.arrears: 0])).contains("payoff-only"))
    }

    // SOL-40, SOL-41, SOL-42.
    @Test(
        arguments: [
            (9, 1, true, 0, 0, false), (10, 1, true, 0, 0, true), (11, 2, true, 0, 0, true), (10, 3, true, 0, 0, false),
            (10, 1, false, 24, 1, true), (10, 1, false, 23, 1, false), (10, 1, false, 24, 0, false),
            (10, 1, false, 25, 2, true), (10, 1, false, 0, 0, false),
        ] as [(Int64, Int64, Bool, Int64, Int64, Bool)])
    func `exhaustion needs every clause`(
        unpaid: Int64, regime: Int64, isIrregular: Bool, months: Int64, restructures: Int64, isMet: Bool
    ) {
        let row = AccountRow.current.with([
            .unpaid: unpaid, .regime: regime, .irregularDwelling: isIrregular ? 1 : 0, .extensionMonths: months,
            .restructures: restructures,
        ])

        #expect(infonavit.meets(infonavit.policy.exhaustion?.clauses, row) == isMet)
    }

    // SOL-44.
    @Test(
        arguments: [
            ([:], true), ([.arrears: 47], false), ([.arrears: 49], true), ([.reserveShare: 9_999], false),
            ([.reserveShare: 10_001], true), ([.regime: 2], false), ([.accounting: 1], false), ([.situation: 2], false),
            ([.book: 2], false), ([.cofinanced: 1], false), ([.restructureInCure: 1], false), ([.currency: 2], true),
        ] as [([AccountField: Int64?], Bool)])
    func `segregation needs every clause`(changes: [AccountField: Int64?], isMet: Bool) {
        let row = AccountRow.current.with([.arrears: 48, .reserveShare: 10_000, .accounting: 2]).with(changes)

        #expect(infonavit.meets(infonavit.policy.exhaustion?.segregation, row) == isMet)
    }

    // SOL-45.
    @Test(
        arguments: [
            ([:], true), ([.continuousPayments: 11], false), ([.continuousPayments: 13], true), ([.book: 1], false),
            ([.accounting: 2], false), ([.situation: 2], false),
        ] as [([AccountField: Int64?], Bool)])
    func `a return to balance needs twelve months of payments in a row`(changes: [AccountField: Int64?], isMet: Bool) {
        let row = AccountRow.current.with([.book: 2, .continuousPayments: 12]).with(changes)

        #expect(infonavit.meets(infonavit.policy.exhaustion?.returnToBalance, row) == isMet)
    }
}
