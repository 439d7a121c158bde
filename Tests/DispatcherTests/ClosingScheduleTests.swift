// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
import Testing

/// The schedules that ship.
struct ClosingScheduleTests {
    private func schedules(_ kind: String) throws -> [String: Schedule] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "policies/schedules.csv"))
        var values: [ScheduleVersion: [ScheduleValue]] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst() {
            let fields = line.split(separator: ",").map(String.init)
            guard fields[1] == kind else { continue }
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
}
