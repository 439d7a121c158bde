// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Early warning: penalties and minimums of a month that still runs.
struct ProjectedMonthTests {
    private func project(
        elapsed: Int64, _ terms: PenaltyTerms, fees: [(String, String, String)] = [], before: Cents = .zero,
        _ change: (inout DelegationMonth) -> Void
    ) throws -> [ProjectedMonth.Line] {
        var month = try Sample.contract([
            Sample.month { month in
                month.billed = [
                    BilledService(service: FeeService(.administrative, .phone), outcomes: Array(1...100))
                ]
                change(&month)
            }
        ])
        month.spentBefore = before
        let tariff = try FeeTariff(Sample.schedule("t", [("FEE-11", "administrative.phone", "48.00")] + fees))
        return try ProjectedMonth(
            month, tariff: tariff, terms: terms, progress: ProjectedMonth.Progress(elapsed: elapsed, days: 30)
        ).lines
    }

    private func goal(_ achieved: Int64, of minimum: Int64, counted: Bool = true) -> Goal {
        Goal(
            fact: "G", indicator: "worked", achieved: achieved * WorkGoal.scale, minimum: minimum * WorkGoal.scale,
            weight: 1, isCounted: counted)
    }

    @Test(
        arguments: [(26, "breach", "78.00"), (27, "risk", "81.00"), (30, "fine", "90.00")] as [(Int64, String, String)])
    func `a goal that is counted goes on in proportion to the days`(worked: Int64, level: String, end: String) throws {
        let lines = try project(elapsed: 10, Sample.administrative()) { month in
            month.indicators.dealt = [.telephone: 1_000]
            month.goals = [goal(worked, of: 100)]
        }
        let line = try #require(lines.first { $0.rule == "PEN-02" })

        #expect(line.level.rawValue == level)
        #expect(line.now == "\(worked).00" && line.limit == "80" && line.end == end)
        #expect(line.need == "\(80 - worked)" && line.subject == "worked" && line.unit == "accounts")
        // 100 accounts at 48.00 in ten days are 14,400.00 in thirty; five percent of it.
        #expect(line.charge == (level == "breach" ? Cents(72_000) : .zero))
    }

    @Test func `what supervision counted itself stays, and nothing passes what is assigned`() throws {
        let fixed = try project(elapsed: 10, Sample.administrative()) { $0.goals = [goal(79, of: 100, counted: false)] }
        #expect(fixed.first { $0.rule == "PEN-02" }?.end == "79.00")
        let capped = try project(elapsed: 10, Sample.administrative()) { month in
            month.indicators.dealt = [.telephone: 70]
            month.goals = [goal(30, of: 100)]
        }
        #expect(capped.first { $0.rule == "PEN-02" }?.end == "70.00")
    }

    @Test func `missing advisers and rejections say how many would mend them`() throws {
        let lines = try project(elapsed: 15, Sample.administrative()) { month in
            month.indicators.dealt = [.telephone: 1_000]
            month.needs = [
                StaffingNeed(
                    portfolio: .telephone, accountsPerAdviser: 100, staffing: Staffing(fact: "S", present: 7))
            ]
            month.reviews = [ReviewCount(.dwelling, approved: 69, rejected: Array(1...31), pending: 5)]
        }
        let capacity = try #require(lines.first { $0.rule == "PEN-01" })
        #expect(capacity.level == .breach && capacity.need == "3" && capacity.charge == Cents(2_100_000))
        #expect(capacity.unit == "advisers")
        let dwelling = try #require(lines.first { $0.rule == "PEN-05" })
        // 31 of 104 are 29.81 percent, 31 of 103 are 30.10.
        #expect(dwelling.level == .breach && dwelling.need == "4" && dwelling.now == "31.00")
        #expect(dwelling.unit == "approvals")
    }

    /// What waits is in the base already: 40 of 110 are 36.36 percent, 40 of 134 are 29.85.
    @Test func `over all that was submitted only more of it mends a penalty for rejections (AMB-17)`() throws {
        let terms = try PenaltyTerms(
            Sample.schedule("p", Sample.administrativeValues + [("PEN-05", "over", "submitted")]))
        let lines = try project(elapsed: 15, terms) { month in
            month.reviews = [ReviewCount(.dwelling, approved: 60, rejected: Array(1...40), pending: 10)]
        }
        let line = try #require(lines.first { $0.rule == "PEN-05" })

        #expect(line.now == "36.36" && line.need == "24")
        #expect(line.mend == "24 more submitted and not rejected: 40 of 110 submitted were rejected")
    }

