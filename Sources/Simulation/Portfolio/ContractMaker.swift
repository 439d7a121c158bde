// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Makes the contracts: two agencies hold the preventive ones of every zone (AGY-03), the others the integral ones,
/// spread so that every delegation has several contracts for every strategy.
///
/// Capacity follows the accounts that a portfolio of this size is expected to give each contract, mostly with some
/// room, now and then too little, so that limits are seen at work.
struct ContractMaker {
    /// The ratios are not published (AGY-07); these make an adviser's month plausible: five calls to each of 150
    /// accounts, two visits to each of 75.
    static let accountsPerTelephoneAdviser = 150
    static let accountsPerHomeVisitAdviser = 75

    /// Accounts per ten thousand of the portfolio that a strategy takes, exclusions out.
    private static let preventiveShare = 1_190
    private static let integralShare = 790

    let specification: PortfolioSpecification

    func contracts() -> [ContractDraft] {
        let zones = specification.zones.zones
        // Every agency has a contract before anybody has a second one.
        let others = specification.agencies - 2
        let isWide = specification.contracts >= max(4 * zones.count, 2 * zones.count + others)
        let preventivePerZone = isWide ? 2 : 1
        let integral = specification.contracts - preventivePerZone * zones.count
        var drafts: [ContractDraft] = []
        var nextAgency = 0
        for (ordinal, zone) in zones.enumerated() {
            for holder in 0..<preventivePerZone {
                let agency = preventivePerZone == 2 ? holder + 1 : ordinal % 2 + 1
                drafts.append(
                    draft(drafts.count, agency: agency, zone: zone, strategies: [.preventive], among: preventivePerZone)
                )
            }
            let count = integral / zones.count + (ordinal < integral % zones.count ? 1 : 0)
            for place in 0..<count {
                // The first zone with three contracts gives two of them to one agency, split by strategy.
                let isSplit = count >= 3 && integral > others && ordinal == 0 && (place == 0 || place == 2)
                let agency = isSplit ? 3 : nextAgency % others + 3
                if !isSplit || place == 0 { nextAgency += 1 }
                let strategies: [Strategy] =
                    isSplit
                    ? (place == 0 ? [.administrative] : [.dual, .mediation]) : [.administrative, .dual, .mediation]
                drafts.append(draft(drafts.count, agency: agency, zone: zone, strategies: strategies, among: count))
            }
        }
        return drafts
    }

    private func draft(
        _ ordinal: Int, agency: Int, zone: (zone: Int, delegations: [Int]), strategies: [Strategy], among count: Int
    ) -> ContractDraft {
        var random = SplitMix64(seed: specification.seed, 0xC0, ordinal)
        let period = specification.period
        let isPreventive = strategies == [.preventive]
        let isNewest = ordinal % 2 == 1
        var draft = ContractDraft(
            contract: 1_001 + ordinal, agency: agency, number: "C-\(period.year - 1)-\(1_001 + ordinal)",
            tender: isPreventive ? "147/GA/2023-95829" : isNewest ? "166/GA/2023-96248" : "248/GA/2022-92-140",
            zone: zone.zone, strategies: strategies,
            startsOn: period.advanced(byMonths: isPreventive ? -6 : isNewest ? -12 : -13).firstDay,
            endsOn: period.advanced(byMonths: isPreventive ? 17 : isNewest ? 11 : 10).lastDay)
        // Three old contracts end in the middle of the next month: no term may pass that day.
        if !isPreventive, ordinal % 28 == 2 { draft.endsOn = period.lastDay.advanced(byDays: 15) }
        draft.isPresentBasis = ordinal % 11 == 7
        draft.lines = zone.delegations.map { line($0, isPreventive: isPreventive, among: count, &random) }
        bond(&draft, ordinal, among: count)
        return draft
    }

    private func expected(_ delegation: Int, share: Int, among count: Int) -> Int {
        let inDelegation = specification.accounts * Country.states[delegation - 1].weight / Country.weightTotal
        return inDelegation * share / 10_000 / count
    }

    private func line(
        _ delegation: Int, isPreventive: Bool, among count: Int, _ random: inout SplitMix64
    ) -> ContractDraft.Line {
        let share = isPreventive ? Self.preventiveShare : Self.integralShare
        let accounts = expected(delegation, share: share, among: count)
        // One delegation in eight is short of people, the others have 15 to 40 % of room.
        let room = random.below(8) == 0 ? 82 : random.between(115...140)
        func advisers(_ percent: Int, ratio: Int) -> Int {
            percent == 0 ? 0 : max(1, (accounts * percent / 100 * room / 100 + ratio - 1) / ratio)
        }
        return ContractDraft.Line(
            delegation: delegation,
            telephoneAdvisers: advisers(isPreventive ? 100 : 62, ratio: Self.accountsPerTelephoneAdviser),
            homeVisitAdvisers: advisers(isPreventive ? 0 : 42, ratio: Self.accountsPerHomeVisitAdviser))
    }

    /// Most contracts have no bond that counts; some cover what is overdue, amply; a few cover the whole debt and are
    /// stopped by it, as in a bond-bounded pool (AGY-08, AGY-09).
    private func bond(_ draft: inout ContractDraft, _ ordinal: Int, among count: Int) {
        let share = draft.isPreventive ? Self.preventiveShare : Self.integralShare
        let accounts = draft.lines.reduce(0) { $0 + expected($1.delegation, share: share, among: count) }
        switch ordinal % 22 {
        case 5, 13:
            draft.exposureBasis = "overdue"
            draft.bondPesos = max(1, accounts) * (draft.isPreventive ? 9_000 : 130_000)
        case 18:
            draft.exposureBasis = "total"
            draft.exposureFactorPercent = 10
            draft.bondPesos = max(1, accounts) * 329_000 / 10 * 70 / 100
        default:
            draft.bondPesos = 1_000_000
        }
    }
}
