// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The months behind the period, of the same accounts and contracts: `cut-2024-04.csv`, `stops-…`, `starts-…`, `payments-…`,
/// `facts-opening-…` and `facts-2024-04.csv`, and so on. They are what IND-08 to IND-10 are counted by, and what the next months are
/// played on.
struct CutsAfter {
    private struct Month {
        var cut: CutWriter
        var files: MonthFiles
    }

    private var months: [Month] = []
    private let specification: PortfolioSpecification
    private let course: AccountCourse

    init(
        folder: String, _ specification: PortfolioSpecification, _ contracts: [ContractDraft]
    ) throws(SimulationFailure) {
        self.specification = specification
        course = specification.course
        guard (0...AccountCourse.monthsMax).contains(specification.cutsAfter) else {
            throw SimulationFailure(
                .usage, "\(specification.cutsAfter) cuts after the period are out of range",
                remedy: "Take 0 to \(AccountCourse.monthsMax)")
        }
        for number in 0..<specification.cutsAfter {
            let later = try specification.later(months: number + 1)
            let period = later.period
            // Other accounts than in the month before.
            let files = try MonthFiles(
                folder: folder, suffix: "-\(period)", period: period, seed: specification.seed ^ UInt64(period.number))
            months.append(
                Month(cut: try CutWriter(path: "\(folder)/cut-\(period).csv", period: period), files: files))
            try Self.writeFacts(later, contracts, folder)
        }
    }

    private static func writeFacts(
        _ later: PortfolioSpecification, _ contracts: [ContractDraft], _ folder: String
    ) throws(SimulationFailure) {
        let maker = FactMaker(specification: later)
        var opening = try RowWriter(path: "\(folder)/facts-opening-\(later.period).csv", header: FactMaker.header)
        try maker.writeOpening(contracts, to: &opening)
        try opening.finish()
        var facts = try RowWriter(path: "\(folder)/facts-\(later.period).csv", header: FactMaker.header)
        try maker.writeMonth(contracts, to: &facts)
        try facts.finish()
    }

    mutating func write(_ draft: AccountDraft) throws(SimulationFailure) {
        for number in months.indices {
            let next = course.after(number + 1, draft)
            try months[number].cut.write(next)
            try months[number].files.write(next)
        }
    }

    mutating func finish() throws(SimulationFailure) {
        for number in months.indices {
            try months[number].cut.finish()
            try months[number].files.finish(specification, month: number + 1)
        }
    }
}
