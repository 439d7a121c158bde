// SPDX-License-Identifier: Apache-2.0

/// How a signed agreement went on, month after month.
///
/// Source: SOL-13, SOL-14, IND-13, GAP-cure. The first payment belongs to the month of the signature, the second to the next one, and so
/// on: only so do the published cohorts fit a close of December (second payment: signed until November, third and cure: October,
/// maintenance: July).
///
/// An employer pays by bimesters, so that what it paid is of both months of one, as where payments in a row are counted (SOL-45). Whether
/// it will pay is not known before: a month without a payment is missed once its bimester is over, and open until then, so that what
/// was known once stays.
package struct AgreementCourse: Equatable, Sendable {
    package enum State: String, Sendable, CaseIterable {
        /// The month of the signature is not over, or nothing was paid in it and its bimester is not.
        case signed
        /// No month is missed so far, and not yet enough are paid.
        case inCure = "in-cure"
        case cured
        /// Paid in every month until the fifth behind the signature, that one with them.
        case maintained
        /// A month and its bimester went by without a payment of it.
        case broken
    }

    package let state: State
    /// `nil` where it cannot be known yet.
    package let hasSecondPayment: Bool?
    package let hasThirdPayment: Bool?
    package let isCured: Bool?
    package let isMaintained: Bool?

    /// Months behind the signature at whose end it counts as maintained.
    package static let maintenanceMonths = 5
    /// Sustained payments that make a cure.
    package static let curePayments = 3

    /// Which two months are a bimester of an employer's payments (AMB-22).
    package enum Bimester: String, Sendable, CaseIterable {
        /// January with February, and so on.
        case calendar
        /// The month of the signature with the next one, and so on.
        case signature

        /// The months of the one that `month` lies in.
        func months(of month: Period, signedIn: Period) -> [Period] {
            let place =
                switch self {
                case .calendar: month.month - 1
                case .signature: Int(month.monthsSinceYear0 - signedIn.monthsSinceYear0)
                }
            return [month, month.advanced(byMonths: place.isMultiple(of: 2) ? 1 : -1)]
        }
    }

    /// - Parameters:
    ///   - signedIn: the month of the signature.
    ///   - paid: the months in which the account's payments, net of reversals, are above zero.
    ///   - paidByEmployer: those in which the employer's alone are.
    ///   - through: the last month whose payments are all known.
    ///   - curePayments: how many sustained payments make a cure; 1 or more.
    package init(
        signedIn: Period, paid: Set<Period>, paidByEmployer: Set<Period> = [], bimester: Bimester = .calendar,
        through: Period, curePayments: Int = AgreementCourse.curePayments
    ) {
        let paid = paidByEmployer.reduce(into: paid) { $0.formUnion(bimester.months(of: $1, signedIn: signedIn)) }
        func isPaid(_ month: Period) -> Bool? {
            guard month <= through else { return nil }
            if paid.contains(month) { return true }
            return bimester.months(of: month, signedIn: signedIn).allSatisfy { $0 <= through } ? false : nil
        }
        func sustained(_ payments: Int) -> Bool? {
            let months = (0..<payments).map { isPaid(signedIn.advanced(byMonths: $0)) }
            if months.contains(false) { return false }
            return months.contains(nil) ? nil : true
        }
        hasSecondPayment = sustained(2)
        hasThirdPayment = sustained(3)
        isCured = sustained(curePayments)
        isMaintained = sustained(Self.maintenanceMonths + 1)
        if isMaintained == false {
            state = .broken
        } else if sustained(1) == nil {
            state = .signed
        } else if isMaintained == true {
            state = .maintained
        } else {
            state = isCured == true ? .cured : .inCure
        }
    }
}

/// Whether a promise to pay was kept.
package enum PromiseVerdict: String, Sendable, CaseIterable {
    case kept, broken
    /// Its day, with the grace behind it, is not over.
    case pending

    /// - Parameters:
    ///   - amount: what was promised; `nil`: whatever.
    ///   - by: the day that was promised.
    ///   - paid: what was paid from the day of the promise until the grace was over, net of reversals.
    ///   - today: the last day whose payments are known.
    package init(amount: Cents?, by day: LocalDate, graceDays: Int, paid: Cents, today: LocalDate) {
        let isPaid = amount.map { paid >= $0 } ?? (paid > .zero)
        if isPaid {
            self = .kept
        } else {
            self = today <= day.advanced(byDays: graceDays) ? .pending : .broken
        }
    }
}
