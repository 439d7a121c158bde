// SPDX-License-Identifier: Apache-2.0

/// How likely an account is not to be paid, and what that costs, in fixed point.
///
/// Only a score to order work by: no reserve is booked with it.
/// - Source: RES-01…07, RES-09. The unit of the credit's age is not printed; taken: whole years.
package struct DefaultRisk: Hashable, Sendable {
    /// The chance of default in millionths (PI).
    package let probability: Int64
    /// What is lost of the balance by then, in percent (SP).
    package let severity: Int64

    /// - Parameter daysInMonth: calendar days of the billing month (RES-04).
    /// - Parameter latePaymentsMax: the most late payments in the last four months (MAXATR4M).
    /// - Parameter paidShare: basis points of what was due in them, the mean of the four (%PAGO4M).
    /// - Parameter years: age of the credit (ANTIG).
    package init(
        daysLate: Int64, daysInMonth: Int64, latePaymentsMax: Int64, paidShare: Int64, years: Int64, isEmployed: Bool,
        isCivilServant: Bool
    ) {
        let late = (max(daysLate, 0) + daysInMonth - 1) / daysInMonth
        self.init(
            latePayments: late, daysLate: daysLate, latePaymentsMax: latePaymentsMax, paidShare: paidShare,
            years: years, isEmployed: isEmployed, isCivilServant: isCivilServant)
    }

    /// The same from the number of late payments (ATR).
    package init(
        latePayments: Int64, daysLate: Int64 = 0, latePaymentsMax: Int64, paidShare: Int64, years: Int64,
        isEmployed: Bool, isCivilServant: Bool
    ) {
        severity = latePayments < (isEmployed ? 10 : 5) ? (isEmployed ? 32 : 71) : 100
        guard latePayments < 4, daysLate <= 90 else {
            probability = Self.million
            return
        }
        // In units of 10^-8: the coefficients have four decimals, the share of what was paid four more.
        var exponent: Int64 = 275_520_000 + 42_190_000 * latePayments
        exponent += 16_160_000 * min(latePaymentsMax, 1_000)
        exponent -= 20_773 * min(max(paidShare, 0), BasisPoints.whole)
        exponent -= 6_320_000 * min(years, 1_000)
        exponent -= isEmployed ? 225_060_000 : 0
        exponent -= isEmployed && isCivilServant ? 41_270_000 : 0
        probability = Self.logistic(exponent)
    }

    /// Probability times severity times the balance, rounded half up (EI is the balance).
    package func expectedLoss(of balance: Int64) -> Int64 {
        let weight = UInt64(probability * severity)
        let whole = UInt64(Self.million * 100)
        let (high, low) = UInt64(max(balance, 0)).multipliedFullWidth(by: weight)
        // The weight is at most the whole, so the quotient is at most the balance.
        let (quotient, remainder) = whole.dividingFullWidth((high, low))
        return Int64(quotient) + (remainder * 2 >= whole ? 1 : 0)
    }

    private static let million: Int64 = 1_000_000

    /// 1 / (1 + e^-x) in millionths, rounded half up; `x` in units of 10^-8.
    private static func logistic(_ exponent: Int64) -> Int64 {
        let power = exponential(minus: exponent.magnitude)
        let numerator = exponent < 0 ? power : one
        return (numerator * million + (one + power) / 2) / (one + power)
    }

    /// Binary fixed point with 30 bits behind the point: products fit 64 bits, and errors stay below 10^-7.
    private static let one: Int64 = 1 << 30
    private static let ln2: Int64 = 744_261_118

    /// e to the power of minus `x` (10^-8): halvings for whole multiples of ln 2, a series for the rest.
    private static func exponential(minus x: UInt64) -> Int64 {
        guard x < 2_500_000_000 else { return 0 }
        let scaled = Int64(x) * one / 100_000_000
        let halvings = scaled / ln2
        let rest = scaled - halvings * ln2
        var sum = one
        for term in stride(from: Int64(11), through: 1, by: -1) { sum = one - ((rest * sum) >> 30) / term }
        return sum >> halvings
    }
}
