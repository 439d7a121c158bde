// SPDX-License-Identifier: Apache-2.0

/// How a signed agreement went on, month after month.
///
/// Source: SOL-13, SOL-14, IND-13, GAP-cure. The first payment belongs to the month of the signature, the second to the next one, and so
/// on: only so do the published cohorts fit a close of December (second payment: signed until November, third and cure: October,
/// maintenance: July).
///
/// An employer pays by bimesters, so that what it paid is of both months of one, as where payments in a row are counted (SOL-45). Whether
/// it will pay is not known before: a month without a payment is missed once its bimester is over, and open until then. A payment that
/// comes in a later feed than that of the bimester's last month mends no month that was missed: what was known once stays, but for
/// payments that are taken back.
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
    /// Months in which payments of their own count, ascending.
    package let paidMonths: [Period]
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

    /// What one feed told of a month, in centavos: payments less what was taken back. A payment that is taken back is so in the feed that
    /// says it, and of the month in which it was paid.
    package struct Money: Equatable, Sendable {
        /// In which it was paid.
        package let month: Period
        /// Of the feed.
        package let feed: Period
        package let amount: Int64
        /// What of it the employer paid.
        package let byEmployer: Int64

        package init(month: Period, feed: Period, amount: Int64, byEmployer: Int64) {
            self.month = month
            self.feed = feed
            self.amount = amount
            self.byEmployer = byEmployer
        }
    }

    /// What was kept of an agreement before there were feeds, as somebody else counted it.
    package struct Kept: Equatable, Sendable {
        /// Payments in a row, 0 or more; those until the month before ``since``.
        package let payments: Int
        /// The first month of which there are feeds.
        package let since: Period
        package let byEmployer: Bool

        package init(payments: Int, since: Period, byEmployer: Bool) {
            self.payments = payments
            self.since = since
            self.byEmployer = byEmployer
        }

        /// A centavo for each, in the months that end with the one before ``since``.
        fileprivate var money: [Money] {
            (0..<payments).map { back in
                let month = since.advanced(byMonths: -1 - back)
                return Money(month: month, feed: month, amount: 1, byEmployer: byEmployer ? 1 : 0)
            }
        }
    }

    /// One of which earlier payments are known by their number alone: it was kept until then, and goes on from there. Signed in the month
    /// `since` or later, it is one like the others, whatever is said of payments before.
    package init(
        signedIn: Period, kept: Kept, money: [Money], bimester: Bimester = .calendar, through: Period,
        curePayments: Int = AgreementCourse.curePayments
    ) {
        let elapsed = Int(kept.since.monthsSinceYear0 - signedIn.monthsSinceYear0)
        guard elapsed > 0 else {
            self.init(
                signedIn: signedIn, money: money, bimester: bimester, through: through, curePayments: curePayments)
            return
        }
        let kept = Kept(payments: min(kept.payments, elapsed), since: kept.since, byEmployer: kept.byEmployer)
        self.init(
            signedIn: kept.since.advanced(byMonths: -kept.payments),
            money: kept.money + money.filter { $0.month >= kept.since },
            bimester: bimester, through: through, curePayments: curePayments)
    }

    /// - Parameters:
    ///   - signedIn: the month of the signature.
    ///   - money: the account's; feeds behind `through` count for nothing.
    ///   - through: the last month whose feed is known as a whole.
    ///   - curePayments: how many sustained payments make a cure; 1 or more.
    package init(
        signedIn: Period, money: [Money], bimester: Bimester = .calendar, through: Period,
        curePayments: Int = AgreementCourse.curePayments
    ) {
        let money = money.filter { $0.feed <= through }
        func net(_ month: Period, asOf feed: Period, _ amount: (Money) -> Int64) -> Int64 {
            money.reduce(0) { $0 + ($1.month == month && $1.feed <= feed ? amount($1) : 0) }
        }
        /// Whether something is so now; where the bimester is over, at its end and ever since.
        func holds(in bimester: [Period], _ isSo: (_ asOf: Period) -> Bool) -> Bool {
            let settled = min(through, bimester.max() ?? through)
            let later = Set(money.filter { bimester.contains($0.month) && $0.feed > settled }.map(\.feed))
            return later.union([settled]).allSatisfy(isSo)
        }
        func isPaid(_ month: Period) -> Bool? {
            guard month <= through else { return nil }
            let months = bimester.months(of: month, signedIn: signedIn)
            let isPaid = holds(in: months) { feed in
                net(month, asOf: feed, \.amount) > 0 || months.contains { net($0, asOf: feed, \.byEmployer) > 0 }
            }
            if isPaid { return true }
            return months.allSatisfy { $0 <= through } ? false : nil
        }
        paidMonths = Set(money.map(\.month)).sorted().filter { month in
            holds(in: bimester.months(of: month, signedIn: signedIn)) { net(month, asOf: $0, \.amount) > 0 }
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
