// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// What limits and persons change of a statement.
struct AdjustmentTests {
    /// Fees of 3 × 48.00; a visit that found nobody costs 2.5 %, quality 2 % of the whole.
    private var month: DelegationMonth {
        Sample.month {
            $0.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1, 2, 3])]
            $0.visits = [Visit(fact: "V-1", finding: .adviserAbsent, wasAnnounced: false)]
            $0.scores = [QualityScore(fact: "Q", score: BasisPoints(percent: "70") ?? $0.scores[0].score, weight: 1)]
        }
    }

    private func statement(
        _ delegation: DelegationMonth, bond: Cents? = nil, fees: [(String, String, String)] = [],
        terms: [(String, String, String)] = [], _ change: (inout ContractMonth) -> Void = { _ in }
    ) throws -> Statement {
        let agency = try #require(AgencyID(7))
        var month = ContractMonth(
            period: Sample.march, contract: try #require(ContractID(12)), agency: agency, agencyName: "A", number: "N",
            tender: "T", delegations: [delegation], bond: bond)
        change(&month)
        return try Statement(
            month, tariff: FeeTariff(Sample.schedule("t", [("FEE-11", "administrative.phone", "48.00")] + fees)),
            terms: PenaltyTerms(Sample.schedule("p", Sample.administrativeValues + terms)))
    }

    private func adjustment(
        _ kind: Adjustment.Kind, _ rule: String, _ amount: String?, number: Int64 = 4
    ) -> Adjustment {
        Adjustment(
            number: number, kind: kind, rule: rule, amount: amount.flatMap { Cents(pesos: $0) },
            about: kind == .waiver ? Sample.march : Sample.march.advanced(byMonths: -1), reason: "flood")
    }

    @Test(arguments: [(nil, "2.88"), ("1.60", "4.88"), ("3.60", "2.88"), ("99", "2.88")] as [(String?, String)])
    func `a waiver takes back no more than its rule charged`(amount: String?, penalties: String) throws {
        var waived = month
        waived.adjustments = [adjustment(.waiver, "PEN-03", amount)]
        let totals = try statement(waived).totals

        // 3.60 for the visit and 2.88 for quality.
        #expect(try statement(month).totals.penalties.description == "6.48")
        #expect(totals.penalties.description == penalties)
        #expect(totals.fees.description == "144.00")
    }

    @Test func `what was withdrawn has neither line nor note, nor has its withdrawal`() throws {
        var withdrawn = month
        withdrawn.adjustments = [
            adjustment(.waiver, "PEN-03", nil), adjustment(.waiver, "A-4", nil, number: 6),
        ]
        #expect(Adjustment.withdrawal(of: 4, in: Sample.march, reason: "flood").rule == "A-4")
        #expect(withdrawn.adjustments.map(\.withdraws) == [nil, 4])
        #expect(try statement(withdrawn) == statement(month))
        withdrawn.adjustments[1] = adjustment(.waiver, "A-5", nil, number: 6)
        #expect(try statement(withdrawn).totals != statement(month).totals)
    }

    @Test func `a waiver of what was not charged is no line but a note`() throws {
        var waived = month
        waived.adjustments = [adjustment(.waiver, "PEN-02", nil)]

        #expect(try statement(waived).totals == statement(month).totals)
        #expect(
            try statement(waived).sections.flatMap(\.notesInEnglish)
                == ["Waiver A-4 of PEN-02: nothing is charged that it could take back."])
        #expect(try statement(month).sections.flatMap(\.notesInEnglish) == [])
    }

    /// 3.60 are charged.
    @Test(
        arguments: [
            ([nil, nil], ["3.60"]), (["1.60", nil], ["1.60", "2.00"]), (["2.00", "2.00"], ["2.00", "1.60"]),
            (["1.60", "1.99"], ["1.60", "1.99"]), (["3.60", "0.01"], ["3.60"]),
        ] as [([String?], [String])])
    func `waivers of one penalty take no more than what those before left`(amounts: [String?], taken: [String]) throws {
        var waived = month
        waived.adjustments = amounts.enumerated().map { index, amount in
            adjustment(.waiver, "PEN-03", amount, number: Int64(index + 1))
        }.reversed()
        let lines = try statement(waived).sections.flatMap(\.lines).filter { $0.kind == .waiver }

        #expect(lines.map(\.amount.description) == taken)
        #expect(lines.map { $0.facts } == (1...taken.count).map { ["A-\($0)"] })
    }

    /// Two breaches of before and PEN-02 of 5.00 in the month: three with it.
    @Test(
        arguments: [([], true), ([nil], false), (["5.00"], false), (["4.99"], true), (["2.00", "3.00"], false)]
            as [([String?], Bool)])
    func `what is waived as a whole is no breach of its own month (PEN-08)`(waivers: [String?], isCharged: Bool) throws
    {
        let breached = Sample.month {
            $0.goals = [Sample.goal("1", of: "2")]
            $0.earlierBreaches = [1, 2].map {
                EarlierBreach(period: Sample.march.advanced(byMonths: -$0), rule: .workPlan)
            }
            $0.adjustments = waivers.enumerated().map { index, amount in
                adjustment(.waiver, "PEN-02", amount, number: Int64(index + 1))
            }
        }
        let lines = try Sample.administrative().lines(for: breached, in: Sample.march, invoice: Cents(100_00))

        #expect(lines.contains { $0.rule == "PEN-08" } == isCharged)
    }

    @Test func `a breach on an invoice of nothing can be waived, too`() throws {
        var breached = Sample.month { $0.visits = [Visit(fact: "V", finding: .adviserAbsent, wasAnnounced: false)] }
        breached.adjustments = [adjustment(.waiver, "PEN-03", nil)]
        let lines = try statement(breached).sections.flatMap(\.lines)

        #expect(lines.map { "\($0.kind.rawValue) \($0.amount)" } == ["penalty 0.00", "waiver 0.00"])
    }

    @Test func `a line is taken where it lowers what is paid`() {
        let kinds: [StatementLine.Kind] = [
            .fee, .penalty, .feeCut, .penaltyCap, .waiver, .credit, .debit, .taxOnFees, .taxOnPenalties,
        ]

        #expect(kinds.filter(\.isTaken) == [.penalty, .feeCut, .debit, .taxOnPenalties])
    }

    @Test func `a credit counts with the fees and a debit with the penalties, IVA and all`() throws {
        let statement = try statement(month) {
            $0.adjustments = [adjustment(.credit, "FEE-11", "100.00"), adjustment(.debit, "PEN-03", "50.00")]
        }

        #expect(statement.totals.fees.description == "244.00")
        #expect(statement.totals.taxOnFees.description == "39.04")
        #expect(statement.totals.penalties.description == "56.48")
        #expect(statement.sections.last?.lines.first { $0.kind == .credit }?.facts == ["A-4"])
    }

    @Test(
        arguments: [
            (.credit, "FEE-11", "t"), (.debit, "FEE-02", "t"), (.debit, "AGY-15", "t"),
            (.credit, "PEN-01:telephone", "p"),
            (.debit, "PEN-03", "p"), (.waiver, "PEN-06", "p"),
        ] as [(Adjustment.Kind, String, String)])
    func `what is put right names the schedule of its rule, of fees or of penalties`(
        kind: Adjustment.Kind, rule: String, schedule: String
    ) throws {
        let statement = try statement(month) { $0.adjustments = [adjustment(kind, rule, "1.00")] }

        #expect(
            statement.sections.last?.lines.filter { $0.kind.rawValue == kind.rawValue }.map(\.schedule.name) == [
                schedule
            ])
    }

    @Test(arguments: [
        ("4.49", "6.47", true), ("4.50", "6.48", false), ("4.51", "6.48", false), ("4", "5.76", true),
        ("0", "0.00", true),
    ])
    func `penalties stop at the contract's part of the invoice (AMB-15)`(pct: String, penalties: String, isCut: Bool)
        throws
    {
        let statement = try statement(month, terms: [("AMB-15", "max_total_pct", pct)])

        #expect(statement.totals.penalties.description == penalties)
        #expect(statement.sections.flatMap(\.lines).contains { $0.kind == .penaltyCap } == isCut)
    }

    @Test(arguments: [
        ("144.00", "0", "144.00"), ("143.99", "0", "143.99"), ("200", "100", "100.00"), ("100", "100", "0.00"),
        ("100", "120", "0.00"),
    ])
    func `a budget stops what is billed to the centavo (AGY-15)`(budget: String, before: String, fees: String) throws {
        let statement = try statement(month, fees: [("AGY-15", "budget", budget)]) {
            $0.spentBefore = Cents(pesos: before) ?? .zero
        }

        #expect(statement.totals.fees.description == fees)
    }

    @Test(arguments: [("6.48", false), ("6.47", true)])
    func `penalties beyond the bond are told`(bond: String, isTold: Bool) throws {
        let notes = try statement(month, bond: Cents(pesos: bond)).sections.flatMap(\.notes)

        #expect(notes.contains { $0.contains("superan la fianza") } == isTold)
        #expect(!notes.contains { $0.contains("superan la factura") })
    }

    @Test(arguments: [("PEN-03", "3.60", "4.80"), ("PEN-04", "2.88", "3.84")])
    func `absence and improvement plans are of the delegation's invoice, or of the whole (AMB-07, AMB-08)`(
        rule: String, ofDelegation: String, ofAll: String
    ) throws {
        let other = DelegationMonth(Delegation.all[8])
        func amounts(_ terms: [(String, String, String)]) throws -> [String] {
            try statement(month, terms: terms) {
                var other = other
                $0.delegations[0].commitments = [
                    Commitment(fact: "C", impact: .medium, isMet: false, on: Sample.firstDay)
                ]
                other.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [9])]
                $0.delegations.append(other)
            }.sections.flatMap(\.lines).filter { $0.rule == rule }.map(\.amount.description)
        }

        #expect(try amounts([]) == [ofDelegation])
        #expect(try amounts([(rule, "scope", "delegation")]) == [ofDelegation])
        #expect(try amounts([(rule, "scope", "invoice")]) == [ofAll])
        #expect(throws: ScheduleError.self) { try amounts([(rule, "scope", "zone")]) }
    }

    /// 1,000,000.00 billed in all, of which 400,000.00 in one of the delegations; each has a visit and a commitment missed.
    @Test(arguments: [
        ("delegation", ["10000.00", "6000.00", "15000.00", "15000.00"]), ("invoice", ["25000.00", "25000.00"]),
    ])
    func `what is of the whole invoice is charged once, by the highest impact of any delegation (AMB-07, AMB-08)`(
        scope: String, amounts: [String]
    ) throws {
        func breached(_ delegation: Delegation, _ outcomes: Int64, _ impact: Impact) -> DelegationMonth {
            var month = DelegationMonth(delegation)
            month.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: Array(1...outcomes))]
            month.visits = [Visit(fact: "V-\(delegation)", finding: .adviserAbsent, wasAnnounced: false)]
            month.commitments = [
                Commitment(fact: "C-\(delegation)", impact: impact, isMet: false, on: Sample.firstDay)
            ]
            month.earlierBreaches = [1, 2].map {
                EarlierBreach(period: Sample.march.advanced(byMonths: -$0), rule: .workPlan)
            }
            return month
        }
        let months = [breached(Sample.jalisco, 6, .high), breached(Delegation.all[8], 4, .low)]
        func statement(_ waivers: [Adjustment] = []) throws -> Statement {
            var month = try Sample.contract(months)
            month.adjustments = waivers
            return try Statement(
                month, tariff: FeeTariff(Sample.schedule("t", [("FEE-11", "administrative.phone", "100000.00")])),
                terms: PenaltyTerms(
                    Sample.schedule(
                        "p", Sample.administrativeValues + [("PEN-03", "scope", scope), ("PEN-04", "scope", scope)])))
        }
        let lines = try statement().sections.flatMap(\.lines).filter { ["PEN-03", "PEN-04"].contains($0.rule) }

        #expect(lines.map(\.amount.description) == amounts)
        #expect(lines.last?.facts == (scope == "invoice" ? ["C-14", "C-9"] : ["C-14"]))
        // Each delegation that missed one breached its plan, a third time (PEN-08); what is waived as a whole is none.
        let again = { (statement: Statement) in
            statement.sections.filter { $0.lines.contains { $0.rule == "PEN-08" } }.compactMap(\.delegation?.value)
        }
        #expect(again(try statement()) == [9, 14])
        #expect(again(try statement([adjustment(.waiver, "PEN-04", nil)])) == (scope == "invoice" ? [] : [9, 14]))
        // The projection tells both delegations, and the charge once.
        let projected = try ProjectedMonth(
            Sample.contract(months),
            tariff: FeeTariff(Sample.schedule("t", [("FEE-11", "administrative.phone", "100000.00")])),
            terms: PenaltyTerms(
                Sample.schedule(
                    "p", Sample.administrativeValues + [("PEN-03", "scope", scope), ("PEN-04", "scope", scope)])),
            progress: ProjectedMonth.Progress(elapsed: 31, days: 31)
        ).lines.filter { $0.rule == "PEN-04" }
        #expect(projected.map(\.level) == [.breach, .breach])
        #expect(
            projected.map(\.charge.description)
                == (scope == "invoice" ? ["25000.00", "0.00"] : ["6000.00", "15000.00"]))
    }

    /// 144.00 of fees, and a penalty of 50.00 of an earlier month that is given back: it carries IVA where penalties do.
    @Test(arguments: [("yes", "31.04", "1.04"), ("no", "23.04", "0.00")])
    func `a penalty that is given back carries IVA where it carried any (AMB-19)`(
        penalties: String, onFees: String, onPenalties: String
    ) throws {
        let totals = try statement(month, terms: [("IVA", "penalties", penalties)]) {
            $0.delegations[0].adjustments = [adjustment(.credit, "PEN-03", "50.00")]
        }.totals

        #expect(totals.fees.description == "194.00")
        #expect(totals.taxOnFees.description == onFees && totals.taxOnPenalties.description == onPenalties)
    }

    /// 50.00 of fees and 25.00 of a penalty that are charged later: the fees carry the fees' IVA, whatever penalties carry.
    @Test(arguments: [("yes", "13.04"), ("no", "8.00")])
    func `fees that a debit takes back carry IVA (AMB-19)`(penalties: String, onPenalties: String) throws {
        let totals = try statement(month, terms: [("IVA", "penalties", penalties)]) {
            $0.delegations[0].adjustments = [
                adjustment(.debit, "FEE-11", "50.00"), adjustment(.debit, "PEN-03", "25.00", number: 5),
            ]
        }.totals

        #expect(totals.taxOnFees.description == "23.04" && totals.taxOnPenalties.description == onPenalties)
    }

    /// A budget of 650,000.00 cut 130,000.00 of March's 780,000.00. 6.5 % of what is taken back was not paid until the cut is used up.
    @Test(arguments: [
        ("1000000.00", "130000.00", "0.00", "65,000.00; the budget had not paid 65,000.00: 0.00 are given back"),
        (
            "1500000.00", "65000.00", "32500.00",
            "97,500.00; the budget had not paid 65,000.00: 32,500.00 are given back"
        ),
        ("1000000.00", "0", "65000.00", "65,000.00"),
    ])
    func `what a budget had cut is not given back (AGY-15)`(
        taken: String, cut: String, amount: String, arithmetic: String
    ) throws {
        var back = BandReversal(
            band: .days31to60, month: Sample.march.advanced(byMonths: -1),
            schedule: ScheduleVersion(name: "t", effectiveOn: Sample.firstDay),
            rate: try #require(BasisPoints(percent: "6.5")),
            amount: try #require(Cents(pesos: taken)), payments: ["R"])
        back.unpaid = try #require(Cents(pesos: cut))
        let statement = try Statement(
            Sample.contract([Sample.month { $0.givenBack = [back] }]), tariff: Sample.tariff(),
            terms: Sample.administrative())
        let line = try #require(statement.sections.flatMap(\.lines).first { $0.kind == .feeCut })

        #expect(line.amount.description == amount)
        #expect(line.arithmetic.english.hasSuffix(" = " + arithmetic))
        #expect(statement.totals.fees.description == (amount == "0.00" ? "0.00" : "-\(amount)"))
    }

    /// Breaches in January and February and this one in March; in July the half-year begins anew.
    @Test(arguments: [("rolling", 3, true), ("semester", 3, true), ("rolling", 7, true), ("semester", 7, false)])
    func `recidivism looks at rolling months or at the half-year (AMB-16)`(window: String, month: Int, isCharged: Bool)
        throws
    {
        let period = try #require(Period(year: 2024, month: month))
        let terms = try PenaltyTerms(Sample.schedule("p", Sample.administrativeValues + [("PEN-08", "window", window)]))
        let breached = Sample.month {
            $0.goals = [Sample.goal("1", of: "2")]
            $0.earlierBreaches = [1, 2].map { EarlierBreach(period: period.advanced(byMonths: -$0), rule: .workPlan) }
        }
        let lines = terms.lines(for: breached, in: period, invoice: Cents(100_00))

        #expect(lines.contains { $0.rule == "PEN-08" } == isCharged)
    }

    @Test(arguments: [("once", 1), ("each", 2)])
    func `failed requirements are one charge or one each`(charge: String, count: Int) throws {
        let terms = try PenaltyTerms(Sample.schedule("p", Sample.preventiveValues + [("PEN-21", "charge", charge)]))
        let failed = Sample.month { $0.requirements = ["R-1", "R-2"].map { Requirement(fact: $0, isMet: false) } }

        #expect(terms.lines(onInvoiceOf: [failed], invoice: Cents(100_00)).count { $0.rule == "PEN-21" } == count)
    }

    /// 144.00 of fees in the month.
    @Test(arguments: [("FEE-11", "144.01", true), ("FEE-11", "144.02", false), ("PEN-03", "144.01", false)])
    func `a credit about fees uses a budget up, and a penalty that is given back does not (AGY-15)`(
        rule: String, budget: String, isUsedUp: Bool
    ) throws {
        let statement = try statement(month, fees: [("AGY-15", "budget", budget)]) {
            $0.adjustments = [adjustment(.credit, rule, "0.01")]
        }

        #expect(statement.isBudgetUsedUp == isUsedUp)
    }
}
