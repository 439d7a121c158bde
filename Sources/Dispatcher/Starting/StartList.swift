// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What became of the accounts that started to be collected within a period.
package struct StartList {
    package static let header = ["account", "delegation", "reason", "on_date", "rule", "fate", "epoch", "contract"]
    /// How many the screen shows; the file has all.
    package static let shownMax = 20

    private struct Row: Encodable {
        let account: Int64
        let delegation: Int16
        let reason: String
        let onDate: String
        let rule: String
        let fate: String
        let epoch: Int64?
        let contract: Int32?
    }

    private let rows: [StartStore.Recorded]
    private let period: Period

    package init(_ link: PgLink, period: Period) throws {
        self.period = period
        self.rows = try StartStore(link, period: period, today: period.lastDay).list()
    }

    package var lines: [String] {
        guard !rows.isEmpty else { return ["\(period) has no starts"] }
        var table = TextTable(columns: [.right, .right, .left, .left, .left, .left, .right, .right])
        table.row(Self.header)
        for row in rows.prefix(Self.shownMax) { table.row(Self.fields(row)) }
        var counts = TextTable(columns: [.left, .right])
        for fate in StartFate.allCases {
            let count = rows.count { $0.fate == fate.rawValue }
            if count > 0 { counts.row([fate.label, Console.grouped(count)]) }
        }
        let more = rows.count > Self.shownMax ? ["the first \(Self.shownMax) are shown, --csv FILE has all"] : []
        return table.lines + more + [""] + counts.lines
    }

    /// - Returns: how many starts the file has; `-` is standard output.
    package func write(to path: String) throws -> Int {
        try OutputFile.writing(path) { file in
            try file.write(Self.header.joined(separator: ","))
            for row in rows { try file.write(Self.fields(row).joined(separator: ",")) }
        }
        return rows.count
    }

    package func json() throws -> String {
        try JSONText.of(
            rows.map {
                Row(
                    account: $0.account, delegation: $0.delegation, reason: $0.reason,
                    onDate: $0.onDate.description, rule: $0.rule, fate: $0.fate, epoch: $0.epoch,
                    contract: $0.contract)
            })
    }

    private static func fields(_ row: StartStore.Recorded) -> [String] {
        [
            String(row.account), String(row.delegation), row.reason, row.onDate.description, row.rule, row.fate,
            row.epoch.map(String.init) ?? "", row.contract.map(String.init) ?? "",
        ]
    }
}
