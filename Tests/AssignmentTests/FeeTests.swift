// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// FEE-11: accounts × unit price per service.
struct FeeTests {
    @Test func `an amount is read as pages have it, and a comma for the point is refused`() {
        #expect(Cents(grouped: "7,505.07") == Cents(7_505_07))
        #expect(Cents(grouped: "-1,234,567.8") == Cents(-1_234_567_80))
        #expect(Cents(grouped: "310") == Cents(310_00))
        for text in ["90,00", "9,0,0,0", "1234,567", ",100", "7,505.0,7", "", "-", "7,505.075"] {
            #expect(Cents(grouped: text) == nil, "\(text)")
        }
    }

    @Test func `a line is count times unit price with the outcomes behind it`() throws {
        let lines = try Sample.tariff().lines(for: [
            BilledService(service: FeeService(.administrative, .visit), outcomes: [7]),
            BilledService(service: FeeService(.administrative, .phone), outcomes: [3, 5, 9]),
        ])

        #expect(lines.map(\.subject) == ["administrative.phone", "administrative.visit"])
        #expect(lines.map(\.amount.description) == ["144.00", "165.00"])
        #expect(lines[0].records == [3, 5, 9])
        #expect(lines[0].arithmetic.spanish == "3 cuentas × 48.00 = 144.00")
        #expect(lines[0].base == .count(3, of: "cuentas"))
        #expect(lines[1].arithmetic.spanish == "1 cuenta × 165.00 = 165.00")
        #expect(lines[1].arithmetic.english == "1 account × 165.00 = 165.00")
        #expect(lines[1].base == .count(1, of: "cuenta"))
        #expect(lines[0].schedule.description == "infonavit-tariff-2023@2023-01-01")
    }

    @Test func `a service that was worked and has no price stops the close`() throws {
        let tariff = try Sample.tariff()

        #expect(throws: ScheduleError.noPrice(tariff.version, FeeService(.dual, .phone))) {
            try tariff.lines(for: [BilledService(service: FeeService(.dual, .phone), outcomes: [1])])
        }
    }

    @Test(arguments: ["administrative.fax", "admin.phone", "administrative", "administrative.phone.x", ""])
    func `a tariff of something that is no service is refused`(name: String) {
        let schedule = Sample.schedule("bad", [("FEE-11", name, "1.00")])

        #expect(throws: ScheduleError.unknownService(schedule.version, name: name)) { try FeeTariff(schedule) }
    }

    @Test(arguments: ["-1", "1.005", "a lot", ""])
    func `a price is pesos with two decimals`(price: String) {
        #expect(throws: ScheduleError.self) {
            try FeeTariff(Sample.schedule("bad", [("FEE-11", "dual.phone", price)]))
        }
    }

    @Test(
        arguments: [
            ("2022-12-31", nil), ("2023-01-01", "1"), ("2023-06-30", "1"), ("2023-07-01", "2"), ("2024-03-01", "2"),
        ]
            as [(String, String?)])
    func `the latest version in force on the first day of the period applies`(day: String, expected: String?) throws {
        let july = try #require(LocalDate(text: "2023-07-01"))
        let versions = [
            Sample.schedule("t", [("FEE-11", "dual.phone", "2")], from: july),
            Sample.schedule("t", [("FEE-11", "dual.phone", "1")]),
        ]
        let day = try #require(LocalDate(text: day))

        #expect(Schedule.inForce(on: day, of: versions)?.value("FEE-11", "dual.phone") == expected)
    }

    @Test(arguments: [("PEN-05", "rate"), ("PEN-08", "count"), ("IVA", "rate"), ("PEN-01", "home-visit")])
    func `a penalty schedule that names a rule gives all of its parameters`(rule: String, parameter: String) {
        let values = Sample.administrativeValues.filter { $0.0 != rule || $0.1 != parameter }
        let schedule = Sample.schedule("bad", values)

        #expect(throws: ScheduleError.missingValue(schedule.version, rule: rule, parameter: parameter)) {
            try PenaltyTerms(schedule)
        }
    }
}