    /// Two reports, of which the first lacked three advisers and the last one none.
    @Test(
        arguments: [(nil, "fine", 0), ("last", "fine", 0), ("each", "breach", 21_000_00)] as [(String?, String, Int64)])
    func `what earlier reports of staffing charge is told as well, where each of them does (AMB-18)`(
        report: String?, level: String, charge: Int64
    ) throws {
        let terms = try PenaltyTerms(
            Sample.schedule("p", Sample.administrativeValues + (report.map { [("PEN-01", "report", $0)] } ?? [])))
        let lines = try project(elapsed: 15, terms) { month in
            month.indicators.dealt = [.telephone: 1_000]
            month.needs = [
                StaffingNeed(
                    portfolio: .telephone, accountsPerAdviser: 100,
                    reports: [Staffing(fact: "S-1", present: 7), Staffing(fact: "S-2", present: 10)])
            ]
        }
        let line = try #require(lines.first { $0.rule == "PEN-01" })

        #expect(line.level.rawValue == level && line.charge == Cents(charge) && line.need == "")
    }

    /// Two breaches that end so many months before March: the half-year begins with January, the rolling months with October.
    @Test(arguments: [("rolling", 2, true), ("semester", 2, true), ("rolling", 4, true), ("semester", 4, false)])
    func `recidivism is told by the months that the contract looks at (AMB-16)`(
        window: String, behind: Int, isCharged: Bool
    ) throws {
        let terms = try PenaltyTerms(Sample.schedule("p", Sample.administrativeValues + [("PEN-08", "window", window)]))
        let lines = try project(elapsed: 30, terms) { month in
            month.goals = [goal(10, of: 100)]
            month.earlierBreaches = [behind - 1, behind].map {
                EarlierBreach(period: Sample.march.advanced(byMonths: -$0), rule: .workPlan)
            }
        }

        let line = try #require(lines.first { $0.rule == "PEN-08" })

        #expect((line.level == .breach) == isCharged)
        #expect(line.now == (isCharged ? "2" : "0"))
    }

    @Test(arguments: [(20, "fine"), (21, "risk"), (30, "risk"), (31, "breach")] as [(Int, String)])
    func `rejections are a risk within ten points of the limit`(rejected: Int, level: String) throws {
        let lines = try project(elapsed: 15, Sample.administrative()) { month in
            month.reviews = [
                ReviewCount(
                    .dwelling, approved: Int64(100 - rejected), rejected: (1...rejected).map(Int64.init), pending: 0)
            ]
        }

        #expect(lines.first { $0.rule == "PEN-05" }?.level.rawValue == level)
    }

    @Test func `the second breach of the window warns, the third is charged`() throws {
        func level(_ earlier: Int) throws -> ProjectedMonth.Level? {
            try project(elapsed: 30, Sample.administrative()) { month in
                month.goals = [goal(10, of: 100)]
                month.earlierBreaches = (1...earlier).map {
                    EarlierBreach(period: Sample.march.advanced(byMonths: -$0), rule: .workPlan)
                }
            }.first { $0.rule == "PEN-08" }?.level
        }

        #expect(try level(1) == .risk)
        #expect(try level(2) == .breach)
    }

    /// 100 accounts at 48.00 are 4,800.00; an absent adviser costs 2.5 percent of them, 120.00.
    @Test(arguments: [("2.4", true), ("2.5", false), ("2.6", false)])
    func `the limit of penalties is told where the month would pass it (AMB-15)`(limit: String, isTold: Bool) throws {
        let terms = try PenaltyTerms(
            Sample.schedule("p", Sample.administrativeValues + [("AMB-15", "max_total_pct", limit)]))
        let lines = try project(elapsed: 30, terms) {
            $0.visits = [Visit(fact: "V", finding: .adviserAbsent, wasAnnounced: false)]
        }
        let line = lines.first { $0.rule == "AMB-15" }

        #expect((line != nil) == isTold)
        if isTold {
            #expect(line?.now == "2.50" && line?.limit == "2.40" && line?.charge == .zero)
            #expect(line?.mend == "of penalties of 120.00 no more than 115.20 would be charged")
        }
    }

    /// 4,800.00 in fifteen of thirty days are 9,600.00 in all, behind 400.00 of before.
    @Test(
        arguments: [
            ("10000.00", "breach", "100.00"), ("10000.01", "risk", "99.99"), ("11111.11", "risk", "90.00"),
            ("11111.12", "fine", "89.99"), ("20000.00", "fine", "50.00"),
        ])
    func `a budget that runs out is told before it does (AGY-15)`(budget: String, level: String, end: String) throws {
        let lines = try project(
            elapsed: 15, Sample.administrative(), fees: [("AGY-15", "budget", budget)], before: Cents(400_00)
        ) { _ in }
        let line = try #require(lines.first { $0.rule == "AGY-15" })

        #expect(line.level.rawValue == level && line.end == end)
        let left = try #require(Cents(pesos: budget)) - Cents(5_200_00)
        #expect(line.need == left.description)
    }
}
