// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Where the folder of a portfolio has what one month was played on: a later month's under its name, the first one's without.
package struct MonthFileNames: Sendable {
    package let cut: String
    package let openingFacts: String

    /// - Throws: ``SimulationFailure`` (usage) where the folder's files without a month are of another one.
    package init(of period: Period, in folder: String) throws(SimulationFailure) {
        func path(_ name: String) -> String {
            let own = "\(folder)/\(name)-\(period).csv"
            return Folder.exists(own) ? own : "\(folder)/\(name).csv"
        }
        cut = path("cut")
        openingFacts = path("facts-opening")
        guard cut == "\(folder)/cut.csv", let first = try Self.firstMonth(in: folder), first != period else { return }
        throw SimulationFailure(
            .usage, "\(folder) has no cut of \(period): its cut.csv is of \(first)",
            remedy:
                "Name a folder that has cut-\(period).csv; 'agentsim portfolio --cuts-after' makes it for the months that follow"
        )
    }

    /// Of the opening facts, which are of the month's first day; `nil` where there are none.
    private static func firstMonth(in folder: String) throws(SimulationFailure) -> Period? {
        let path = "\(folder)/facts-opening.csv"
        guard Folder.exists(path) else { return nil }
        let facts = try Table(path: path, required: ["on_date"])
        return facts.rows.first.flatMap { LocalDate(text: facts.text($0, "on_date")) }?.period
    }
}
