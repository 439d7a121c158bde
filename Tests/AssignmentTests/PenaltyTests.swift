// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// PEN-01…08 at, below and above each threshold, and the worked examples of the catalogue with their printed figures.
struct PenaltyTests {
    /// The invoice of the worked examples.
    private let invoice = Cents(123_456_789)

    private func charged(_ month: DelegationMonth, invoice: Cents? = nil) throws -> [String: String] {
        let lines = try Sample.administrative().lines(for: month, in: Sample.march, invoice: invoice ?? self.invoice)
        return Dictionary(lines.map { ("\($0.rule)\($0.subject)", $0.amount.description) }) { first, _ in first }
    }

    @Test(arguments: [(20, "7000.00"), (21, nil), (22, nil)] as [(Int64, String?)])
    func `capacity is breached by fewer advisers than the assigned accounts ask for`(present: Int64, fine: String?)
        throws
    {
        let month = Sample.month {
            $0.indicators.dealt = [.telephone: 8_250]
            $0.indicators.withdrawn = [.telephone: 50]
            $0.indicators.recalled = [.telephone: 30]
            $0.indicators.excluded = [.telephone: 20]
            // 8,150 assigned ÷ 400, rounded up, is 21.
            $0.needs = [
                StaffingNeed(
                    portfolio: .telephone, accountsPerAdviser: 400, staffing: Staffing(fact: "S1", present: present))
            ]
        }

        #expect(try charged(month)["PEN-01telephone"] == fine)
    }

    @Test(arguments: [(20, "9000.00"), (21, nil), (22, nil)] as [(Int64, String?)])
    func `capacity is breached by fewer home-visit advisers than their own accounts ask for`(
        present: Int64, fine: String?
    ) throws {
        let month = Sample.month {
            $0.indicators.dealt = [.telephone: 90_000, .homeVisit: 2_070]
            $0.indicators.withdrawn = [.homeVisit: 20]
            // 2,050 assigned ÷ 100, rounded up, is 21.
            $0.needs = [
                StaffingNeed(
                    portfolio: .homeVisit, accountsPerAdviser: 100, staffing: Staffing(fact: "S2", present: present))
            ]
        }

        #expect(try charged(month) == (fine.map { ["PEN-01home-visit": $0] } ?? [:]))
    }

    /// PEN-09, PEN-30: the published totals of 2023, rule by rule. That of capacity has IVA in it.
    @Test func `the published totals of the rules add up to the printed sum`() throws {
        let amounts = [
            "3265400.00", "6236673.18", "346646.66", "987448.24", "711730.18", "4880686.29", "0.00", "119115.11",
        ]
        let line = try #require(
            try Sample.administrative().lines(
                for: Sample.month { $0.visits = [Visit(fact: "V", finding: .adviserAbsent, wasAnnounced: false)] },
                in: Sample.march, invoice: invoice
            ).first)
        let lines = try amounts.map { text in
            StatementLine(
                kind: .penalty, rule: line.rule, schedule: line.schedule, subject: "", clause: line.clause,
                base: line.base,
                rate: line.rate, amount: try #require(Cents(pesos: text)), facts: [], records: [],
                arithmetic: line.arithmetic)
        }
        let rate = try #require(BasisPoints(percent: "16"))

