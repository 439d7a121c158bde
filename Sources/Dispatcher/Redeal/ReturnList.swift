// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// What came back within a month, by return, expiry or recall, and what comes next of each account: nothing lies
/// forgotten.
package struct ReturnList {
    package static let header = [
        "account", "delegation", "agency", "kind", "reason", "at", "next", "contract", "strategy", "stopped_by",
    ]
    /// How many the screen shows; the file has all.
    package static let shownMax = 20

    fileprivate struct Row: Encodable {
        let account: Int64
        let delegation: Int16
        let agency, kind, reason, at, next: String
        let contract: Int32?
        let strategy, stoppedBy: String?
    }

    private let rows: [Row]
    private let counts: [NextAction: Int]
    private let period: Period

    /// - Throws: ``CommandFailure`` (usage) where nothing of the period was ever imported.
    package init(_ link: PgLink, period: PeriodArgument) throws {
        self.period = period.period
        guard try PeriodStore(link, period: period.period).state() != nil else {
            throw CommandFailure(
                .usage, "there is nothing of \(period.period)", remedy: "Check the month; it is written as 2024-03.")
        }
        var rows: [Row] = []
        var counts: [NextAction: Int] = [:]
        try link.readReturned(in: period.period) { returned in
            let next = NextAction(returned.facts)
            counts[next, default: 0] += 1
            rows.append(Row(returned, next))
        }
        self.rows = rows
        self.counts = counts
    }

    package var lines: [String] {
        guard !rows.isEmpty else { return ["nothing came back in \(period)"] }
        var table = TextTable(columns: [.right, .right, .left, .left, .left, .left, .left, .right, .left, .left])
        table.row(Self.header)
        for row in rows.prefix(Self.shownMax) { table.row(row.fields) }
        var summary = TextTable(columns: [.left, .right, .left])
        for next in NextAction.allCases {
            if let count = counts[next] { summary.row([next.rawValue, Console.grouped(count), next.mechanism]) }
        }
        let more = rows.count > Self.shownMax ? ["the first \(Self.shownMax) are shown, --csv FILE has all"] : []
        return table.lines + more + [""] + summary.lines
    }

    /// - Returns: how many accounts the file has; `-` is standard output.
    package func write(to path: String) throws -> Int {
        try OutputFile.writing(path) { file in
            try file.write(Self.header.joined(separator: ","))
            for row in rows { try file.write(row.fields.joined(separator: ",")) }
        }
        return rows.count
    }

    package func json() throws -> String { try JSONText.of(rows) }
}

extension ReturnList.Row {
    fileprivate init(_ returned: ReturnedAccount, _ next: NextAction) {
        account = returned.account
        delegation = returned.delegation.value
        agency = returned.agency.description
        kind = returned.kind
        reason = returned.reason
        at = returned.at.description
        self.next = next.rawValue
        contract = returned.contract?.value
        strategy = returned.strategy?.name
        stoppedBy = returned.stop
    }

    fileprivate var fields: [String] {
        [
            String(account), String(delegation), agency, kind, reason, at, next, contract.map(String.init) ?? "",
            strategy ?? "", stoppedBy ?? "",
        ]
    }
}

extension NextAction {
    /// What does it, and when.
    var mechanism: String {
        switch self {
        case .dealt: "with its new holder"
        case .otherStrategy, .otherAgency, .dealAgain:
            "dealt by the nodes after deal.again-hours, or by dispatcherd plan rebalance --left-over"
        case .check: "the institution looks into it: import stops, or the next month's cut"
        case .exhaustion: "dispatcherd exhaustion list has the candidates; until a certificate it is dealt again"
        case .stopped: "comes back when the stop ends: import starts, exclusion-ended"
        case .nextMonth: "no other agency works there: the next month's plan, or a contract that comes before"
        case .nowhere: "the next month's segmentation decides"
        }
    }
}
