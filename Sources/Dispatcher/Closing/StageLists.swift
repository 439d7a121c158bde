// SPDX-License-Identifier: Apache-2.0

package import PgStore
internal import Assignment

/// Objections and adjustments as a table, or as JSON.
package enum StageLists {
    package static func objections(_ rows: [StageStore.Objection], asJSON: Bool) throws -> String {
        text(
            rows.map { row in
                [
                    ("objection", "\(row.number)"), ("period", "\(row.period)"), ("contract", "\(row.contract)"),
                    ("delegation", row.delegation.map { "\($0)" } ?? ""), ("rule", row.rule), ("by", row.raisedBy),
                    ("decision", row.decision ?? ""), ("decided_by", row.decidedBy ?? ""), ("reason", row.reason),
                    ("decision_reason", row.decisionReason ?? ""),
                ]
            }, none: "there are no objections", asJSON: asJSON)
    }

    package static func adjustments(_ rows: [StageStore.AdjustmentRow], asJSON: Bool) throws -> String {
        let withdrawn = Set(rows.filter(\.isApproved).compactMap(\.adjustment.withdraws))
        return text(
            rows.map { row in
                let isWithdrawal = row.adjustment.withdraws != nil
                let decision = withdrawn.contains(row.adjustment.number) ? "withdrawn" : row.decision ?? ""
                return [
                    ("adjustment", "\(row.adjustment.number)"),
                    ("kind", isWithdrawal ? "withdrawal" : row.adjustment.kind.rawValue),
                    ("period", "\(row.period)"), ("about", "\(row.adjustment.about)"), ("contract", "\(row.contract)"),
                    ("delegation", row.delegation.map { "\($0)" } ?? ""), ("rule", row.adjustment.rule),
                    ("amount", row.adjustment.amount?.description ?? "all"), ("proposed_by", row.proposedBy),
                    ("decision", decision), ("decided_by", row.decidedBy ?? ""),
                    ("reason", row.adjustment.reason), ("decision_reason", row.decisionReason ?? ""),
                ]
            }, none: "there are no adjustments", asJSON: asJSON)
    }

    private static func text(_ rows: [[(name: String, value: String)]], none: String, asJSON: Bool) -> String {
        if asJSON {
            let json = CanonicalJSON.array(
                rows.map { row in
                    .object(Dictionary(row.map { ($0.name, CanonicalJSON.string($0.value)) }, uniquingKeysWith: { $1 }))
                })
            return String(json.text.dropLast())
        }
        guard let first = rows.first else { return none }
        var table = TextTable(columns: first.map { _ in .left })
        table.row(first.map(\.name))
        for row in rows { table.row(row.map(\.value)) }
        return table.lines.joined(separator: "\n")
    }
}
