// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// The statements of a month, one line each: those it was closed with, or else the pre-statements that are out.
package struct StatementList: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package let contract: Int
        package let agency: String
        /// Pesos, as the statement has them.
        package let fees: String
        package let penalties: String
        /// IVA of fees less that of penalties.
        package let tax: String
        package let payable: String
        /// SHA-256 of the statement's JSON file, in hexadecimal digits.
        package let digest: String
    }

    package let period: String
    /// Whether they are those of the close.
    package let isFinal: Bool
    package let statements: [Row]

    /// - Throws: ``CommandFailure`` where neither is there, and of findings where a kept one was changed.
    package init(_ link: PgLink, period: Period) throws {
        let issued = try StageStore(link).preStatements(period)
        let state = try PeriodStore(link, period: period).state()
        isFinal = state == .closed || issued.isEmpty
        let stored = isFinal ? try MonthClosing(link, period: period).kept() : issued
        self.period = "\(period)"
        statements = try stored.map { statement in
            let document = try StatementDocument(statement.body)
            let totals = document.totals
            let onFees = Cents(pesos: totals.taxOnFees) ?? .zero
            let onPenalties = Cents(pesos: totals.taxOnPenalties) ?? .zero
            return Row(
                contract: document.contract, agency: document.agency, fees: totals.fees, penalties: totals.penalties,
                tax: "\(onFees - onPenalties)", payable: totals.payable,
                digest: LedgerTree.hex(statement.digest))
        }
    }

    package func text(asJSON: Bool) throws -> String {
        if asJSON { return try JSONText.of(self) }
        var table = TextTable(columns: [.right, .left, .right, .right, .right, .right, .left])
        table.row(["contract", "agency", "fees", "penalties", "IVA", "payable", "digest"])
        for row in statements {
            table.row([
                "\(row.contract)", row.agency, row.fees, row.penalties, row.tax, row.payable,
                String(row.digest.prefix(16)),
            ])
        }
        let kind = Words.counted(Int64(statements.count), isFinal ? "statement" : "pre-statement")
        return (table.lines + ["\(kind) of \(period)"]).joined(separator: "\n")
    }
}
