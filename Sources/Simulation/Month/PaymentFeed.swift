// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The institution's feed of payments: `payments-DAY.csv` has those of that day, `payments.csv` those of all days in the folder.
/// Payments keep their numbers, so that both can be taken in. Both are whole after each day, whatever ends the run.
final class PaymentFeed {
    private static let header = ["payment", "account", "delegation", "paid_on", "amount", "origin", "reverses"]
    private let folder: String
    /// How many this one wrote.
    private(set) var payments = 0
    /// How many `payments.csv` has.
    private(set) var all = 0

    init(folder: String) { self.folder = folder }

    /// Those that fell due by the end of a day, beside those that a run that was stopped within it had written.
    func write(_ payments: [PlannedPayment], of day: LocalDate) throws(SimulationFailure) {
        let path = "\(folder)/payments-\(day).csv"
        let former = try Self.read(path: path)
        let written = Set(former.map(\.identifier))
        let payments = payments.filter { !written.contains($0.identifier) }
        var rows = try RowWriter(path: path, header: Self.header)
        for payment in former + payments {
            rows.field(text: payment.identifier)
            rows.field(Int(payment.key.account.value))
            rows.field(Int(payment.key.delegation.value))
            rows.field(date: payment.on)
            rows.field(cents: Int(payment.amount.value))
            rows.field(text: payment.origin)
            rows.field(text: payment.reverses ?? "")
            try rows.endRow()
        }
        try rows.finish()
        self.payments += payments.count
        all = try gather()
    }

    /// Writes those of one month's days into a file of their own, which an import takes for that month.
    static func write(_ period: Period, of folder: String, to path: String) throws(SimulationFailure) {
        let file = try FileOutput(replacing: path)
        try file.write("\(header.joined(separator: ","))\n".utf8)
        for part in try Folder.names(in: folder) where part.hasPrefix("payments-\(period)-") && part.hasSuffix(".csv") {
            for line in try Folder.text("\(folder)/\(part)").split(separator: "\n").dropFirst() {
                try file.write("\(line)\n".utf8)
            }
        }
        try file.finish()
    }

    /// All payments that the runs of a folder had; none where there was no run yet.
    static func read(_ folder: String) throws(SimulationFailure) -> [PlannedPayment] {
        try read(path: "\(folder)/payments.csv")
    }

    private static func read(path: String) throws(SimulationFailure) -> [PlannedPayment] {
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

    /// A payment that two days have, because a run was killed between them, is there once.
    ///
    /// - Returns: how many there are.
    private func gather() throws(SimulationFailure) -> Int {
        var seen: Set<Substring> = []
        let all = try FileOutput(replacing: "\(folder)/payments.csv")
        try all.write("\(Self.header.joined(separator: ","))\n".utf8)
        for part in try Folder.names(in: folder) where part.hasPrefix("payments-") && part.hasSuffix(".csv") {
            for line in try Folder.text("\(folder)/\(part)").split(separator: "\n").dropFirst() {
                guard seen.insert(line.prefix { $0 != "," }).inserted else { continue }
                try all.write("\(line)\n".utf8)
            }
        }
        try all.finish()
        return seen.count
    }
}

/// How many payments a folder has; a reversal is one, too.
package struct MonthPayments: Sendable {
    /// Of the days of one run.
    package let ofRun: Int
    /// Of all days in the folder.
    package let all: Int
}
