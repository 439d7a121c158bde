// SPDX-License-Identifier: Apache-2.0

/// What a field can be at all: what the cut's table takes, and what the formulas give.
extension AccountField {
    /// Every number that a known value can be, in ranges, ascending and apart from each other.
    package var domain: [ClosedRange<Int64>] {
        switch kind {
        case .flag: return [0...1]
        case .code(let words): return [1...Int64(words.count)]
        case .date: return [Self.days]
        case .money: return [0...Self.centavosMax]
        case .percent:
            // A balance that grows beyond the original amount has no largest share.
            return [0...(self == .balanceShare ? Int64.max : percentMax * 100 * numbersPerBasisPoint)]
        case .number:
            switch self {
            case .delegation:
                return [Int64(Delegation.range.lowerBound)...Int64(Delegation.range.upperBound)]
            case .municipality: return Self.municipalities
            case .daysLate: return [0...99_999]
            case .restructures, .pensionEnrolments: return [0...99]
            default: return [0...999]
            }
        }
    }

    /// Whether an account may have no value there. A formula has none where what it needs is missing or zero.
    package var canBeMissing: Bool { kind == .date || isDerived }

    /// The largest percentage that a policy may ask for.
    package var percentMax: Int64 {
        switch self {
        case .bimesterPaid, .reserveShare, .paid4M, .balanceShare: 1_000
        default: 100
        }
    }

    private static let centavosMax: Int64 = 99_999_999_999_99
    /// 1900-01-01 to 2199-12-31.
    private static let days: ClosedRange<Int64> = -25_567...84_005
    /// Three digits behind those of the delegation.
    private static let municipalities = Delegation.range.map { Int64($0) * 1_000 + 1...Int64($0) * 1_000 + 999 }
}
