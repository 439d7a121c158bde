// SPDX-License-Identifier: Apache-2.0

/// Overdue value on which an earlier statement paid a part, and whose payment was taken back since.
///
/// It is given back at the rate that was paid, whatever the band recovers now, but for what that month's budget had cut: without it as
/// much less would have been cut. It lowers no base of penalties: those are of this month's work.
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
    /// What of its fee that month's budget had cut (AGY-15), and nobody was paid.
    package var unpaid = Cents.zero

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

    /// The part of what was taken back that the rate was of.
    private var ofRate: Cents {
        switch base {
        case .overdue: amount
        case .paid: paid
        }
    }

    /// The fee that does not count any more, paid or not.
    package var fee: Cents { max(ofRate, .zero).charge(rate) }

    /// `nil` where nothing of what the rate was of was taken back.
    var line: StatementLine? {
        let base = ofRate
        guard base > .zero else { return nil }
        let cut = min(max(unpaid, .zero), fee)
        let back = fee - cut
        let (spanish, english) =
            cut > .zero
            ? (
                "; el presupuesto no pagó \(grouped(cut)): se devuelven \(grouped(back))",
                "; the budget had not paid \(grouped(cut)): \(grouped(back)) are given back"
            ) : ("", "")
        return StatementLine(
            kind: .feeCut, rule: band.rawValue, schedule: schedule, subject: "\(month)",
            clause: "Honorario a éxito devuelto: el pago que lo originó fue revertido.", base: .amount(base),
            rate: .percent(rate), amount: back, facts: payments, records: [],
            arithmetic: StatementNote(
                spanish: "\(rate) % de \(grouped(base)) pagado en \(month) y revertido = \(grouped(fee))\(spanish)",
                english:
                    "\(rate) % of \(grouped(base)), paid in \(month) and taken back since = \(grouped(fee))\(english)"))
    }
}
