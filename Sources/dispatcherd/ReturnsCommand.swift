// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd report returns`: what came back, and what comes next of it.
extension ReportCommand {
    struct Returns: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What came back by return, expiry or recall within a month, and what comes next of each account.",
            discussion: """
                Examples:
                  dispatcherd report returns --period 2024-03
                  dispatcherd report returns --period 2024-03 --csv returns.csv
                """)
        @OptionGroup var list: MonthListOptions

        func run() async throws {
            let returns = try ReturnList(try await list.database.open(), period: list.report.planned.argument)
            try list.put("accounts", csv: returns.write(to:), json: returns.json(), lines: returns.lines)
        }
    }
}
