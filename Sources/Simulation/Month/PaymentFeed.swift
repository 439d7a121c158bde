// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The institution's feed of payments: `payments-DAY.csv` has those of the run that began on that day, `payments.csv`
/// those of all runs in the folder. Payments keep their numbers, so that both can be taken in.
struct PaymentFeed {
    private static let header = ["payment", "account", "delegation", "paid_on", "amount", "origin", "reverses"]
    private let folder: String
    private var rows: RowWriter

    init(folder: String, from: LocalDate) throws(SimulationFailure) {
        self.folder = folder
        self.rows = try RowWriter(path: "\(folder)/payments-\(from).csv", header: Self.header)
    }

    mutating func write(_ payments: [PlannedPayment]) throws(SimulationFailure) {
        for payment in payments {
            rows.field(text: payment.identifier)
            rows.field(Int(payment.key.account.value))
            rows.field(Int(payment.key.delegation.value))
            rows.field(date: payment.on)
            rows.field(cents: Int(payment.amount.value))
            rows.field(text: payment.origin)
            rows.field(text: payment.reverses ?? "")
            try rows.endRow()
        }
    }

    /// All payments that the runs of a folder had; none where there was no run yet.
    static func read(_ folder: String) throws(SimulationFailure) -> [PlannedPayment] {
        let path = "\(folder)/payments.csv"
        guard Folder.exists(path) else { return [] }
        let table = try Table(path: path, required: header)
        return table.rows.compactMap { row in
            guard let account = AccountID(text: table.text(row, "account")),
                let delegation = Delegation(text: table.text(row, "delegation")),
                let on = LocalDate(text: table.text(row, "paid_on")),
                let amount = Cents(pesos: table.text(row, "amount"))
            else { return nil }
            let reverses = table.text(row, "reverses")
            return PlannedPayment(
                identifier: table.text(row, "payment"), key: CaseKey(delegation: delegation, account: account), on: on,
                amount: amount, origin: table.text(row, "origin"), reverses: reverses.isEmpty ? nil : reverses)
        }
    }

    /// - Returns: how many payments this run has.
    mutating func finish() throws(SimulationFailure) -> Int {
        try rows.finish()
        let all = try FileOutput(replacing: "\(folder)/payments.csv")
        try all.write("\(Self.header.joined(separator: ","))\n".utf8)
        for part in try Folder.names(in: folder) where part.hasPrefix("payments-") && part.hasSuffix(".csv") {
            let text = try Folder.text("\(folder)/\(part)")
            guard let end = text.utf8.firstIndex(of: 0x0A) else { continue }
            try all.write(text.utf8[text.utf8.index(after: end)...])
        }
        try all.finish()
        return rows.rows
    }
}
