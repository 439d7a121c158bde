// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
import Testing

/// FEE-01…05 to the letter, with AMB-09…11.
struct ContingencyScaleTests {
    /// As they ship.
    static let values: [(String, String, String)] = {
        let text =
            (try? String(contentsOfFile: RuleSources.root.path + "/policies/schedules-fna.csv", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
            .filter { MoraBand(rawValue: $0[3]) != nil }.map { ($0[3], $0[4], $0[5]) }
    }()

    /// The printed table: every band's minimum, its ranges from the top one down, and their rates, which fall by half a point a step but
    /// for the last one of FEE-05.
    @Test(
        arguments: [
            ("FEE-01", "75", "91-100 5.5, 81-90 5, 71-80 4.5, 61-70 4, 51-60 3.5, 0-50 3"),
            ("FEE-02", "65", "81-90 6.5, 71-80 6, 61-70 5.5, 51-60 5, 41-50 4.5, 0-40 4"),
            ("FEE-03", "55", "71-80 7, 61-70 6.5, 51-60 6, 41-50 5.5, 31-40 5, 0-30 4.5"),
            ("FEE-04", "40", "71-80 7.5, 61-70 7, 51-60 6.5, 41-50 6, 31-40 5.5, 0-30 5"),
            ("FEE-05", "20", "61-70 8, 51-60 7.5, 41-50 7, 31-40 6.5, 21-30 6, 0-20 5"),
        ] as [(String, String, String)])
    func `the scale that ships is the printed one`(rule: String, minimum: String, ranges: String) {
        let own = Self.values.filter { $0.0 == rule }

        #expect(own.filter { $0.1 == "minimum" }.map(\.2) == [minimum])
        #expect(
            Set(own.filter { $0.1 != "minimum" }.map { "\($0.1) \($0.2)" })
                == Set(ranges.split(separator: ", ").map(String.init)))
        #expect(own.count == 7)
    }

    private func tariff() throws -> FeeTariff { try FeeTariff(Sample.schedule("fna", Self.values)) }

    /// Ten thousand pesos assigned, so that a percent is a hundred pesos.
    private func recovery(_ band: MoraBand, hundredths percent: Int64) -> BandRecovery {
        BandRecovery(band: band, assigned: Cents(1_000_000), recovered: Cents(percent * 100), payments: ["P-1"])
    }

    /// The worked examples of the catalogue, and both sides of every minimum.
    @Test(
        arguments: [
            (.days61to90, 65_00, "6.5", true), (.days91to120, 40_00, "5.5", true), (.days91to120, 38_00, "5.5", false),
            (.over120, 20_00, "5", true), (.days1to30, 74_00, "4.5", false), (.days1to30, 75_00, "4.5", true),
            (.days1to30, 74_99, "4.5", false), (.days31to60, 64_99, "5.5", false), (.days31to60, 65_00, "5.5", true),
            (.days61to90, 54_99, "6", false), (.days61to90, 55_00, "6", true), (.over120, 19_99, "5", false),
            // Above the top range its rate holds; a fraction is cut off.
            (.days31to60, 97_00, "6.5", true), (.over120, 100_00, "8", true), (.days1to30, 90_50, "5", true),
            (.days1to30, 90_99, "5", true), (.days1to30, 91_00, "5.5", true), (.days1to30, 120_00, "5.5", true),
            (.days1to30, 50_99, "3", false), (.days1to30, 51_00, "3.5", false), (.days1to30, 1, "3", false),
        ] as [(MoraBand, Int64, String, Bool)])
    func `a band pays by the whole percent recovered`(band: MoraBand, percent: Int64, rate: String, isMet: Bool) throws
    {
        let tariff = try tariff()
        let recovery = recovery(band, hundredths: percent)
        let line = try #require(try tariff.lines(for: [], bands: [recovery]).first)

        #expect(line.rate == BasisPoints(percent: rate).map(StatementLine.Rate.percent))
        #expect(line.base == .amount(recovery.recovered))
        #expect(tariff.scales[band]?.isMet(at: recovery.wholePercent) == isMet)
        #expect(line.facts == ["P-1"])
    }

    @Test func `a line rounds once, half away from zero, and says how it came about`() throws {
        let recovery = BandRecovery(
            band: .days61to90, assigned: Cents(200_000_00), recovered: Cents(130_000_01), payments: [])
        let line = try #require(try tariff().lines(for: [], bands: [recovery]).first)

        // 6.5 % of 130,000.01 is 8,450.00065.
        #expect(line.amount.description == "8450.00")
        #expect(line.rule == "FEE-03")
        #expect(
            line.arithmetic.spanish
                == "130,000.01 de 200,000.00 = 65 % (mínimo 55 % cumplido); 6.5 % de 130,000.01 = 8,450.00")
    }

    @Test func `a month of reversals alone bills nothing`() throws {
        let recovery = BandRecovery(band: .over120, assigned: Cents(100), recovered: Cents(-50), payments: ["R"])

        #expect(try tariff().lines(for: [], bands: [recovery]) == [])
        #expect(recovery.wholePercent == 0)
    }

    @Test func `a band that the contract has no scale for is a fault of the schedule`() throws {
        let tariff = try FeeTariff(Sample.schedule("fna", Self.values.filter { $0.0 == "FEE-01" }))

        #expect(throws: ScheduleError.self) {
            try tariff.lines(for: [], bands: [recovery(.over120, hundredths: 50_00)])
        }
    }

    @Test(
        arguments: [
            [("FEE-01", "minimum", "75"), ("FEE-01", "0-50", "3"), ("FEE-01", "52-60", "4")],
            [("FEE-01", "minimum", "75"), ("FEE-01", "1-50", "3")], [("FEE-01", "minimum", "75")],
            [("FEE-01", "0-50", "3")],
            [("FEE-01", "minimum", "75"), ("FEE-01", "0-50", "3"), ("FEE-01", "40-60", "4")],
            [("FEE-01", "minimum", "75.5"), ("FEE-01", "0-100", "3")],
        ])
    func `a scale has a whole minimum and ranges that follow one another from zero`(values: [(String, String, String)])
    {
        #expect(throws: ScheduleError.self) { try FeeTariff(Sample.schedule("fna", values)) }
    }

    @Test(
        arguments: [
            (0, nil), (1, .days1to30), (30, .days1to30), (31, .days31to60), (60, .days31to60), (61, .days61to90),
            (90, .days61to90), (91, .days91to120), (120, .days91to120), (121, .over120), (5_000, .over120), (-3, nil),
        ] as [(Int32, MoraBand?)])
    func `bands are closed intervals of whole days`(days: Int32, band: MoraBand?) {
        #expect(MoraBand(daysLate: days) == band)
    }
}
