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

    @Test(arguments: Array(1...20) as [UInt64])
    func `every published aggregate of a cut is inside its tolerance`(seed: UInt64) throws {
        let measured = try figures(seed: seed)

        #expect(measured.filter { $0.verdict == .outside }.map { "\($0.figure.id) \($0.figure.name)" } == [])
        #expect(
            Set(measured.map(\.figure.id)).isSuperset(of: ["ORA-01", "ORA-11", "ORA-13", "ORA-14", "ORA-16", "ORA-35"]))
    }

    @Test func `the disaster's figures are there when it is asked for, and nowhere else`() throws {
        let struck = try figures(seed: 7, accounts: 40_000, disaster: true).filter { $0.figure.id == "ORA-60" }

        #expect(struck.count == 8)
        #expect(struck.allSatisfy { $0.verdict == .inside })
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
        #expect(figure.allowance(of: 400) == 4 * 7_000)
        #expect(MeasuredFigure(figure: figure, part: 0, count: 0).verdict == .none)
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
