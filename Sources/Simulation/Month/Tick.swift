// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One instant at which the agencies act. The virtual clock stands still while they do.
struct Tick: Sendable {
    var now: Timestamp
    /// The tick before: work reported now was done after it.
    var previous: Timestamp
    var day: LocalDate
    /// The share of a working tick that is worked, in percent: Saturdays less, Sundays not.
    var effortPercent: Int

    /// Whether the other one of its day is to come.
    var isFirstOfDay: Bool { now < Timestamp(date: day, secondsOfDay: 20 * 3_600) }

    /// Twice a day, at 10:30 and 17:30 in the centre of the country: inside the contact window everywhere, from Tijuana
    /// to Cancún.
    static func of(_ days: ClosedRange<Int32>) -> [Tick] {
        var previous = Timestamp(date: LocalDate(daysSince1970: days.lowerBound), secondsOfDay: 6 * 3_600)
        var ticks: [Tick] = []
        for number in days {
            let day = LocalDate(daysSince1970: number)
            for seconds in [16 * 3_600 + 1_800, 23 * 3_600 + 1_800] {
                let now = Timestamp(date: day, secondsOfDay: seconds)
                let effort = day.weekday == 7 ? 0 : day.weekday == 6 ? 50 : 100
                ticks.append(Tick(now: now, previous: previous, day: day, effortPercent: effort))
                previous = now
            }
        }
        return ticks
    }
}

/// What the agencies did.
package struct MonthCounts: Sendable {
    package var leases = 0
    package var accounts = 0
    package var reports = 0
    package var evidence = 0
    package var extensions = 0
    package var returns = 0
    package var repeats = 0
    package var unequal = 0
    package var resumes = 0
    /// Accounts whose contact data was told.
    package var contacts = 0
    package var held = 0
    /// Refusals by code.
    package var refused: [String: Int] = [:]

    mutating func add(_ other: MonthCounts) {
        leases += other.leases
        accounts += other.accounts
        reports += other.reports
        evidence += other.evidence
        extensions += other.extensions
        returns += other.returns
        repeats += other.repeats
        unequal += other.unequal
        resumes += other.resumes
        contacts += other.contacts
        held += other.held
        refused.merge(other.refused, uniquingKeysWith: +)
    }
}
