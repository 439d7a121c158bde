// SPDX-License-Identifier: Apache-2.0

/// A band of days in arrears, each with a scale of fees of its own.
///
/// Source: SEG-11, FEE-01…05. Closed intervals of whole days; day 0 is current and in no band.
package enum MoraBand: String, Sendable, CaseIterable, Comparable {
    case days1to30 = "FEE-01"
    case days31to60 = "FEE-02"
    case days61to90 = "FEE-03"
    case days91to120 = "FEE-04"
    case over120 = "FEE-05"

    /// First and last day; the last band has no last day.
    package var days: (first: Int32, last: Int32?) {
        switch self {
        case .days1to30: (1, 30)
        case .days31to60: (31, 60)
        case .days61to90: (61, 90)
        case .days91to120: (91, 120)
        case .over120: (121, nil)
        }
    }

    package var label: String {
        days.last.map { "\(days.first)–\($0)" } ?? "> \(days.first - 1)"
    }

    /// The band of an account that is `days` late; `nil` where it is current.
    package init?(daysLate days: Int32) {
        guard let band = Self.allCases.last(where: { $0.days.first <= days }) else { return nil }
        self = band
    }

    package static func < (left: MoraBand, right: MoraBand) -> Bool { left.rawValue < right.rawValue }
}

/// What a contract was assigned in one band and what was recovered of it, in overdue value.
package struct BandRecovery: Equatable, Sendable {
    package let band: MoraBand
    /// Overdue value of the accounts assigned, in centavos.
    package let assigned: Cents
    /// Of it recovered in the period, by payments of the origins that the contract names (AMB-09). An account counts at most its
    /// overdue value.
    package let recovered: Cents
    /// All that those payments are, whatever was overdue (AMB-09).
    package let paid: Cents
    /// The payments behind it, ascending.
    package let payments: [String]
    /// The same of the agency in the band, over all of its contracts and delegations; what selects the rate (AMB-10).
    package var agency: Sums

    package struct Sums: Equatable, Sendable {
        package var assigned = Cents.zero
        package var recovered = Cents.zero

        package init() {}

        package init(assigned: Cents, recovered: Cents) {
            self.assigned = assigned
            self.recovered = recovered
        }

        /// Recovered over assigned by value, in whole percent (AMB-11).
        ///
        /// Range: 0 or more; 0 where nothing is assigned. A month of reversals alone is 0 as well.
        func percent(_ fraction: ContingencyReading.Fraction) -> Int64 {
            guard assigned > .zero, recovered > .zero else { return 0 }
            let hundred = Int128(recovered.value) * 100
            let whole = Int128(assigned.value)
            return switch fraction {
            case .cut: Int64(clamping: hundred / whole)
            case .round: Int64(clamping: (hundred * 2 + whole) / (whole * 2))
            }
        }
    }

    /// One that is all that the agency has in the band.
    ///
    /// - Parameter paid: `nil`: no more than what was recovered.
    package init(band: MoraBand, assigned: Cents, recovered: Cents, paid: Cents? = nil, payments: [String]) {
        self.band = band
        self.assigned = assigned
        self.recovered = recovered
        self.paid = paid ?? recovered
        self.payments = payments
        agency = Sums(assigned: assigned, recovered: recovered)
    }

    /// Whether the agency has anything of the band elsewhere.
    package var isPart: Bool { agency != Sums(assigned: assigned, recovered: recovered) }

    /// The percentage that selects the rate: the agency's recovered over assigned in the band by value, in whole percent, cut off (AMB-10,
    /// AMB-11).
    ///
    /// Range: 0 or more; 0 where nothing is assigned. A month of reversals alone is 0 as well.
    package var wholePercent: Int64 { agency.percent(.cut) }
}
