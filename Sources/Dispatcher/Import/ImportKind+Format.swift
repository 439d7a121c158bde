// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

extension ImportKind {
    package var format: TableFormat {
        switch self {
        case .zones: .zones
        case .schedules: .schedules
        case .contracts: .contracts
        case .cut: .cut
        case .payments: .payments
        case .stops: .stops
        case .starts: .starts
        case .opening: .opening
        case .facts: .facts
        case .scores: .scores
        case .goals: .goals
        case .weights: .weights
        }
    }

    /// What must hold between the values of one row.
    package var rowCheck: TableReader.RowCheck {
        switch self {
        case .cut:
            { row in
                row.number(TableFormat.cutMunicipality) / 1_000 == row.number(TableFormat.cutDelegation)
                    ? []
                    : [
                        (
                            "municipality",
                            "lies in another delegation, \(row.number(TableFormat.cutMunicipality) / 1_000)"
                        )
                    ]
            }
        case .contracts:
            { row in
                row.number("ends_on") >= row.number("starts_on") ? [] : [("ends_on", "is before starts_on")]
            }
        case .stops: TableFormat.stopFaults
        case .starts: TableFormat.startFaults
        case .opening: TableFormat.openingFaults
        case .payments:
            { row in
                row.text(named: "reverses") != nil && row.text(named: "reverses") == row.text(named: "payment")
                    ? [("reverses", "is the payment itself")] : []
            }
        case .facts:
            { row in
                let own: [(column: String, reason: String)] =
                    row.text(named: "supersedes") != nil && row.text(named: "supersedes") == row.text(named: "fact")
                    ? [("supersedes", "is the fact itself")] : []
                return FactKind.faults(row) + own
            }
        case .schedules:
            { row in
                let value = ScheduleValue(
                    rule: row.text(named: "rule") ?? "", parameter: row.text(named: "parameter") ?? "",
                    value: row.text(named: "value") ?? "")
                return value.fault(isFee: row.text(named: "kind") == "fee").map { [$0] } ?? []
            }
        case .goals: TableFormat.goalFaults
        case .zones, .weights, .scores: { _ in [] }
        }
    }
}

extension TableFormat {
    /// The columns of the staging table, in the order of the format.
    var stagedColumns: [ImportStore.StagedColumn] {
        columns.map { column in
            let type =
                switch column.type.storage {
                case .int16: "smallint"
                case .int32: "integer"
                case .int64: "bigint"
                case .bool: "boolean"
                case .date: "date"
                case .text: "text"
                }
            return ImportStore.StagedColumn(column.sqlName, type: type)
        }
    }
}
