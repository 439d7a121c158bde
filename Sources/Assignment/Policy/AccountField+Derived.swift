// SPDX-License-Identifier: Apache-2.0

/// What follows from other fields of an account, by formulas and not by columns.
extension AccountField {
    /// They are the last cases, so that rows hold the others by their raw values.
    package var isDerived: Bool { rawValue >= Self.balanceShare.rawValue }

    /// The stored fields that a derived one is computed from; of a stored field itself alone.
    package var inputs: [AccountField] {
        switch self {
        case .balanceShare: [.balance, .originalAmount]
        case .defaultProbability: Self.scoreInputs
        case .expectedLoss: Self.scoreInputs + [.balance]
        default: [self]
        }
    }

    private static let scoreInputs: [AccountField] = [
        .daysLate, .maxArrears4M, .paid4M, .openedOn, .affiliatedEmployer, .issste,
    ]

    /// The value of a derived field, or ``AccountRow/missing``.
    package func derived(from row: borrowing AccountRow) -> Int64 {
        derived(cut: row.cut, daysInMonth: Self.daysInMonth(row.cut)) { row.raw($0) }
    }

    /// The same for values that lie elsewhere, such as in columns.
    ///
    /// - Parameter daysInMonth: ``daysInMonth(_:)`` of the cut, worked out once for all accounts.
    /// - Parameter value: gives a stored field's value, or ``AccountRow/missing``; asked for ``inputs`` only.
    package func derived(cut: LocalDate, daysInMonth: Int64, value: (AccountField) -> Int64) -> Int64 {
        switch self {
        case .balanceShare:
            return Self.share(value(.balance), of: value(.originalAmount))
        case .defaultProbability, .expectedLoss:
            let daysLate = value(.daysLate)
            guard daysLate != AccountRow.missing else { return AccountRow.missing }
            let risk = DefaultRisk(
                daysLate: daysLate, daysInMonth: daysInMonth, latePaymentsMax: max(value(.maxArrears4M), 0),
                paidShare: value(.paid4M), years: Self.years(since: value(.openedOn), at: cut),
                isEmployed: value(.affiliatedEmployer) == 1, isCivilServant: value(.issste) == 1)
            guard self == .expectedLoss else { return risk.probability }
            let balance = value(.balance)
            return balance == AccountRow.missing ? AccountRow.missing : risk.expectedLoss(of: balance)
        default:
            return value(self)
        }
    }

    /// The calendar days of the month that a day lies in.
    package static func daysInMonth(_ day: LocalDate) -> Int64 {
        let parts = day.parts
        return Int64(LocalDate.daysInMonth(year: parts.year, month: parts.month))
    }

    /// Where a percentage can lie between two basis points, its number has a place for that too: twice the basis points
    /// of an exact one, one more for whatever lies above it and below the next. So 25 % and a hair is above 25 % and not
    /// at most 25 %, and every comparison with whole basis points is exact.
    /// A probability is computed in millionths, of which a basis point has a hundred.
    package var numbersPerBasisPoint: Int64 {
        switch self {
        case .balanceShare: 2
        case .defaultProbability: 100
        default: 1
        }
    }

    /// Twice the basis points, and one more where they are not whole; missing where the whole is 0.
    private static func share(_ part: Int64, of whole: Int64) -> Int64 {
        guard part >= 0, whole > 0 else { return AccountRow.missing }
        let (high, low) = UInt64(part).multipliedFullWidth(by: UInt64(BasisPoints.whole))
        // Beyond what a quotient holds, the share is as good as endless.
        guard high < UInt64(whole) else { return Int64.max }
        let (quotient, remainder) = UInt64(whole).dividingFullWidth((high, low))
        guard quotient < UInt64(Int64.max / 2) else { return Int64.max }
        return Int64(quotient) * 2 + (remainder == 0 ? 0 : 1)
    }

    /// Whole years, by the mean length of a year; 0 where the day is missing or lies ahead.
    private static func years(since opened: Int64, at cut: LocalDate) -> Int64 {
        guard opened != AccountRow.missing else { return 0 }
        return max(Int64(cut.daysSince1970) - opened, 0) * 400 / 146_097
    }
}
