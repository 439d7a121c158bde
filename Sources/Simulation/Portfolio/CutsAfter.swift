// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The cuts of the months behind the period, of the same accounts: `cut-2024-04.csv` and so on. They are what IND-08 to IND-10 are
/// counted by, and what the next month is played with.
struct CutsAfter {
    private var cuts: [CutWriter] = []
    private let course: AccountCourse

    init(folder: String, _ specification: PortfolioSpecification) throws(SimulationFailure) {
        course = specification.course
        guard (0...AccountCourse.monthsMax).contains(specification.cutsAfter) else {
            throw SimulationFailure(
                .usage, "\(specification.cutsAfter) cuts after the period are out of range",
                remedy: "Take 0 to \(AccountCourse.monthsMax)")
        }
        for month in 0..<specification.cutsAfter {
            let period = specification.period.advanced(byMonths: month + 1)
            cuts.append(try CutWriter(path: "\(folder)/cut-\(period).csv", period: period))
        }
    }

    mutating func write(_ draft: AccountDraft) throws(SimulationFailure) {
        for month in cuts.indices { try cuts[month].write(course.after(month + 1, draft)) }
    }

    mutating func finish() throws(SimulationFailure) {
        for month in cuts.indices { try cuts[month].finish() }
    }
}
