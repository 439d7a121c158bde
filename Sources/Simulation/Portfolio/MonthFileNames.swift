// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Where the folder of a portfolio has what one month was played on: a later month's under its name, the first one's without.
package struct MonthFileNames: Sendable {
    package let cut: String
    package let openingFacts: String

    package init(of period: Period, in folder: String) {
        func path(_ name: String) -> String {
            let own = "\(folder)/\(name)-\(period).csv"
            return Folder.exists(own) ? own : "\(folder)/\(name).csv"
        }
        cut = path("cut")
        openingFacts = path("facts-opening")
    }
}
