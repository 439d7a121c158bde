// SPDX-License-Identifier: Apache-2.0

/// How a contract reads what the sources leave open of contingency fees. Without a value it is the default, the first of each.
///
/// Source: AMB-09, AMB-10, AMB-11.
package struct ContingencyReading: Equatable, Sendable {
    /// What the rate is of (AMB-09).
    package enum Base: String, Sendable, CaseIterable {
        /// The overdue value recovered in the band, an account at most its own.
        case overdue
        /// All that was paid on the band's accounts.
        case paid
    }
    /// Whose percentage selects the rate (AMB-10).
    package enum Share: String, Sendable, CaseIterable {
        /// The agency's in the band, over all of its contracts and delegations.
        case agency
        /// That of the contract in the delegation.
        case contract
    }
    /// What a percentage between two whole ones is (AMB-11).
    package enum Fraction: String, Sendable, CaseIterable {
        case cut
        /// Half and more is the next one.
        case round
    }
    /// What pays above the top range (AMB-11).
    package enum Above: String, Sendable, CaseIterable {
        /// Its rate.
        case top
        /// Nothing: the scale ends there.
        case none
    }

    package var base = Base.overdue
    package var share = Share.agency
    package var fraction = Fraction.cut
    package var above = Above.top

    package init() {}

    static let baseRule = "AMB-09"
    static let shareRule = "AMB-10"
    static let scaleRule = "AMB-11"

    /// What a rule of these has under a parameter; `nil` where it is none of them.
    static func units(_ rule: String) -> [String: ScheduleUnit]? {
        switch rule {
        case baseRule: ["base": .choice(Base.allCases.map(\.rawValue))]
        case shareRule: ["share": .choice(Share.allCases.map(\.rawValue))]
        case scaleRule:
            [
                "fraction": .choice(Fraction.allCases.map(\.rawValue)),
                "above": .choice(Above.allCases.map(\.rawValue)),
            ]
        default: nil
        }
    }

    init(_ schedule: Schedule) throws(ScheduleError) {
        base = try schedule.choice(Self.baseRule, "base", or: base)
        share = try schedule.choice(Self.shareRule, "share", or: share)
        fraction = try schedule.choice(Self.scaleRule, "fraction", or: fraction)
        above = try schedule.choice(Self.scaleRule, "above", or: above)
    }

    /// Recovered over assigned in whole percent, of whom the contract names.
    func percent(_ recovery: BandRecovery) -> Int64 {
        let sums =
            switch share {
            case .agency: recovery.agency
            case .contract: BandRecovery.Sums(assigned: recovery.assigned, recovered: recovery.recovered)
            }
        return sums.percent(fraction)
    }

    /// What the rate is of.
    func base(_ recovery: BandRecovery) -> Cents {
        switch base {
        case .overdue: recovery.recovered
        case .paid: recovery.paid
        }
    }
}
