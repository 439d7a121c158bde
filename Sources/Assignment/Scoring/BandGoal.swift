// SPDX-License-Identifier: Apache-2.0

/// One agency's month in one band of arrears against the band's minimum, over all of its contracts and delegations (AMB-23).
package struct BandGoal: Equatable, Sendable {
    package let period: Period
    package let band: MoraBand
    package let assigned: Cents
    package let recovered: Cents
    /// Whole percent; of several contracts the highest.
    package let minimum: Int64
    /// What a percentage between two whole ones is (AMB-11); of several contracts rounded where all of them read it so.
    package let fraction: ContingencyReading.Fraction

    package init(
        period: Period, band: MoraBand, assigned: Cents, recovered: Cents, minimum: Int64,
        fraction: ContingencyReading.Fraction = .cut
    ) {
        self.period = period
        self.fraction = fraction
        self.band = band
        self.assigned = assigned
        self.recovered = recovered
        self.minimum = minimum
    }

    /// Whole, as the rate's is.
    package var percent: Int64 { BandRecovery.Sums(assigned: assigned, recovered: recovered).percent(fraction) }

    /// What must be recovered, rounded up to the centavo.
    var least: Cents {
        let hundredths = Int128(minimum) * 100 - (fraction == .round && minimum > 0 ? 50 : 0)
        return Cents(Int64(clamping: (Int128(assigned.value) * hundredths + 9_999) / 10_000))
    }

    /// Nothing assigned is nothing missed.
    package var isMissed: Bool { assigned > .zero && percent < minimum }
}

/// What missed goals allow the institution to do. It is a power and no duty: a person decides (SUS-03).
package struct SuspensionProposal: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// No more accounts of the band (SUS-01).
        case band
        /// The contract may end (SUS-02).
        case termination
    }

    package let kind: Kind
    package let band: MoraBand
    /// The months that were missed, ascending.
    package let missed: [Period]

    /// Misses in a row, and misses within ``windowMonths``, that allow the end of a contract.
    package static let consecutive = 3
    package static let discontinuous = 4
    package static let windowMonths = 6

    /// Which misses count together toward the end of a contract (AMB-23).
    package enum Counting: String, Sendable, CaseIterable {
        /// Those of one band.
        case sameBand = "same-band"
        /// Those of any: a month in which some band was missed is a missed one.
        case anyBand = "any-band"
    }

    /// - Parameters:
    ///   - goals: of one agency; a month without accounts in a band is no distribution of it.
    ///   - period: the evaluated month, which was missed itself, or nothing is proposed.
    package static func proposals(
        _ goals: [BandGoal], in period: Period, counting: Counting = .sameBand
    ) -> [SuspensionProposal] {
        /// A row per month that had a distribution, and whether it was missed.
        func months(_ band: MoraBand?) -> [(period: Period, isMissed: Bool)] {
            let own = goals.filter { (band == nil || $0.band == band) && $0.period <= period && $0.assigned > .zero }
            return Dictionary(grouping: own, by: \.period)
                .map { (period: $0.key, isMissed: $0.value.contains(where: \.isMissed)) }
                .sorted { $0.period < $1.period }
        }
        return MoraBand.allCases.flatMap { band -> [SuspensionProposal] in
            guard let last = months(band).last, last.period == period, last.isMissed else { return [] }
            var proposals = [SuspensionProposal(kind: .band, band: band, missed: [period])]
            let counted =
                switch counting {
                case .sameBand: months(band)
                case .anyBand: months(nil)
                }
            let row = Array(counted.reversed().prefix { $0.isMissed }.map(\.period).reversed())
            let window = counted.filter {
                $0.isMissed && $0.period > period.advanced(byMonths: -windowMonths)
            }.map(\.period)
            if row.count >= consecutive {
                proposals.append(SuspensionProposal(kind: .termination, band: band, missed: row))
            } else if window.count >= discontinuous {
                proposals.append(SuspensionProposal(kind: .termination, band: band, missed: window))
            }
            return proposals
        }
    }
}
