// SPDX-License-Identifier: Apache-2.0

/// A figure of the month that agencies are compared by. docs/indicators.md tells each one's formula and source.
package enum Indicator: String, Sendable, CaseIterable {
    case unlocatable = "IND-01"
    case contacted = "IND-02"
    case promised = "IND-03"
    /// The other reading, published beside it (AMB-12).
    case promisedOfAssigned = "IND-03/assigned"
    case recoveredAccounts = "IND-04"
    case recoveredValue = "IND-05"
    case efficiency = "IND-06"
    /// Of accounts without an employer's deduction, against what the delegations set themselves (WP-03).
    case programmedFlow = "IND-07"
    case containment = "IND-08"
    case cured = "IND-09"
    case stayedCurrent = "IND-10"
    case perPeso = "IND-11"
    case signing = "IND-12"
    /// Of agreements that were signed months before, each followed to its cure (``AgreementCourse``): no figure of the month's deals.
    case secondPayment = "IND-13/second"
    case thirdPayment = "IND-13/third"
    case agreementCured = "IND-13/cure"
    case agreementMaintained = "IND-13/maintenance"
    case validOutcomes = "IND-14"
    case meanPayment = "IND-14/payment"
    /// How well work pays, as the tactics are published (STR-01 to STR-07): a quotient, and beside it the other reading, a gap (AMB-02).
    case paidOfWorked = "IND-14/efficiency"
    case unpaidWork = "IND-14/gap"
    case overdueShare = "IND-15"
    case overdueBalance = "IND-15/balance"

    package var name: String {
        switch self {
        case .unlocatable: "unlocatable"
        case .contacted: "contacted"
        case .promised: "promises"
        case .promisedOfAssigned: "promises of all assigned"
        case .recoveredAccounts: "recovered accounts"
        case .recoveredValue: "recovered overdue value"
        case .efficiency: "recovery efficiency"
        case .programmedFlow: "flow of the programmed"
        case .containment: "contained"
        case .cured: "overdue to current"
        case .stayedCurrent: "still current after 4 months"
        case .perPeso: "pesos per peso spent"
        case .signing: "agreements per session"
        case .secondPayment: "second payments of agreements"
        case .thirdPayment: "third payments of agreements"
        case .agreementCured: "agreements cured"
        case .agreementMaintained: "agreements maintained"
        case .validOutcomes: "valid outcomes"
        case .meanPayment: "mean payment"
        case .paidOfWorked: "efficiency"
        case .unpaidWork: "gap between work and payment"
        case .overdueShare: "overdue share"
        case .overdueBalance: "overdue share of the balances"
        }
    }

    /// What is divided, and by what.
    ///
    /// - Parameter cut: IND-15 is of the month's whole cut by `total` and `delegation`, and of the accounts assigned by all else.
    package func formula(by cut: IndicatorCut) -> String {
        let isOfCut = cut == .total || cut == .delegation
        return switch self {
        case .unlocatable: "accounts reported unlocatable ÷ accounts assigned"
        case .contacted: "accounts reached, debtor or valid third party ÷ accounts assigned"
        case .promised: "accounts with a promise ÷ accounts contacted"
        case .promisedOfAssigned: "accounts with a promise ÷ accounts assigned"
        case .recoveredAccounts: "accounts with a payment ÷ accounts assigned"
        case .recoveredValue: "overdue value recovered ÷ overdue value assigned"
        case .efficiency: "amount recovered ÷ amount due of the accounts assigned"
        case .programmedFlow: "amount recovered of REA accounts assigned ÷ flow that the delegations programmed"
        case .containment: "accounts with no more arrears in the next cut ÷ accounts assigned that it has"
        case .cured: "overdue accounts that are current in the next cut ÷ overdue accounts assigned that it has"
        case .stayedCurrent: "current accounts that are current in the cut 4 months on ÷ those assigned that it has"
        case .perPeso: "amount recovered ÷ fees before IVA"
        case .signing: "accounts with a valid agreement of a session ÷ accounts with a session held"
        case .secondPayment: "agreements with a second payment in a row ÷ agreements of the months of which it is known"
        case .thirdPayment: "agreements with a third payment in a row ÷ agreements of the months of which it is known"
        case .agreementCured: "agreements cured ÷ agreements of the months of which it is known"
        case .agreementMaintained:
            "agreements paid until the fifth month behind ÷ agreements of the months of which it is known"
        case .validOutcomes: "valid outcomes ÷ outcomes"
        case .meanPayment: "amount recovered of accounts assigned with a payment ÷ those accounts"
        case .paidOfWorked: "accounts worked with a payment ÷ accounts worked"
        case .unpaidWork: "accounts worked without a payment ÷ accounts assigned"
        case .overdueShare:
            isOfCut ? "overdue accounts ÷ accounts of the cut" : "overdue accounts assigned ÷ accounts assigned"
        case .overdueBalance:
            isOfCut
                ? "balance of overdue accounts ÷ balance of the cut"
                : "balance of overdue accounts assigned ÷ balance of the accounts assigned"
        }
    }

    /// What is counted of agreements and not of the month's deals: IND-13.
    package static let ofAgreements: [Indicator] = [
        .secondPayment, .thirdPayment, .agreementCured, .agreementMaintained,
    ]

    /// Whether it is a share, shown in percent, or pesos per peso or per account.
    package var isShare: Bool { self != .perPeso && self != .meanPayment }

    /// Whether the numerator is centavos.
    package var isMoney: Bool {
        [.recoveredValue, .efficiency, .programmedFlow, .perPeso, .meanPayment, .overdueBalance].contains(self)
    }

    /// Whether the denominator is, too.
    package var isOverMoney: Bool { isMoney && self != .meanPayment }
}

/// One figure with what it was divided from; exact, and rounded only to be shown.
package struct IndicatorFigure: Equatable, Sendable {
    package let indicator: Indicator
    /// Accounts, outcomes or centavos, as the indicator says.
    package let numerator: Int64
    package let denominator: Int64

    package init(_ indicator: Indicator, _ numerator: Int64, over denominator: Int64) {
        self.indicator = indicator
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Percent or pesos with two decimals, half away from zero; `nil` where there is nothing to divide by, or less.
    package var value: String? {
        guard denominator > 0 else { return nil }
        let unit: Int128 = indicator.isMoney && !indicator.isOverMoney ? 100 : 1
        let ratio = Ratio(Int128(numerator) * (indicator.isShare ? 100 : 1), over: Int128(denominator) * unit)
        return ratio.hundredths
    }

    package var numeratorText: String { Self.text(numerator, isMoney: indicator.isMoney) }
    package var denominatorText: String { Self.text(denominator, isMoney: indicator.isOverMoney) }

    private static func text(_ value: Int64, isMoney: Bool) -> String {
        isMoney ? Cents(value).description : String(value)
    }
}

/// What a month's figures are told apart by.
package enum IndicatorCut: String, Sendable, CaseIterable {
    case total, agency, contract, delegation, band, strategy, tactic, vintage
    /// A contract in one delegation: what scorecards rate.
    case contractDelegation = "contract-delegation"
}
