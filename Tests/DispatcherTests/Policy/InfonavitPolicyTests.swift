// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

/// The shipped policy, at, below and above each of its thresholds.
struct InfonavitPolicyTests {
    private let segmenter: Segmenter

    init() throws { self.segmenter = Segmenter(try ShippedPolicy.infonavit().policy, cut: cutOfMarch) }

    private func strategy(_ row: AccountRow) -> Strategy? {
        if case .placed(let placement) = segmenter.verdict(for: row) { return placement.strategy }
        return nil
    }

    private func placement(_ row: AccountRow) throws -> Placement {
        guard case .placed(let placement) = segmenter.verdict(for: row) else { throw NotPlaced() }
        return placement
    }
    private struct NotPlaced: Error {}

    private func reason(_ row: AccountRow) -> String? {
        guard case .excluded(let index) = segmenter.verdict(for: row) else { return nil }
        return segmenter.policy.exclusions[index].reason
    }

    private func dual(arrears: Int64) -> AccountRow {
        .current.with([.judicialOn: day("2020-05-04"), .arrears: arrears, .unpaid: arrears])
    }

    @Test func `a current account is nobody's work`() {
        #expect(segmenter.verdict(for: .current) == .nothingToCollect)
    }

    // SEG-01, SEG-02: the ladder's breakpoint of three arrears.
    @Test(
        arguments: [
            (0, nil), (1, .preventive), (3, .preventive), (4, .administrative), (9, .administrative),
            (60, .administrative),
        ]
            as [(Int64, Strategy?)])
    func `one to three arrears are preventive, more administrative`(arrears: Int64, expected: Strategy?) {
        #expect(strategy(.current.with([.arrears: arrears, .unpaid: arrears])) == expected)
    }

    // SEG-01: "recently".
    @Test(arguments: [(-61, nil), (-60, .preventive), (0, .preventive), (1, nil)] as [(Int64, Strategy?)])
    func `a job lost within sixty days before the cut is preventive`(days: Int64, expected: Strategy?) {
        #expect(strategy(.current.with([.jobLostOn: cutPlus(days)])) == expected)
    }

    @Test(
        arguments: [(0, nil), (1, .preventive), (2, .preventive), (3, .preventive), (4, nil)] as [(Int64, Strategy?)])
    func `an instalment that was missed is preventive before a month is overdue`(count: Int64, expected: Strategy?) {
        #expect(strategy(.current.with([.unpaid: count])) == expected)
    }

    @Test(arguments: [(0, nil), (1, .preventive), (2, .preventive)] as [(Int64, Strategy?)])
    func `an incomplete payment is preventive`(count: Int64, expected: Strategy?) {
        #expect(strategy(.current.with([.incompletePayments: count])) == expected)
    }

    @Test func `a lost job goes before every tactic's class`() throws {
        let late = AccountRow.current.with([.arrears: 2, .unpaid: 2])

        #expect(try placement(late).priority == 5)
        #expect(try placement(late.with([.jobLostOn: cutPlus(-30)])).priority == 1)
    }

    // SEG-04, SEG-05 as AMB-01 joins them.
    @Test(arguments: [(3, .preventive), (4, .administrative), (5, .dual), (6, .dual)] as [(Int64, Strategy?)])
    func `a transferred account is dual above four arrears`(arrears: Int64, expected: Strategy?) {
        #expect(strategy(dual(arrears: arrears)) == expected)
    }

    @Test(arguments: [(3, .preventive), (4, .administrative), (5, .dual)] as [(Int64, Strategy?)])
    func `by the other reading arrears alone make it dual, transferred or not (AMB-01)`(
        arrears: Int64, expected: Strategy?
    ) throws {
        let condition =
            "        - judicial_on: {before: 2022-07-01}\n        - suit_profiled: no\n        - lawsuit_on: unknown\n"
        let text = try ShippedPolicy.text("infonavit-2023")
        let alone = text.replacing(condition + "        - arrears: {above: 4}", with: "        - arrears: {above: 4}")
        #expect(alone != text)
        let policy = try #require(try PolicyFile(text: alone).policy(on: cutOfMarch))
        guard
            case .placed(let placement) = Segmenter(policy, cut: cutOfMarch).verdict(
                for: .current.with([.arrears: arrears, .unpaid: arrears]))
        else { throw NotPlaced() }

        #expect(placement.strategy == expected)
        #expect(strategy(.current.with([.arrears: arrears, .unpaid: arrears])) != .dual)
    }

    @Test(arguments: [("2022-06-30", .dual), ("2022-07-01", nil), ("2022-07-02", nil)] as [(String, Strategy?)])
    func `dual was transferred before the dictamen began to be issued`(transferred: String, expected: Strategy?) {
        #expect(strategy(dual(arrears: 6).with([.judicialOn: day(transferred)])) == expected)
    }

    @Test func `more than four arrears alone are not dual`() {
        #expect(strategy(.current.with([.arrears: 12])) == .administrative)
    }

    // SEG-08.
    @Test(arguments: [(9, false), (10, true), (11, true)] as [(Int64, Bool)])
    func `dual above nine arrears can be invited to mediation`(arrears: Int64, isInvited: Bool) throws {
        let row = dual(arrears: arrears)
        let invited = segmenter.invited(row, placed: try placement(row))

        #expect((invited != nil) == isInvited)
        #expect(invited?.strategy ?? .mediation == .mediation)
    }

    @Test func `an administrative account is never invited`() throws {
        let row = AccountRow.current.with([.arrears: 30])

        #expect(segmenter.invited(row, placed: try placement(row)) == nil)
    }

