// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What waits for a decision of the delegations, and how far they are.
package struct ReviewList {
    package static let header = "outcome,delegation,contract,agency,account,worked_at,channel,contact,result,amount"
    /// How many outcomes the screen shows; the file has all.
    package static let shownMax = 20

    private let link: PgLink
    private let period: Period
    private let listing: ReviewStore.Listing

    /// - Parameter unlocatable: lists what a delegation may confirm, and not what waits for it.
    package init(_ link: PgLink, period: Period, unlocatable: Bool = false) {
        self.link = link
        self.period = period
        listing = unlocatable ? .unlocatable : .pending
    }

    /// The first of what waits as an aligned table, and how many there are.
    package func pendingLines() throws -> [String] {
        let (rows, count) = try pending()
        let what =
            switch listing {
            case .pending: "outcomes wait"
            case .unlocatable:
                "outcomes say of what was given back that its debtor cannot be found, and were not reviewed,"
            }
        let total = "\(Console.grouped(count)) \(what) in \(period)"
        guard count > 0 else { return [total] }
        let names = Self.header.split(separator: ",").map(String.init)
        let numbers: Set = ["outcome", "delegation", "contract", "account", "amount"]
        var table = TextTable(columns: names.map { numbers.contains($0) ? .right : .left })
        table.row(names)
        for row in rows { table.row(row) }
        let rest = count > rows.count ? "; the first \(rows.count) are shown, --csv FILE has all" : ""
        return table.lines + [total + rest]
    }

    /// The first of what waits, by the columns of the file, and how many there are.
    package func pending() throws -> (rows: [[String]], count: Int) {
        var rows: [[String]] = []
        var count = 0
        try ReviewStore(link).each(listing, period) { outcome in
            count += 1
            if rows.count < Self.shownMax { rows.append(Self.fields(outcome)) }
        }
        return (rows, count)
    }

    /// Writes all that waits as CSV.
    ///
    /// - Parameter path: the file; `-` is standard output.
    /// - Returns: how many outcomes it has.
    package func writePending(to path: String) throws -> Int {
        var count = 0
        try OutputFile.writing(path) { file in
            try file.write(Self.header)
            try ReviewStore(link).each(listing, period) { outcome in
                count += 1
                try file.write(Self.fields(outcome).joined(separator: ","))
            }
        }
        return count
    }

    /// Writes how far each delegation is as CSV.
    ///
    /// - Parameter path: the file; `-` is standard output.
    /// - Returns: how many delegations it has.
    package func writeProgress(to path: String) throws -> Int {
        let progress = try progress()
        try OutputFile.writing(path) { file in
            try file.write("delegation,approved,rejected,pending")
            for row in progress {
                try file.write("\(row.delegation),\(row.approved),\(row.rejected),\(row.pending)")
            }
        }
        return progress.count
    }

    /// Per delegation: approved, rejected, waiting.
    package func progress() throws -> [ReviewStore.Progress] { try ReviewStore(link).progress(period) }

    /// The same as an aligned table with a line of totals.
    package func progressLines() throws -> [String] {
        let progress = try progress()
        guard !progress.isEmpty else { return ["nothing of \(period) needs a review"] }
        var table = TextTable(columns: [.left, .right, .right, .right])
        table.row(["delegation", "approved", "rejected", "pending"])
        var totals: [Int64] = [0, 0, 0]
        for line in progress {
            let figures = [line.approved, line.rejected, line.pending]
            table.row([String(line.delegation)] + figures.map { Console.grouped(Int($0)) })
            for (index, figure) in figures.enumerated() { totals[index] += figure }
        }
        table.row(["total"] + totals.map { Console.grouped(Int($0)) })
        return table.lines
    }

    package func progressJSON() throws -> CanonicalJSON {
        .array(
            try progress().map { row in
                .object([
                    "delegation": .number(Int64(row.delegation)), "approved": .number(row.approved),
                    "rejected": .number(row.rejected), "pending": .number(row.pending),
                ])
            })
    }

    private static func fields(_ outcome: ReviewStore.Pending) -> [String] {
        // None of these can hold a comma or a quote: numbers, times and the protocol's own words.
        [
            String(outcome.outcome), String(outcome.delegation), String(outcome.contract),
            AgencyID(outcome.agency)?.description ?? "", String(outcome.account), outcome.workedAt.description,
            outcome.channel, outcome.contact, outcome.result, outcome.amount?.description ?? "",
        ]
    }
}
