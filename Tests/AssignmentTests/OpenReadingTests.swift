// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Where the sources differ or are silent: the default of the catalogue, and the alternative that a schedule may name.
struct OpenReadingTests {
    // MARK: - Fees

    private static let scale: [(String, String, String)] = [
        ("FEE-05", "minimum", "20"), ("FEE-05", "0-20", "5"), ("FEE-05", "21-30", "6"), ("FEE-05", "31-40", "6.5"),
    ]

    private func line(_ recovery: BandRecovery, _ values: [(String, String, String)]) throws -> StatementLine? {
        try FeeTariff(Sample.schedule("t", Self.scale + values)).lines(for: [], bands: [recovery]).first
    }

    /// 100.00 of 1,000.00 recovered; 160.00 were paid.
    @Test(arguments: [(nil, "5.00"), ("overdue", "5.00"), ("paid", "8.00")] as [(String?, String)])
    func `the base of the rate is what was recovered of the overdue value, or all that was paid (AMB-09)`(
        base: String?, amount: String
    ) throws {
        let recovery = BandRecovery(
            band: .over120, assigned: Cents(1_000_00), recovered: Cents(100_00), paid: Cents(160_00), payments: ["P"])
        let line = try line(recovery, base.map { [("AMB-09", "base", $0)] } ?? [])

        #expect(line?.amount.description == amount)
        #expect(line?.base == .amount(base == "paid" ? Cents(160_00) : Cents(100_00)))
        #expect(line?.clause.hasSuffix(base == "paid" ? "sobre lo pagado." : "sobre la mora recuperada.") == true)
    }

    @Test(arguments: [(ContingencyReading.Base.overdue, "5.00"), (.paid, "8.00")])
    func `what is given back is of the base that it was paid by, whatever the schedule reads now`(
        base: ContingencyReading.Base, amount: String
    ) throws {
        let rate = try #require(BasisPoints(percent: "5"))
        let former = ScheduleVersion(name: "t", effectiveOn: Sample.firstDay)
        let back = BandReversal(
            band: .over120, month: Sample.march.advanced(byMonths: -1), schedule: former, base: base, rate: rate,
            amount: Cents(100_00), paid: Cents(160_00), payments: ["R"])
        let nothing = BandReversal(
            band: .over120, month: Sample.march.advanced(byMonths: -2), schedule: former, base: base, rate: rate,
            amount: .zero, paid: Cents(60_00), payments: ["S"])
        for now in ["overdue", "paid"] {
            let later = try #require(LocalDate(year: 2024, month: 3, day: 1))
            let tariff = try FeeTariff(Sample.schedule("t", Self.scale + [("AMB-09", "base", now)], from: later))
            let statement = try Statement(
                Sample.contract([Sample.month { $0.givenBack = [back, nothing] }]), tariff: tariff,
                terms: Sample.administrative())
            let cuts = statement.sections.flatMap(\.lines).filter { $0.kind == .feeCut }

            #expect(cuts.first { $0.facts == ["R"] }?.amount.description == amount)
            #expect(cuts.first { $0.facts == ["R"] }?.schedule == former)
            // Above its overdue value an account counted nothing, and gives nothing back unless the rate was of all that was paid.
            #expect(cuts.contains { $0.facts == ["S"] } == (base == .paid))
        }
    }

