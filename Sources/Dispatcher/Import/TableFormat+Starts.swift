// SPDX-License-Identifier: Apache-2.0

internal import PgStore

extension TableFormat {
    /// Why an account starts to be collected within its month.
    private static let startReasons = ["job-loss", "missed-payment", "exclusion-ended", "new-account"]
    /// The stops that can end before their last day.
    private static let stopReasons = ["lawsuit", "death", "payoff", "fpp", "extension", "dispute", "disaster"]
    private static let startOwn = 5

    package static let starts = TableFormat(
        name: "starts",
        purpose:
            "Accounts that start to be collected within a month that is dealt, once its plan is applied and no later one is: "
            + "placed by its policy, and dealt at once where a contract has room.",
        columns: [
            ColumnFormat(
                "account", .account, optional: true, as: "account_id", example: "1900012345", rules: "ASG-01",
                "the credit's number; empty where a municipality is named"),
            ColumnFormat(
                "delegation", .delegation, as: "delegation_id", example: "14", rules: "GEO-01",
                "its regional delegation"),
            ColumnFormat(
                "reason", .word(startReasons), example: "exclusion-ended", rules: "SEG-01, ASG-10", "what happened"),
            ColumnFormat("on_date", .pastDate, example: "2024-03-11", rules: "SEG-01", "the day it happened"),
            ColumnFormat(
                "ended", .words(stopReasons), optional: true, leftOut: .empty, example: "extension",
                rules: "ASG-10", "the exclusions that do not count any more from that day on"),
        ] + cut.columns.dropFirst(2).map(\.asChange),
        listed: startOwn,
        rowRules: [
            "All other columns of `cut` may follow, under their names. A column that is left out, or a field that is "
                + "empty, changes nothing; nothing can be emptied.",
            "`new-account` is not in the cut and fills every field that the cut asks for; the other reasons are of "
                + "accounts in the cut of that delegation.",
            "`job-loss` takes `on_date` for an empty `job_lost_on`; `missed-payment` says what changed.",
            "What excludes an account comes as a stop: `lawsuit_on`, `dispute_on`, `extension_until`, `fpp_until`, "
                + "`disaster_until` and `situation` are filled for a new account only.",
            "`exclusion-ended` may name in `ended` the stops that are withdrawn or over; in the cut's row it ends the "
                + "same exclusion. Without an account, `municipality` and `ended` end what was stopped as a municipality.",
            "An account stands in the file once; account, reason and day together are loaded once, and with other "
                + "values than the ones loaded they are refused. After a certificate of exhaustion is revoked, "
                + "`exclusion-ended` of the same day is another start.",
            "What waits in a hand is dealt anew, at the front; what is held stays with its holder as dealt.",
            "The period has a plan that is applied, and no later one has any.",
        ])

    /// The columns of the cut that a start can give, for the tables.
    static var startColumns: [StartStore.Column] {
        cut.columns.dropFirst(2).map { column in
            guard case .value(let value) = column.leftOut else {
                return StartStore.Column(column.sqlName, fallback: nil)
            }
            return StartStore.Column(
                column.sqlName, fallback: column.type.storage == .bool ? (value == 0 ? "false" : "true") : "\(value)")
        }
    }

    /// What a row of starts must have beyond its single values.
    static func startFaults(_ row: TableReader) -> [(column: String, reason: String)] {
        var faults: [(column: String, reason: String)] = []
        let reason = row.text(named: "reason")
        let isNew = reason == "new-account"
        if row.text(named: "account") == nil {
            if reason != "exclusion-ended" { faults.append(("account", "is empty")) }
            if row.text(named: "municipality") == nil {
                faults.append(("municipality", "is empty, and so is account; one of them says who starts"))
            }
            if row.text(named: "ended") == nil { faults.append(("ended", "is empty; a municipality ends something")) }
        }
        if row.text(named: "municipality") != nil,
            row.number("municipality") / 1_000 != row.number("delegation")
        {
            faults.append(("municipality", "lies in another delegation, \(row.number("municipality") / 1_000)"))
        }
        if row.text(named: "ended") != nil, reason != "exclusion-ended" {
            faults.append(("ended", "goes with exclusion-ended only"))
        }
        if isNew {
            for column in cut.columns.dropFirst(2)
            where !column.isOptional && column.isNeededOfNew && row.text(named: column.name) == nil {
                faults.append((column.name, "is empty, and a new account needs it"))
            }
        } else {
            for name in exclusionColumns where row.text(named: name) != nil {
                faults.append((name, "excludes an account; it comes as a stop"))
            }
        }
        if reason == "missed-payment",
            cut.columns.dropFirst(2).allSatisfy({ row.text(named: $0.name) == nil })
        {
            faults.append(("reason", "says that a payment was missed, and no column says what changed by it"))
        }
        return faults
    }

    fileprivate static let exclusionColumns = [
        "lawsuit_on", "dispute_on", "extension_until", "fpp_until", "disaster_until", "situation",
    ]
}

extension ColumnFormat {
    /// Whether nothing stands in for it where a start leaves it empty.
    fileprivate var isNeededOfNew: Bool {
        switch leftOut {
        case .refused, .same: true
        case .empty, .value: false
        }
    }

    /// The same column where an empty field says that nothing changed.
    fileprivate var asChange: ColumnFormat {
        ColumnFormat(
            name, type, optional: true, leftOut: .empty, as: sqlName,
            example: TableFormat.exclusionColumns.contains(name) ? "" : example, rules: rules, meaning)
    }
}
