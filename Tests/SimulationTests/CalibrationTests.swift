// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Simulation
import Testing

struct CalibrationTests {
    private func figures(seed: UInt64, accounts: Int = 8_000, disaster: Bool = false) throws -> [MeasuredFigure] {
        var specification = try PortfolioSpecification(
            accounts: accounts, seed: seed, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
        specification.hasDisaster = disaster
        return PortfolioFolder(specification).figures { _ in }.measured
    }

    /// Each seed for itself, where a small portfolio is allowed its chance; and all of them as one portfolio of 160,000, where it has
    /// next to none: a share of dual of 2.5 instead of 2 percent is inside of each, and outside of all.
    @Test func `every published aggregate of a cut is inside its tolerance, for twenty seeds`() throws {
        var pooled: [MeasuredFigure] = []
        for seed in 1...20 as ClosedRange<UInt64> {
            let measured = try figures(seed: seed)
            #expect(Self.outside(measured) == [], "seed \(seed)")
            pooled = pooled.isEmpty ? measured : zip(pooled, measured).map(Self.pool)
        }

        #expect(Self.outside(pooled) == [])
        #expect(
            Set(pooled.map(\.figure.id)).isSuperset(of: ["ORA-01", "ORA-11", "ORA-13", "ORA-14", "ORA-16", "ORA-35"]))
    }

    private static func outside(_ measured: [MeasuredFigure]) -> [String] {
        measured.filter { $0.verdict == .outside }.map { "\($0.figure.id) \($0.figure.name)" }
    }

    private static func pool(_ one: MeasuredFigure, _ other: MeasuredFigure) -> MeasuredFigure {
        #expect(one.figure == other.figure)
        let base: Int? = if let first = one.base, let second = other.base { first + second } else { nil }
        return MeasuredFigure(
            figure: one.figure, part: one.part + other.part, count: one.count + other.count, base: base)
    }