    /// 10 % in the place, 35 % of the agency.
    @Test(arguments: [(nil, "6.5"), ("agency", "6.5"), ("contract", "5")] as [(String?, String)])
    func `the percentage is the agency's in the band, or the contract's in the delegation (AMB-10)`(
        share: String?, rate: String
    ) throws {
        var recovery = BandRecovery(
            band: .over120, assigned: Cents(1_000_00), recovered: Cents(100_00), payments: ["P"])
        recovery.agency = BandRecovery.Sums(assigned: Cents(2_000_00), recovered: Cents(700_00))
        let line = try line(recovery, share.map { [("AMB-10", "share", $0)] } ?? [])

        let expected = try #require(BasisPoints(percent: rate))
        #expect(line?.rate == .percent(expected))
        #expect(line?.arithmetic.spanish.contains(" de la agencia en la franja = ") == (share != "contract"))
        // The minimum is the agency's, whatever selects the rate (AMB-23).
        #expect(
            line?.arithmetic.english.contains("(the minimum of 20 % is of the agency in the band)")
                == (share == "contract"))
        #expect(line?.arithmetic.english.contains("(minimum of 20 % met)") == (share != "contract"))
    }

    @Test(
        arguments: [
            (nil, 20_49, "5"), (nil, 20_50, "5"), (nil, 20_99, "5"), (nil, 21_00, "6"), ("round", 20_49, "5"),
            ("round", 20_50, "6"), ("cut", 20_50, "5"),
        ] as [(String?, Int64, String)])
    func `a percentage between two whole ones is cut off, or rounded (AMB-11)`(
        fraction: String?, hundredths: Int64, rate: String
    ) throws {
        let recovery = BandRecovery(
            band: .over120, assigned: Cents(1_000_000), recovered: Cents(hundredths * 100), payments: ["P"])
        let line = try line(recovery, fraction.map { [("AMB-11", "fraction", $0)] } ?? [])

        let expected = try #require(BasisPoints(percent: rate))
        #expect(line?.rate == .percent(expected))
    }

    /// The minimum of the band is 20 %: what the line says of it, the goal says, and what is proposed (SUS-01).
    @Test(arguments: [("cut", false), ("round", true)])
    func `the goal of a band reads a percentage as its line does (AMB-11)`(fraction: String, isMet: Bool) throws {
        let recovery = BandRecovery(
            band: .over120, assigned: Cents(1_000_000), recovered: Cents(195_000), payments: ["P"])
        let tariff = try FeeTariff(Sample.schedule("t", Self.scale + [("AMB-11", "fraction", fraction)]))
        let month = Sample.month { $0.bands = [recovery] }
        let section = try #require(
            try Statement(Sample.contract([month]), tariff: tariff, terms: Sample.administrative()).sections.first)
        let goal = try #require(section.bands.first)

        #expect(section.lines.first?.arithmetic.english.contains("(minimum of 20 % met)") == isMet)
        #expect(goal.percent == (isMet ? 20 : 19) && goal.isMissed != isMet)
        #expect(SuspensionProposal.proposals([goal], in: Sample.march).isEmpty == isMet)
        let lines = try ProjectedMonth(
            Sample.contract([month]), tariff: tariff, terms: Sample.administrative(),
            progress: ProjectedMonth.Progress(elapsed: 30, days: 30)
        ).lines
        // 20 % are 2,000.00, and 19.5 % are rounded to them.
        #expect(lines.first { $0.rule == "SUS-01" }?.need == (isMet ? "" : "50.00"))
    }

    @Test(
        arguments: [
            (nil, 40_00, true), (nil, 41_00, true), ("none", 40_00, true), ("none", 41_00, false), ("top", 99_00, true),
        ]
            as [(String?, Int64, Bool)])
    func `above the top range its rate holds, or nothing is paid (AMB-11)`(
        above: String?, hundredths: Int64, isPaid: Bool
    ) throws {
        let recovery = BandRecovery(
            band: .over120, assigned: Cents(1_000_000), recovered: Cents(hundredths * 100), payments: ["P"])
        let line = try line(recovery, above.map { [("AMB-11", "above", $0)] } ?? [])

        #expect((line != nil) == isPaid)
    }

    // MARK: - Penalties

    private func terms(_ values: [(String, String, String)]) throws -> PenaltyTerms {
        try PenaltyTerms(Sample.schedule("p", Sample.administrativeValues + values))
    }

    private func rules(_ month: DelegationMonth, _ values: [(String, String, String)]) throws -> [String] {
        try terms(values).lines(for: month, in: Sample.march, invoice: Cents(100_00)).map(\.rule)
    }

    /// 31 of 100 reviewed; with 4 that wait, 31 of 104 are 29.8 %.
    @Test(
        arguments: [
            (nil, nil, 4, true), ("reviewed", nil, 4, true), ("submitted", nil, 4, false), ("submitted", nil, 3, true),
            ("submitted", nil, 0, true), (nil, "100", 0, true), (nil, "101", 0, false), (nil, "99", 0, true),
        ] as [(String?, String?, Int64, Bool)])
    func `rejections are counted over what was reviewed, without a least number, or as the contract has it (AMB-17)`(
        over: String?, sample: String?, pending: Int64, isCharged: Bool
    ) throws {
        let month = Sample.month {
            $0.reviews = [
                ReviewCount(.dwelling, approved: 69, rejected: Array(1...31), pending: pending),
                ReviewCount(.agreement, approved: 69, rejected: Array(1...31), pending: pending),
            ]
        }
        let values = [over.map { ("over", $0) }, sample.map { ("sample", $0) }].compactMap { $0 }
        let rules = try rules(month, ["PEN-05", "PEN-07"].flatMap { rule in values.map { (rule, $0.0, $0.1) } })

        #expect(rules == (isCharged ? ["PEN-05", "PEN-07"] : []))
    }

    @Test(
        arguments: [(nil, ["7000.00"]), ("last", ["7000.00"]), ("each", ["14000.00", "7000.00"])]
            as [(String?, [String])])
    func `missing advisers are charged on the month's last report, or on each (AMB-18)`(
        report: String?, amounts: [String]
    )
        throws
    {
        let month = Sample.month {
            $0.indicators.dealt = [.telephone: 4_000]
            $0.needs = [
                StaffingNeed(
                    portfolio: .telephone, accountsPerAdviser: 400,
                    reports: [
                        Staffing(fact: "S-1", present: 8), Staffing(fact: "S-2", present: 10),
                        Staffing(fact: "S-3", present: 9),
                    ])
            ]
        }
        let lines = try terms(report.map { [("PEN-01", "report", $0)] } ?? []).lines(
            for: month, in: Sample.march, invoice: .zero)

        #expect(lines.map(\.amount.description) == amounts)
        #expect(lines.last?.facts == ["S-3"])
    }

    @Test(arguments: [(nil, "16.00"), ("yes", "16.00"), ("no", "0.00")] as [(String?, String)])
    func `penalties carry IVA, or none (AMB-19)`(penalties: String?, tax: String) throws {
        let month = Sample.month {
            $0.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1])]
            $0.commitments = [Commitment(fact: "C", impact: .high, isMet: false, on: Sample.firstDay)]
        }
        let tariff = try FeeTariff(Sample.schedule("t", [("FEE-11", "administrative.phone", "4000.00")]))
        let statement = try Statement(
            Sample.contract([month]), tariff: tariff, terms: terms(penalties.map { [("IVA", "penalties", $0)] } ?? []))

        #expect(statement.totals.penalties.description == "100.00")
        #expect(statement.totals.taxOnPenalties.description == tax)
        #expect(statement.totals.taxOnFees.description == "640.00")
    }

    /// The threshold is 80: a score below it, or as much of the evaluation failed.
    @Test(
        arguments: [
            (nil, "79.99", true), (nil, "80", false), ("score", "79.99", true), ("failed", "79.99", false),
            ("failed", "20.01", false), ("failed", "20", true), ("failed", "19.99", true),
        ] as [(String?, String, Bool)])
    func `telephone quality is breached below the threshold, or where so much of it failed (AMB-21)`(
        reading: String?, score: String, isCharged: Bool
    ) throws {
        let score = try #require(BasisPoints(percent: score))
        let months = [Sample.month { $0.scores = [QualityScore(fact: "Q", score: score, weight: 1)] }]
        let lines = try terms(reading.map { [("PEN-06", "reading", $0)] } ?? []).lines(
            onInvoiceOf: months, invoice: Cents(100_00))

        #expect(lines.map(\.rule) == (isCharged ? ["PEN-06"] : []))
    }

    @Test(arguments: [
        ("AMB-09", "base", "x"), ("AMB-10", "share", "x"), ("AMB-11", "fraction", "x"), ("AMB-11", "above", "x"),
    ])
    func `a word that is none of a reading's is a fault of the schedule of fees`(
        rule: String, parameter: String, value: String
    ) {
        #expect(throws: ScheduleError.self) {
            try FeeTariff(Sample.schedule("t", Self.scale + [(rule, parameter, value)]))
        }
    }

    @Test(arguments: [
        ("PEN-01", "report", "x"), ("PEN-05", "over", "x"), ("PEN-05", "sample", "0"), ("PEN-06", "reading", "x"),
        ("IVA", "penalties", "x"),
    ])
    func `and of the schedule of penalties`(rule: String, parameter: String, value: String) {
        #expect(throws: ScheduleError.self) { try terms([(rule, parameter, value)]) }
    }

    // MARK: - Rounding

    /// 10 % and 16 % at the edge of half a centavo: half away from zero, once per line.
    @Test(
        arguments: [
            ("0.04", "0.00"), ("0.05", "0.01"), ("0.14", "0.01"), ("0.15", "0.02"), ("0.25", "0.03"),
            ("1234567.84", "123456.78"),
            ("1234567.85", "123456.79"), ("99999999999999.95", "10000000000000.00"),
        ])
    func `half a centavo is rounded away from zero`(amount: String, tenth: String) throws {
        let ten = try #require(BasisPoints(percent: "10"))
        let amount = try #require(Cents(pesos: amount))

        #expect(amount.charge(ten).description == tenth)
        #expect((-amount).charge(ten) == -(amount.charge(ten)))
    }

    /// IVA is rounded once, on the section's sum: 16 % of 0.03 three times is nothing each and 0.01 of 0.09.
    @Test func `IVA is of the sum and not the sum of IVA`() throws {
        let month = Sample.month {
            $0.billed = [1, 2, 3].map {
                BilledService(
                    service: FeeService(.administrative, [.phone, .visit, .letter][$0 - 1]), outcomes: [Int64($0)])
            }
        }
        let tariff = try FeeTariff(
            Sample.schedule(
                "t", ["phone", "visit", "letter"].map { ("FEE-11", "administrative.\($0)", "0.03") }))
        let statement = try Statement(Sample.contract([month]), tariff: tariff, terms: Sample.administrative())

        #expect(statement.totals.fees.description == "0.09")
        #expect(statement.totals.taxOnFees.description == "0.01")
    }

    // MARK: - What a percentage is of

    /// - Parameter givenBack: contingency of February that is taken back, at ten percent.
    private func limited(
        budget: String, before: String = "0", givenBack: Int64 = 0, cap: [(String, String, String)] = []
    ) throws -> Statement {
        let rate = try #require(BasisPoints(percent: "10"))
        let schedule = Sample.schedule("t", []).version
        let month = Sample.month {
            $0.givenBack = [
                BandReversal(
                    band: .over120, month: Sample.march.advanced(byMonths: -1), schedule: schedule, rate: rate,
                    amount: Cents(givenBack * 10), payments: ["R"])
            ]
            $0.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1])]
            $0.scores = [QualityScore(fact: "Q", score: BasisPoints(percent: "70") ?? $0.scores[0].score, weight: 1)]
            $0.visits = [Visit(fact: "V", finding: .adviserAbsent, wasAnnounced: false)]
        }
        var contract = try Sample.contract([month])
        contract.spentBefore = Cents(pesos: before) ?? .zero
        return try Statement(
            contract,
            tariff: FeeTariff(
                Sample.schedule("t", [("FEE-11", "administrative.phone", "1000.00"), ("AGY-15", "budget", budget)])),
            terms: terms(cap))
    }

    /// PEN-06 2 % and PEN-03 2.5 %, both of 1,000.00.
    @Test(arguments: ["1000.01", "1000.00", "400.00", "0"])
    func `penalties are of what the work is worth, whatever of it the budget pays (AGY-15)`(budget: String) throws {
        let statement = try limited(budget: budget)

        #expect(statement.totals.penalties.description == "45.00")
        #expect(statement.totals.fees == min(Cents(pesos: budget) ?? .zero, Cents(1_000_00)))
    }

    @Test func `so is the limit of the penalties`() throws {
        let statement = try limited(budget: "400.00", cap: [("AMB-15", "max_total_pct", "3")])

        #expect(statement.totals.penalties.description == "30.00")
    }

    @Test(arguments: [
        ("1000.01", "0", false), ("1000.00", "0", true), ("1500.00", "500.00", true), ("1500.01", "500.00", false),
    ])
    func `a budget that is used up ends the contract, and the statement says so`(
        budget: String, before: String, isUsedUp: Bool
    ) throws {
        let statement = try limited(budget: budget, before: before)

        #expect(statement.isBudgetUsedUp == isUsedUp)
        #expect(
            statement.sections.flatMap(\.notesInEnglish).contains { $0.hasSuffix("is used up: the contract ends.") }
                == isUsedUp)
    }

    /// 1,000.00 of work, 1,200.00 of before of which 300.00 are given back: 1,900.00 in all.
    @Test(arguments: [("1900.01", "700.00", false), ("1900.00", "700.00", true), ("1800.00", "600.00", true)])
    func `a budget has what is given back again (AGY-15)`(budget: String, fees: String, isUsedUp: Bool) throws {
        let statement = try limited(budget: budget, before: "1200.00", givenBack: 300_00)
        let cut = statement.sections.last?.lines.first { $0.rule == "AGY-15" }

        #expect(statement.totals.fees.description == fees)
        #expect(statement.isBudgetUsedUp == isUsedUp)
        #expect((cut != nil) == (fees == "600.00"))
        #expect(
            cut?.arithmetic.english ?? ""
                == (cut == nil
                    ? ""
                    : "budget 1,800.00 − 1,200.00 billed before + 300.00 given back = 900.00; 100.00 of 1,000.00 are not billed")
        )
    }
}