        #expect(StatementTotals(of: lines).penalties.description == "16547699.66")
        #expect(Cents(2_815_000_00) + Cents(2_815_000_00).charge(rate) == lines[0].amount)
    }

    @Test(arguments: [(8_000, 20), (8_001, 21), (1, 1), (0, 0)] as [(Int64, Int64)])
    func `required advisers are rounded up`(assigned: Int64, required: Int64) {
        let need = StaffingNeed(portfolio: .telephone, accountsPerAdviser: 400, staffing: nil)

        #expect(need.required(for: assigned) == required)
    }

    @Test(
        arguments: [
            (
                .telephone, 101, 0,
                "101 cuentas ÷ 100 por asesor = 2 asesores telefónicos requeridos; 0 presentes; faltan 2 × ",
                "101 accounts ÷ 100 per adviser = 2 telephone advisers required; 0 present; 2 missing × ",
                "asesores telefónicos"
            ),
            (
                .homeVisit, 1, 0,
                "1 cuenta ÷ 100 por asesor = 1 asesor domiciliario requerido; 0 presentes; falta 1 × ",
                "1 account ÷ 100 per adviser = 1 home-visit adviser required; 0 present; 1 missing × ",
                "asesor domiciliario"
            ),
            (
                .homeVisit, 150, 1,
                "150 cuentas ÷ 100 por asesor = 2 asesores domiciliarios requeridos; 1 presente; falta 1 × ",
                "150 accounts ÷ 100 per adviser = 2 home-visit advisers required; 1 present; 1 missing × ",
                "asesor domiciliario"
            ),
        ] as [(Portfolio, Int64, Int64, String, String, String)])
    func `the arithmetic of missing advisers tells one from several`(
        portfolio: Portfolio, assigned: Int64, present: Int64, spanish: String, english: String, unit: String
    ) throws {
        let month = Sample.month {
            $0.indicators.dealt = [portfolio: assigned]
            $0.needs = [
                StaffingNeed(
                    portfolio: portfolio, accountsPerAdviser: 100, staffing: Staffing(fact: "S", present: present))
            ]
        }
        let line = try #require(
            try Sample.administrative().lines(for: month, in: Sample.march, invoice: .zero).first)

        #expect(line.arithmetic.spanish.hasPrefix(spanish) && line.arithmetic.english.hasPrefix(english))
        #expect(line.base == .count(required(assigned) - present, of: unit))
    }

    private func required(_ assigned: Int64) -> Int64 { (assigned + 99) / 100 }

    @Test func `three telephone and two home-visit advisers missing cost 39,000`() throws {
        let month = Sample.month {
            $0.indicators.dealt = [.telephone: 4_000, .homeVisit: 1_000]
            $0.needs = [
                StaffingNeed(
                    portfolio: .homeVisit, accountsPerAdviser: 100, staffing: Staffing(fact: "S2", present: 8)),
                StaffingNeed(
                    portfolio: .telephone, accountsPerAdviser: 400, staffing: Staffing(fact: "S1", present: 7)),
            ]
        }
        let statement = try Statement(
            Sample.contract([month]), tariff: Sample.tariff(), terms: Sample.administrative())

        #expect(statement.totals.penalties.description == "39000.00")
        #expect((statement.totals.penalties + statement.totals.taxOnPenalties).description == "45240.00")
    }

    @Test func `staffing that nobody reported is shown and not charged`() throws {
        let month = Sample.month {
            $0.indicators.dealt = [.telephone: 4_000]
            $0.needs = [StaffingNeed(portfolio: .telephone, accountsPerAdviser: 400, staffing: nil)]
        }
        let statement = try Statement(
            Sample.contract([month]), tariff: Sample.tariff(), terms: Sample.administrative())

        #expect(statement.totals.penalties == .zero)
        #expect(statement.sections[0].notes.first?.contains("no reportada") == true)
    }

    @Test(arguments: [("79.99", "61728.39"), ("80.00", nil), ("80.01", nil)] as [(String, String?)])
    func `the work plan is breached strictly below 80 percent`(achieved: String, fine: String?) throws {
        let month = Sample.month { $0.goals = [Sample.goal(achieved, of: "100")] }

        #expect(try charged(month)["PEN-02"] == fine)
    }

    @Test(
        arguments: [
            ("adviser-absent", true, true), ("adviser-absent", false, true), ("office-closed", false, true),
            ("office-closed", true, false), ("ok", false, false),
        ] as [(String, Bool, Bool)])
    func `an absent adviser or an office closed without notice is a breach`(
        finding: String, notice: Bool, isBreach: Bool
    ) throws {
        let finding = try #require(Visit.Finding(rawValue: finding))
        let month = Sample.month { $0.visits = [Visit(fact: "V1", finding: finding, wasAnnounced: notice)] }

        #expect(try charged(month)["PEN-03"] == (isBreach ? "30864.20" : nil))
    }

    @Test func `several bad visits are charged once per delegation and month`() throws {
        let month = Sample.month {
            $0.visits = [
                Visit(fact: "V2", finding: .officeClosed, wasAnnounced: false),
                Visit(fact: "V1", finding: .adviserAbsent, wasAnnounced: false),
            ]
        }
        let lines = try Sample.administrative().lines(for: month, in: Sample.march, invoice: invoice)

        #expect(lines.map(\.rule) == ["PEN-03"])
        #expect(lines[0].facts == ["V1", "V2"])
    }

    @Test(
        arguments: [
            ([Impact.low], "18518.52"), ([.low, .medium], "24691.36"), ([.high, .low, .high], "30864.20"), ([], nil),
        ] as [([Impact], String?)])
    func `of the unmet commitments the highest impact is charged once`(unmet: [Impact], fine: String?) throws {
        let month = Sample.month {
            $0.commitments =
                unmet.map { Commitment(fact: "C", impact: $0, isMet: false, on: Sample.firstDay) }
                + [Commitment(fact: "met", impact: .high, isMet: true, on: Sample.firstDay)]
        }

        #expect(try charged(month)["PEN-04"] == fine)
    }

    @Test(
        arguments: [
            (31, 69, "61728.39"), (30, 70, nil), (2_999, 7_001, nil), (3_001, 6_999, "61728.39"), (3_000, 7_000, nil),
            (0, 0, nil),
            (1, 0, "61728.39"),
        ] as [(Int, Int64, String?)])
    func `more than 30 percent of the reviewed gestiones rejected is a breach`(
        rejected: Int, approved: Int64, fine: String?
    ) throws {
        let numbers = (0..<rejected).map(Int64.init)
        let month = Sample.month {
            $0.reviews = [
                ReviewCount(.dwelling, approved: approved, rejected: numbers, pending: 1_000_000),
                ReviewCount(.agreement, approved: approved, rejected: numbers, pending: 1_000_000),
            ]
        }
        let fines = try charged(month)

        #expect(fines["PEN-05"] == fine)
        #expect(fines["PEN-07"] == fine)
    }

    @Test(
        arguments: [
            ([], 1, nil), ([(2023, 10), (2024, 1)], 1, "12345.68"), ([(2023, 9), (2024, 1)], 1, nil),
            ([(2023, 10), (2023, 11), (2024, 2)], 0, "12345.68"), ([(2024, 1)], 2, "12345.68"), ([(2024, 1)], 1, nil),
            ([(2023, 12), (2024, 1)], 0, nil), ([(2023, 10), (2023, 11), (2024, 1), (2024, 2)], 0, "12345.68"),
            ([(2023, 10), (2023, 11), (2024, 1), (2024, 2)], 2, "12345.68"),
        ] as [([(Int, Int)], Int, String?)])
    func `three breaches of the plans within six months are recidivism`(
        earlier: [(Int, Int)], now: Int, fine: String?
    ) throws {
        let month = Sample.month {
            $0.earlierBreaches = earlier.compactMap { Period(year: $0.0, month: $0.1) }
                .map { EarlierBreach(period: $0, rule: .workPlan) }
            if now > 0 { $0.goals = [Sample.goal("0", of: "100")] }
            if now > 1 { $0.commitments = [Commitment(fact: "C", impact: .low, isMet: false, on: Sample.firstDay)] }
        }

        #expect(try charged(month)["PEN-08"] == fine)
        let lines = try Sample.administrative().lines(for: month, in: Sample.march, invoice: invoice)
        #expect(lines.count { $0.rule == "PEN-08" } == (fine == nil ? 0 : 1))
    }

    @Test func `the third breach in six months costs 74,074.07, with IVA 85,925.92`() throws {
        var month = Sample.month {
            $0.goals = [Sample.goal("79.99", of: "100")]
            $0.earlierBreaches = [
                EarlierBreach(period: Sample.march.advanced(byMonths: -1), rule: .workPlan),
                EarlierBreach(period: Sample.march.advanced(byMonths: -5), rule: .improvement),
            ]
        }
        month.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1])]
        let tariff = try FeeTariff(
            Sample.schedule("one", [("FEE-11", "administrative.phone", "1234567.89")]))
        let statement = try Statement(Sample.contract([month]), tariff: tariff, terms: Sample.administrative())

        #expect(statement.totals.penalties.description == "74074.07")
        #expect((statement.totals.penalties + statement.totals.taxOnPenalties).description == "85925.92")
        #expect(statement.sections[0].lines.map(\.rule) == ["FEE-11", "PEN-02", "PEN-08", "IVA", "IVA"])
    }

    @Test func `the work plan missed on an invoice of 1,234,567.89 costs 71,604.93 with IVA`() throws {
        let month = Sample.month {
            $0.goals = [Sample.goal("79.99", of: "100")]
            $0.billed = [BilledService(service: FeeService(.administrative, .phone), outcomes: [1])]
        }
        let tariff = try FeeTariff(
            Sample.schedule("one", [("FEE-11", "administrative.phone", "1234567.89")]))
        let statement = try Statement(Sample.contract([month]), tariff: tariff, terms: Sample.administrative())

        #expect((statement.totals.penalties + statement.totals.taxOnPenalties).description == "71604.93")
        #expect(
            statement.sections[0].lines[1].arithmetic
                == StatementNote(
                    spanish:
                        "media ponderada: (1 × 79.99 ÷ 100) ÷ 1 = 79.99 % del mínimo < 80 %; 5 % de 1,234,567.89 = 61,728.39",
                    english:
                        "weighted mean: (1 × 79.99 ÷ 100) ÷ 1 = 79.99 % of the minimum < 80 %; 5 % of 1,234,567.89 = 61,728.39"
                ))
    }

    @Test(arguments: [("79.99", "2469135.78"), ("80", nil), ("80.01", nil)] as [(String, String?)])
    func `a telephone score below 80 percent is charged on the whole invoice`(score: String, fine: String?) throws {
        let score = try #require(BasisPoints(percent: score))
        let months = [Sample.month { $0.scores = [QualityScore(fact: "Q", score: score, weight: 1)] }]
        let lines = try Sample.administrative().lines(onInvoiceOf: months, invoice: Cents(12_345_678_900))

        #expect(lines.first?.amount.description == fine)
    }

    @Test func `only the rules that the schedule names are charged`() throws {
        let month = Sample.month { $0.goals = [Sample.goal("0", of: "100")] }
        let terms = try PenaltyTerms(
            Sample.schedule("short", [("PEN-03", "rate", "2.5"), ("IVA", "rate", "16")]))

        #expect(terms.lines(for: month, in: Sample.march, invoice: invoice) == [])
    }
}