    /// A portfolio of 8,000 has four certificates: what is rare takes so many accounts that a constant that is half as large, or half as
    /// large again, is outside.
    @Test func `rare aggregates are inside of tolerances that a wrong constant is not`() throws {
        let measured = try figures(seed: 7, accounts: 300_000)
        for (id, name) in [
            ("ORA-34", "certificates, a month"), ("ORA-35", "segregated, beside"),
            ("ORA-35", "segregated within the month"),
        ] {
            try expectTight(try #require(measured.first { $0.figure.id == id && $0.figure.name == name }))
        }
    }

    /// Two in ten thousand of those segregated, who are a tenth: so a million that are nothing else.
    @Test func `returns to the balance are inside of a tolerance that a wrong constant is not`() throws {
        let asOf = try #require(LocalDate(year: 2024, month: 2, day: 29))
        var figures = CutFigures(course: AccountCourse(seed: 7, asOf: asOf), hasDisaster: false)
        for number in 0..<1_000_000 {
            var draft = AccountDraft()
            draft.account = 1_000_000_000 + number * 11
            draft.book = .segregated
            figures.add(draft)
        }

        try expectTight(try #require(figures.measured.first { $0.figure.id == "ORA-36" }))
    }

    private func expectTight(_ measured: MeasuredFigure) throws {
        #expect(measured.verdict == .inside, "\(measured)")
        for part in [measured.part / 2, measured.part * 3 / 2] {
            let wrong = MeasuredFigure(figure: measured.figure, part: part, count: measured.count)
            #expect(wrong.verdict == .outside, "\(measured)")
        }
    }

    /// Whatever its size, the universe of ORA-10 is told beside the one that was printed.
    @Test func `a report says of how many accounts the rates of administrative collection are`() throws {
        let specification = try PortfolioSpecification(
            accounts: 8_000, seed: 7, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
        let figures = PortfolioFolder(specification).figures { _ in }
        let administrative = try #require(figures.measured.first { $0.figure.id == "ORA-10" }).count
        let balance = try #require(figures.measured.first { $0.figure.id == "ORA-01" }).count

        #expect(administrative > 100)
        let told = "\(Terminal.grouped(administrative)) of \(Terminal.grouped(balance)) in balance ("
        #expect(figures.universeLine.contains(told), "\(figures.universeLine)")
        #expect(UndrawnFigure.reached(317_001, of: 5_513_092).contains("in balance (5.75 %)"))
        #expect(UndrawnFigure.reached(37_819, of: 5_513_092).contains("in balance (0.69 %)"))
        #expect(UndrawnFigure.reached(0, of: 0).contains("0 of 0 in balance (0.00 %)"))
    }

    @Test func `the disaster's figures are there when it is asked for, and nowhere else`() throws {
        let struck = try figures(seed: 7, accounts: 40_000, disaster: true).filter { $0.figure.id == "ORA-60" }

        #expect(struck.count == 9)
        #expect(struck.allSatisfy { $0.verdict == .inside })
        #expect(struck.contains { $0.figure.name == "beside the balance" && $0.part > 0 })
        #expect(try figures(seed: 7, accounts: 100).allSatisfy { $0.figure.id != "ORA-60" })
    }

    @Test(arguments: [
        (308_359, 5_000, MeasuredFigure.Verdict.inside), (313_361, 5_000, .outside), (303_359, 5_000, .outside),
    ])
    func `a figure beyond its tolerance is outside`(got: Int, tolerance: Int, verdict: MeasuredFigure.Verdict) {
        let figure = PublishedFigure.share("ORA-01", "in VSM", of: "credits", .published, 308_360, within: tolerance)
        let measured = MeasuredFigure(figure: figure, part: got * 10, count: 10_000_000)

        #expect(measured.verdict == verdict)
    }

    @Test func `a small universe is allowed its chance: four standard errors`() {
        let figure = PublishedFigure.share("ORA-13", "dual", of: "credits", .derived, 20_000, within: 1_500)

        #expect(figure.allowance(of: 10_000_000) == 1_500)
        #expect(figure.allowance(of: 4_000) == 4 * 2_213)
        #expect(MeasuredFigure(figure: figure, part: 0, count: 0).verdict == .none)
    }

    /// A mean of 0.05 cases has three of them once in fifty thousand times, and two once in eight hundred.
    @Test(arguments: [(1, MeasuredFigure.Verdict.inside), (2, .inside), (3, .outside)])
    func `of few expected cases as many are allowed as are no rarer than four standard errors`(
        cases: Int, verdict: MeasuredFigure.Verdict
    ) {
        let figure = PublishedFigure.share("ORA-36", "cancelled", of: "accounts", .derived, 200, within: 100)

        #expect(MeasuredFigure(figure: figure, part: cases, count: 250).verdict == verdict)
        #expect(figure.allowance(of: 10_000_000) == 100)
    }

    @Test func `mediation agreements are paid as published`() {
        let draws = (0..<20_000).map { number in
            var random = SplitMix64(seed: 7, stream: UInt64(number))
            return AgreementDraw(&random).isPaid
        }
        func permille(_ holds: ([Bool]) -> Bool) -> Int { draws.count(where: holds) / 20 }

        #expect((780...800).contains(permille { $0[1] }))
        #expect((660...680).contains(permille { $0[2] }))
        #expect((630...650).contains(permille { $0[0] && $0[1] && $0[2] }))
        #expect((430...450).contains(permille { $0.allSatisfy(\.self) }))
    }

    @Test func `what begins fits the cut: nobody stops and starts, and new accounts are in no cut`() throws {
        let folder = try TemporaryFolder()
        let specification = try PortfolioSpecification(
            accounts: 8_000, seed: 7, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
        let counts = try PortfolioFolder(specification).write(to: folder.path) { _ in }
        let starts = try Table(path: "\(folder.path)/starts.csv", required: ["account", "reason"])
        let stops = try Table(path: "\(folder.path)/stops.csv", required: ["account"])
        let cut = try Table(path: "\(folder.path)/cut.csv", required: ["account"])
        let old = Set(cut.rows.map { cut.text($0, "account") })
        let new = starts.rows.filter { starts.text($0, "reason") == "new-account" }

        #expect(starts.rows.count > 20)
        #expect(counts.starts == starts.rows.count)
        #expect(!new.isEmpty)
        #expect(
            Set(starts.rows.map { starts.text($0, "account") }).isDisjoint(
                with: stops.rows.map { stops.text($0, "account") }))
        #expect(old.isDisjoint(with: new.map { starts.text($0, "account") }))
        #expect(
            old.isSuperset(
                of: starts.rows.filter { starts.text($0, "reason") != "new-account" }.map { starts.text($0, "account") }
            ))
    }
}
