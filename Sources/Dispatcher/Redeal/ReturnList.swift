// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// What came back within a month, by return, expiry or recall, and what comes next of each account: nothing lies
/// forgotten.
package struct ReturnList {
    package static let header = [
        "account", "delegation", "agency", "kind", "reason", "at", "next", "contract", "strategy", "stopped_by",
        "times", "agencies",
    ]
    /// How many the screen shows; the file has all.
    package static let shownMax = 20
    /// How many of those that go to and fro are named.
    private static let namedMax = 5

    fileprivate struct Row: Encodable {
        let account: Int64
        let delegation: Int16
        let agency, kind, reason, at, next: String
        let contract: Int32?
        let strategy, stoppedBy: String?
        /// How often it came back within the month, and from how many agencies.
        let times, agencies: Int64

        /// Some agency had it twice.
        var isToAndFro: Bool { times > agencies }
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
        let searchers = try PlanSettingsBook(link).inForce(period.period).settings.searchAgencies
        try link.readReturned(in: period.period, searching: searchers) { returned in
            let next = NextAction(returned.facts)
            counts[next, default: 0] += 1
            rows.append(Row(returned, next))
        }
        self.rows = rows
        self.counts = counts
    }

    package var lines: [String] {
        guard !rows.isEmpty else { return ["nothing came back in \(period)"] }
        var table = TextTable(
            columns: [.right, .right, .left, .left, .left, .left, .left, .right, .left, .left, .right, .right])
        table.row(Self.header)
        for row in rows.prefix(Self.shownMax) { table.row(row.fields) }
        var summary = TextTable(columns: [.left, .right, .left])
        for next in NextAction.allCases {
            if let count = counts[next] { summary.row([next.rawValue, Console.grouped(count), next.mechanism]) }
        }
        let more = rows.count > Self.shownMax ? ["the first \(Self.shownMax) are shown, --csv FILE has all"] : []
        return table.lines + more + ["", came] + toAndFro + [""] + summary.lines
    }

    /// The latest time alone has a line of its own.
    private var came: String {
        let times = rows.reduce(0) { $0 + $1.times }
        return "\(Words.counted(Int64(rows.count), "account")) came back, "
            + "\(Words.counted(times, "time")) in all; the last time of each is listed"
    }

    /// Where every agency with room has had an account, one of them gets it again.
    private var toAndFro: [String] {
        let again = rows.filter(\.isToAndFro)
        guard !again.isEmpty else { return [] }
        let most = again.sorted { ($1.times, $0.account) < ($0.times, $1.account) }
        let named = most.prefix(Self.namedMax).map {
            "\($0.account) (\($0.times) times, \(Words.counted($0.agencies, "agency", "agencies")))"
        }
        return [
            "\(Console.grouped(again.count)) of them came back from an agency that had them before, because every other one with room "
                + "had them too: \(Words.list(named + most.dropFirst(Self.namedMax).map { "\($0.account)" }, shown: Self.namedMax))",
            "dispatcherd account NUMBER has the course of one; import stops takes out what nobody can work",
        ]
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
        times = returned.times
        agencies = returned.agencies
    }

    fileprivate var fields: [String] {
        [
            String(account), String(delegation), agency, kind, reason, at, next, contract.map(String.init) ?? "",
            strategy ?? "", stoppedBy ?? "", String(times), String(agencies),
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
        case .exhaustion:
            "dealt again until a certificate stops it; dispatcherd exhaustion list --all says which of its clauses are not met yet"
        case .stopped: "comes back when the stop ends: import starts, exclusion-ended"
        case .nextMonth:
            "nobody works there but the agency that it came back from: the next month's plan, or a contract that comes before"
        case .search:
            "was not found, and no agency that searches works there: name one under 'search' in the plan settings"
        case .nowhere: "the next month's segmentation decides"
        }
    }
}
