// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What kind of debtor the cut shows, by the conditions of the published tactics (STR-01…06), whatever a policy calls its own and
/// wherever it puts the account: two policies meet the same people.
enum DebtorKind: String, CaseIterable, Sendable {
    case incompletePayment, signed, highPaymentProbability, containment, agreements, rest
    /// Transferred to the courts and not profiled: dual, or mediation.
    case courts

    /// `nil`: nothing is owed, so that nothing can be recovered.
    init?(_ account: ModelAccount) {
        let arrears = account.value(.arrears)
        let hasLostJob =
            account.row[.jobLostOn].map { Int64(account.row.cut.daysSince1970) - $0 <= Self.jobLossDays } ?? false
        guard arrears > 0 || account.value(.incompletePayments) > 0 || hasLostJob else { return nil }
        if account.row[.judicialOn] != nil, account.value(.suitProfiled) == 0, arrears > 4 {
            self = .courts
        } else if account.value(.incompletePayments) > 0 {
            self = .incompletePayment
        } else if account.value(.signed) == 1 {
            self = .signed
        } else if account.value(.paymentProbability) >= 7_000 {
            self = .highPaymentProbability
        } else if arrears <= 3 {
            self = .containment
        } else if account.value(.agreementAvailable) == 1, account.value(.instalmentDrop) >= 5_000 {
            self = .agreements
        } else {
            self = .rest
        }
    }

    /// Whoever lost the job longer ago pays by other ways, or is in arrears.
    private static let jobLossDays: Int64 = 60

    /// How many of ten thousand pay when they are worked: as published.
    var efficiency: Int {
        switch self {
        case .incompletePayment: 7_800
        case .signed, .highPaymentProbability: 7_200
        case .containment: 4_100
        case .agreements: 800
        case .rest: 2_800
        case .courts: 900
        }
    }
}

extension Debtor {
    /// As the cut shows the account. Who owes nothing pays nothing.
    ///
    /// - Parameter untreatedPercent: of those who pay when they are worked, how many pay without.
    init(seed: UInt64, period: Period, _ account: ModelAccount, untreatedPercent: Int) {
        let kind = DebtorKind(account)
        let strategy: Strategy =
            kind == .courts ? .dual : account.value(.arrears) > 3 ? .administrative : .preventive
        self.init(
            seed: seed, period: period, account: account.account, efficiency: kind?.efficiency ?? 0, strategy: strategy,
            due: Cents(account.value(.due)), overdue: Cents(account.value(.overdue)), untreatedPercent: untreatedPercent
        )
    }

    /// The day of the month on which somebody pays who is not worked.
    static func ownDay(seed: UInt64, period: Period, _ account: AccountID) -> LocalDate {
        var random = SplitMix64(seed: seed, 0x0DA7, Int(account.value), Int(period.number))
        let days = Int(period.lastDay.daysSince1970 - period.firstDay.daysSince1970)
        return period.firstDay.advanced(byDays: random.between(0...days))
    }
}
