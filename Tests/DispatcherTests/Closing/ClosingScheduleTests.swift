// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// The schedules that ship.
struct ClosingScheduleTests {
    private func schedules(_ kind: String, file: String = "schedules.csv") throws -> [String: Schedule] {
        var values: [ScheduleVersion: [ScheduleValue]] = [:]
        for fields in try ShippedSchedules.rows(file) where fields[1] == kind {
            let day = try #require(LocalDate(text: fields[2]))
            values[ScheduleVersion(name: fields[0], effectiveOn: day), default: []].append(
                ScheduleValue(rule: fields[3], parameter: fields[4], value: fields[5]))
        }
        return Dictionary(uniqueKeysWithValues: values.map { ($0.name, Schedule(version: $0, values: $1)) })
    }

    @Test(arguments: ["248/GA/2022", "166/GA/2023"])
    func `the administrative schedules name PEN-01 to PEN-08 and no other`(name: String) throws {
        let terms = try PenaltyTerms(try #require(schedules("penalty")[name]))

        #expect(terms.capacity?.perTelephoneAdviser.description == "7000.00")
        #expect(terms.capacity?.perHomeVisitAdviser.description == "9000.00")
        #expect(terms.workPlan?.rate.description == "5")
        #expect(terms.absence?.description == "2.5")
        #expect(terms.improvement?[.low]?.description == "1.5")
        #expect(terms.dwelling?.threshold.description == "30")
        #expect(terms.telephoneQuality?.rate.description == "2")
        #expect(terms.agreement?.threshold.description == "30")
        #expect(terms.recidivism?.months == 6)
        #expect(terms.preventiveQuality == nil)
        #expect(terms.preventiveRequirement == nil)
        #expect(terms.preventiveWorkPlan == nil)
    }

    @Test func `the preventive schedule names PEN-20 to PEN-22 and no other`() throws {
        let terms = try PenaltyTerms(try #require(schedules("penalty")["147/GA/2023"]))

        #expect(terms.preventiveQuality?.rate.description == "5")
        #expect(terms.preventiveRequirement?.description == "2")
        #expect(terms.preventiveWorkPlan?.rate.description == "2")
        #expect(terms.capacity == nil)
        #expect(terms.workPlan == nil)
        #expect(terms.recidivism == nil)
    }

    @Test(arguments: Strategy.allCases)
    func `the general tariff prices every kind of work of every strategy`(strategy: Strategy) throws {
        let tariff = try FeeTariff(try #require(schedules("fee")["infonavit-tariff-2023"]))
        let billed = FeeService.Kind.allCases.map { BilledService(service: FeeService(strategy, $0), outcomes: [1]) }

        #expect(try tariff.lines(for: billed).count == FeeService.Kind.allCases.count)
    }

    @Test func `the preventive tariff prices every kind of preventive work`() throws {
        let tariff = try FeeTariff(try #require(schedules("fee")["preventive-tariff-2023"]))
        let billed = FeeService.Kind.allCases.map { BilledService(service: FeeService(.preventive, $0), outcomes: [1]) }

        #expect(try tariff.lines(for: billed).count == FeeService.Kind.allCases.count)
    }

    /// Contingency alone is paid (FEE-10): a service costs nothing, and may be worked all the same.
    @Test func `the schedule by bands has all five, and prices every kind of work at nothing`() throws {
        let schedules = try schedules("fee", file: "schedules-fna.csv")
        #expect(Array(schedules.keys) == ["fna-contingency"])
        let tariff = try FeeTariff(try #require(schedules["fna-contingency"]))
        let billed = Strategy.allCases.flatMap { strategy in
            FeeService.Kind.allCases.map { BilledService(service: FeeService(strategy, $0), outcomes: [1]) }
        }
        let lines = try tariff.lines(for: billed)

        #expect(tariff.scales.keys.sorted() == MoraBand.allCases)
        #expect(lines.count == billed.count && lines.allSatisfy { $0.amount == .zero })
    }

    @Test func `the schedule by bands is imported as it ships, beside those of the others`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            for file in ["schedules.csv", "schedules-fna.csv"] {
                _ = try ImportRun(
                    .schedules, path: Checkout.root + "/policies/" + file, period: ClosingFixture.period
                ).run(on: link)
            }
            let kept = try link.run(
                "SELECT rule, parameter, value FROM schedule WHERE schedule = 'fna-contingency' ORDER BY 1, 2"
            ).map { [$0.text(0), $0.text(1), $0.text(2)] }

            #expect(
                Set(kept) == Set(try ShippedSchedules.rows("schedules-fna.csv").map { Array($0[3...5]) })
                    && kept.count == 35 + Strategy.allCases.count * FeeService.Kind.allCases.count)
        }
    }
}

/// The rows of a file of schedules that ships, without its heading.
enum ShippedSchedules {
    static func rows(_ file: String) throws -> [[String]] {
        let text = try String(contentsOfFile: Checkout.root + "/policies/" + file, encoding: .utf8)
        return text.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
