// SPDX-License-Identifier: Apache-2.0

/// What an institution decides about its plans beyond the contracts: who should get which part, what is remembered of
/// former holders, what hands must have in equal parts, and how many persons apply.
/// - Source: AGY-14, ASG-07, ASG-08, GEO-02, GAP-allocation.
package struct PlanSettings: Hashable, Sendable {
    /// A trait that every hand must have its part of, beside the tactic.
    package enum Trait: String, Sendable, CaseIterable { case band, balance, probability, employment }

    /// Shares of some delegations and strategies; of several rules the first that fits decides.
    package struct ShareRule: Hashable, Sendable {
        /// `nil`: all of them.
        package var delegations: Set<Delegation>?
        package var strategies: Set<Strategy>?
        package var share: Share

        package init(delegations: Set<Delegation>? = nil, strategies: Set<Strategy>? = nil, share: Share) {
            self.delegations = delegations
            self.strategies = strategies
            self.share = share
        }

        package func fits(_ key: TargetKey) -> Bool {
            (delegations?.contains(key.delegation) ?? true) && (strategies?.contains(key.strategy) ?? true)
        }
    }

    /// Some delegations and strategies; `nil`: all of them.
    package struct Places: Hashable, Sendable {
        package var delegations: Set<Delegation>?
        package var strategies: Set<Strategy>?

        package init(delegations: Set<Delegation>? = nil, strategies: Set<Strategy>? = nil) {
            self.delegations = delegations
            self.strategies = strategies
        }

        package func contains(_ key: TargetKey) -> Bool {
            (delegations?.contains(key.delegation) ?? true) && (strategies?.contains(key.strategy) ?? true)
        }
    }

    package enum Share: Hashable, Sendable {
        case equal
        case fixed([ContractID: BasisPoints])
        case scorecard(ScorecardRule)
        case arms([ShareTarget.Arm])
    }

    package struct ScorecardRule: Hashable, Sendable {
        /// Whose scores count; `nil`: those of the latest closed period that has any.
        package var period: Period?
        package var changeMax: BasisPoints
        package var floor: BasisPoints

        package init(period: Period? = nil, changeMax: BasisPoints, floor: BasisPoints) {
            self.period = period
            self.changeMax = changeMax
            self.floor = floor
        }
    }

    /// Where a portfolio has no way to work an account (GEO-02).
    package struct ChannelBan: Hashable, Sendable {
        /// Contracts with one of these rule packs; `nil`: all contracts.
        package var packs: Set<String>?
        package var portfolio: Portfolio
        package var delegations: Set<Delegation>
        /// Within a delegation; such a ban is for all contracts.
        package var municipalities: Set<Int32>

        package init(
            packs: Set<String>? = nil, portfolio: Portfolio, delegations: Set<Delegation> = [],
            municipalities: Set<Int32> = []
        ) {
            self.packs = packs
            self.portfolio = portfolio
            self.delegations = delegations
            self.municipalities = municipalities
        }
    }

    package var name: String
    /// The part of all accounts that one agency may have at most (ASG-07).
    package var agencyCap: BasisPoints?
    /// See ``PlanInput/weights``.
    package var weights: [Int16: Int64] = [:]
    /// Who held an account in so many periods before does not get it again. Range: 0...12; who gave it back last does
    /// not get it in the next one, whatever this says.
    package var rotationPeriods = 0
    /// Whether the credits of one debtor go to one agency of a delegation.
    package var keepsTogether = true
    /// Agencies that search for debtors who were not found (ASG-08); where there are none, nobody needs a searcher.
    package var searchAgencies: Set<AgencyID> = []
    package var strata: Set<Trait> = []
    /// Days from the notice to the end of a lease whose account another strategy takes at the month's turn. Range: 1...60.
    package var recallDays = 5
    /// How many different persons have to apply the same plan: 1 or 2.
    package var persons = 1
    package var shares: [ShareRule] = []
    package var bans: [ChannelBan] = []
    /// Where contracts pull from one hand, first come first served.
    package var shared: [Places] = []
    /// Where a pull may name a tactic.
    package var pick: [Places] = []

    package init(name: String) { self.name = name }

    /// In force where nobody has decided anything.
    package static let standard = PlanSettings(name: "standard")

    /// The rule that decides a target; `nil`: equal shares.
    package func rule(_ key: TargetKey) -> ShareRule? { shares.first { $0.fits(key) } }

    package func isShared(_ key: TargetKey) -> Bool { shared.contains { $0.contains(key) } }
    package func isPicked(_ key: TargetKey) -> Bool { pick.contains { $0.contains(key) } }

    /// Every delegation and strategy whose hands are shared, in order.
    package var sharedKeys: [TargetKey] {
        guard !shared.isEmpty else { return [] }
        return Delegation.all.flatMap { delegation in
            Strategy.allCases.map { TargetKey(delegation: delegation, strategy: $0) }.filter(isShared)
        }
    }

    package func isBanned(_ station: Station, packs: some Collection<String>) -> Bool {
        bans.contains { ban in
            ban.portfolio == station.portfolio && ban.delegations.contains(station.delegation)
                && (ban.packs.map { named in packs.contains { named.contains($0) } } ?? true)
        }
    }

    /// Municipalities that one portfolio cannot work, by portfolio.
    package var bannedMunicipalities: [Portfolio: Set<Int32>] {
        bans.reduce(into: [:]) { $0[$1.portfolio, default: []].formUnion($1.municipalities) }
    }
}
