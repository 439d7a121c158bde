// SPDX-License-Identifier: Apache-2.0

/// Overdue value on which an earlier statement paid a part, and whose payment was taken back since.
///
/// It is given back at the rate that was paid, whatever the band recovers now. It lowers no base of penalties: those are of this
/// month's work.
package struct BandReversal: Equatable, Sendable {
    package let band: MoraBand
    /// The month of the statement that paid it.
    package let month: Period
    /// By which it was paid: its rate, and what that was of, hold for what is given back as well.
    package let schedule: ScheduleVersion
    package let base: ContingencyReading.Base
    package let rate: BasisPoints
    /// Overdue value that does not count any more: an account counts at most its own.
    package let amount: Cents
    /// All that was taken back of what was paid then (AMB-09).
    package let paid: Cents
    /// The reversals, ascending.
    package let payments: [String]

    /// - Parameter paid: `nil`: no more than the overdue value.
    package init(
        band: MoraBand, month: Period, schedule: ScheduleVersion, base: ContingencyReading.Base = .overdue,
        rate: BasisPoints, amount: Cents, paid: Cents? = nil, payments: [String]
    ) {
        self.band = band
        self.month = month
        self.schedule = schedule
        self.base = base
        self.rate = rate
        self.amount = amount
        self.paid = paid ?? amount
        self.payments = payments
    }

    /// `nil` where nothing of what the rate was of was taken back.
    var line: StatementLine? {
        let base =
            switch self.base {
            case .overdue: amount
            case .paid: paid
            }
        guard base > .zero else { return nil }
        let back = base.charge(rate)
        return StatementLine(
            kind: .feeCut, rule: band.rawValue, schedule: schedule, subject: "\(month)",
            clause: "Honorario a éxito devuelto: el pago que lo originó fue revertido.", base: .amount(base),
            rate: .percent(rate), amount: back, facts: payments, records: [],
            arithmetic: StatementNote(
                spanish: "\(rate) % de \(grouped(base)) pagado en \(month) y revertido = \(grouped(back))",
                english: "\(rate) % of \(grouped(base)), paid in \(month) and taken back since = \(grouped(back))"))
    }
}
