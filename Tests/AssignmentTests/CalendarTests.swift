// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct CalendarTests {
    @Test(arguments: [
        ("1900-01", "1900-01-01", "1900-01-31"), ("2024-02", "2024-02-01", "2024-02-29"),
        ("2100-02", "2100-02-01", "2100-02-28"), ("2199-11", "2199-11-01", "2199-11-30"),
        ("2199-12", "2199-12-01", "2199-12-31"),
    ])
    func `a month has its first and last day, also the first and the last month that there are`(
        month: String, first: String, last: String
    ) throws {
        let period = try #require(Period(text: month))

        #expect(period.firstDay.description == first)
        #expect(period.lastDay.description == last)
        #expect(period.advanced(byMonths: 1).firstDay == period.lastDay.advanced(byDays: 1))
    }

    @Test(arguments: ["1899-12", "2200-01", "2024-13", "2024-00", "2024-1"])
    func `other months are not read`(text: String) { #expect(Period(text: text) == nil) }
}
