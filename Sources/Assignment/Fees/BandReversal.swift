// SPDX-License-Identifier: Apache-2.0

/// Overdue value on which an earlier statement paid a part, and whose payment was taken back since.
///
/// It is given back at the rate that was paid, whatever the band recovers now. It lowers no base of penalties: those are of this month's work.
package struct BandReversal: Equatable, Sendable {
    package let band: MoraBand
    /// The month of the statement that paid it.
    package let month: Period
    package let rate: BasisPoints
    /// Above zero.
    package let amount: Cents
    /// The reversals, ascending.
    package let payments: [String]

    package init(band: MoraBand, month: Period, rate: BasisPoints, amount: Cents, payments: [String]) {
        self.band = band
        self.month = month
        self.rate = rate
        self.amount = amount
        self.payments = payments
    }

    func line(_ version: ScheduleVersion) -> StatementLine {
        let back = amount.charge(rate)
        return StatementLine(
            kind: .feeCut, rule: band.rawValue, schedule: version, subject: "\(month)",
            clause: "Honorario a éxito devuelto: el pago que lo originó fue revertido.", base: .amount(amount),
            rate: .percent(rate), amount: back, facts: payments, records: [],
            arithmetic: "\(rate) % de \(grouped(amount)) pagado en \(month) y revertido = \(grouped(back))")
    }
}