    // ASG-10, each reason.
    @Test(
        arguments: [
            (.extensionUntil, -1, nil), (.extensionUntil, 0, "extension"), (.extensionUntil, 1, "extension"),
            (.fppUntil, -1, nil), (.fppUntil, 0, "fpp"), (.fppUntil, 1, "fpp"),
            (.disasterUntil, -1, nil), (.disasterUntil, 0, "disaster"), (.disasterUntil, 1, "disaster"),
        ] as [(AccountField, Int64, String?)])
    func `what protects an account until a day excludes it on that day`(
        field: AccountField, days: Int64, expected: String?
    ) {
        #expect(reason(.current.with([.arrears: 5, field: cutPlus(days)])) == expected)
    }

    @Test(arguments: [(.lawsuitOn, "lawsuit"), (.disputeOn, "dispute")] as [(AccountField, String)])
    func `a lawsuit or a dispute excludes`(field: AccountField, expected: String) {
        #expect(reason(dual(arrears: 20).with([field: cutPlus(-10)])) == expected)
        #expect(reason(dual(arrears: 20)) == nil)
    }

    @Test(arguments: [(1, nil), (2, "liquidated"), (3, "insured")] as [(Int64, String?)])
    func `a liquidated or insured account is excluded`(situation: Int64, expected: String?) {
        #expect(reason(.current.with([.arrears: 5, .situation: situation])) == expected)
    }

    // SEG-04, SEG-09.
    @Test func `an account that is profiled for suit stays with the judicial segment`() {
        #expect(reason(dual(arrears: 20).with([.suitProfiled: 1])) == "judicial")
        #expect(reason(.current.with([.arrears: 20, .suitProfiled: 1])) == nil)
    }

    @Test func `the first exclusion gives the reason`() {
        #expect(
            reason(dual(arrears: 20).with([.lawsuitOn: cutPlus(-9), .disputeOn: cutPlus(-9), .situation: 2]))
                == "lawsuit")
    }

    // STR-01…06.
    @Test(
        arguments: [
            ([.incompletePayments: 1, .signed: 1], "incomplete-payment", 1),
            ([.signed: 1, .paymentProbability: 9_000], "signed", 2),
            ([.paymentProbability: 6_999], "rest", 5), ([.paymentProbability: 7_000], "high-payment-probability", 2),
            ([.paymentProbability: 7_001], "high-payment-probability", 2), ([.unpaid: 1], "containment", 3),
            ([.unpaid: 2], "rest", 5),
            ([.agreementAvailable: 1, .instalmentDrop: 4_999], "rest", 5),
            ([.agreementAvailable: 1, .instalmentDrop: 5_000], "agreements-50", 4),
            ([.agreementAvailable: 1, .instalmentDrop: 5_001], "agreements-50", 4),
            ([.agreementAvailable: 0, .instalmentDrop: 9_000], "rest", 5),
        ] as [([AccountField: Int64?], String, Int16)])
    func `each tactic has its threshold and its class`(values: [AccountField: Int64?], tactic: String, priority: Int16)
        throws
    {
        let found = try placement(.current.with([.arrears: 2, .unpaid: 2]).with(values))

        #expect(segmenter.tactics[Int(found.tactic)] == tactic)
        #expect(found.priority == priority)
        #expect(segmenter.rule(found) == "preventive.\(tactic)")
    }

    @Test(arguments: [(9, 1, .telephone), (10, 1, .homeVisit), (9, 0, .homeVisit)] as [(Int64, Int64, Portfolio)])
    func `the administrative phase visits where the telephone does not reach`(
        arrears: Int64, phone: Int64, portfolio: Portfolio
    ) throws {
        #expect(try placement(.current.with([.arrears: arrears, .hasPhone: phone])).portfolio == portfolio)
    }

    @Test(
        arguments: [
            (.preventive, ["containment", "agreements-50", "rest", "nothing-known"], [3, 4, 5, 5]),
            (.dual, ["incomplete-payment", "agreements-50", "rest"], [0, 3, 4]),
            (.mediation, ["incomplete-payment", "agreements-50", "rest"], [0, 3, 4]),
        ] as [(Strategy, [String], [Int])])
    func `tactics are listed in the order in which their strategy asks for them`(
        strategy: Strategy, tactics: [String], places: [Int]
    ) {
        #expect(tactics.map { segmenter.policy.place(ofTactic: $0, in: strategy) } == places)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a rule added at the end changes no earlier verdict`(seed: UInt64) throws {
        var longer = segmenter.policy
        guard var last = longer.strategies.last else { return }
        last.when = .always
        longer.strategies.append(last)
        let row = random(seed)
        let verdict = segmenter.verdict(for: row)
        let after = Segmenter(longer, cut: cutOfMarch).verdict(for: row)

        #expect(after == verdict || verdict == .nothingToCollect)
    }

    private func random(_ seed: UInt64) -> AccountRow {
        var random = SplitMix64(seed: seed)
        var row = AccountRow.current
        row[.arrears] = Int64(random.below(14))
        row[.unpaid] = row[.arrears]
        row[.situation] = Int64(random.below(12) == 0 ? 2 : 1)
        if random.below(8) == 0 { row[.extensionUntil] = cutPlus(Int64(random.below(60)) - 30) }
        if random.below(3) == 0 { row[.judicialOn] = day("2019-01-01") }
        if random.below(6) == 0 { row[.jobLostOn] = cutPlus(-Int64(random.below(120))) }
        row[.suitProfiled] = Int64(random.below(4) == 0 ? 1 : 0)
        return row
    }
}
