// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// The accounts that started to be collected within a period: what their import did, and how they are now. What comes later, a
/// pull, a stop, a return, a plan, changes the second and not the first.
package struct StartList {
    package static let header = [
        "account", "delegation", "reason", "on_date", "rule", "fate", "epoch", "contract", "now", "now_contract",
    ]
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
        let now: String
        let nowContract: Int32?
    }

    private let rows: [StartStore.Recorded]
    private let period: Period
    private let asOf: Timestamp

    package init(_ link: PgLink, period: Period) throws {
        self.period = period
        (self.asOf, self.rows) = try link.snapshotOrFailure(period) {
            let today = try ImportStore(link, kind: .starts, period: period).today()
            return (try link.readNow(), try StartStore(link, period: period, today: today).list())
        }
    }

    package var lines: [String] {
        guard !rows.isEmpty else { return ["\(period) has no starts"] }
        var table = TextTable(columns: [.right, .right, .left, .left, .left, .left, .right, .right, .left, .right])
        table.row(Self.header)
        for row in rows.prefix(Self.shownMax) { table.row(Self.fields(row)) }
        let more = rows.count > Self.shownMax ? ["the first \(Self.shownMax) are shown, --csv FILE has all"] : []
        return [
            "starts of \(period): what their import did with them (fate), and how they are as of \(asOf) (now)", "",
        ]
            + table.lines + more + ["", "by their imports:"]
            + counts(StartFate.recorded.map { ($0.word, $0.label) }, of: \.fate) + ["", "as of \(asOf):"]
            + counts(Self.now, of: \.now)
    }

    private static let now = [
        ("held", "held by an agency"), ("waiting", "waiting in a hand"), ("stopped", "stopped"),
        ("excluded", "excluded by the policy"), ("nothing-to-collect", "nothing to collect"),
        ("unassigned", "unassigned: placed, and in nobody's hand"),
    ]

    private func counts(
        _ words: [(word: String, label: String)], of value: KeyPath<StartStore.Recorded, String>
    ) -> [String] {
        var table = TextTable(columns: [.left, .right])
        for (word, label) in words {
            let count = rows.count { $0[keyPath: value] == word }
            if count > 0 { table.row(["  " + label, Console.grouped(count)]) }
        }
        return table.lines
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
                    contract: $0.contract, now: $0.now, nowContract: $0.nowContract)
            })
    }

    private static func fields(_ row: StartStore.Recorded) -> [String] {
        [
            String(row.account), String(row.delegation), row.reason, row.onDate.description, row.rule, row.fate,
            row.epoch.map(String.init) ?? "", row.contract.map(String.init) ?? "", row.now,
            row.nowContract.map(String.init) ?? "",
        ]
    }
}
