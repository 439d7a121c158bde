// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What a month is dealt by: the rules that place the accounts, and what was decided about shares.
package struct ModelPolicy: Sendable {
    package let name: String
    package let policy: Policy
    package let settings: PlanSettings

    package init(name: String, policy: Policy, settings: PlanSettings) {
        self.name = name
        self.policy = policy
        self.settings = settings
    }
}

/// Contracts and accounts before anything is decided about them.
struct ModelWorld: Sendable {
    let period: Period
    let contracts: [PlanContract]
    /// Where each agency works, for its capacity.
    let posts: [AgencyID: [ContractBook.Post]]
    let accounts: [ModelAccount]
    /// By contract: the names of its schedules of fees and of penalties.
    let schedules: [ContractID: ScheduleNames]
}

struct ScheduleNames: Hashable, Sendable {
    let fees: String
    let penalties: String
}

/// The accounts where a policy puts them.
struct ModelPlacement: Sendable {
    let tactics: [String]
    /// By place in the world's accounts; `nil`: excluded, or nothing to collect.
    let placements: [Placement?]
    let excluded: Int

    init(_ world: ModelWorld, _ policy: Policy) {
        let cut = world.period.firstDay.advanced(byDays: -1)
        let segmenter = Segmenter(policy, cut: cut)
        var placements = [Placement?](repeating: nil, count: world.accounts.count)
        var rounds: [Delegation: InvitationRound] = [:]
        var sizes: [Delegation: Int64] = [:]
        var places: [Int64: Int] = [:]
        var excluded = 0
        for (place, account) in world.accounts.enumerated() {
            sizes[account.delegation, default: 0] += 1
            switch segmenter.verdict(for: account.row) {
            case .excluded: excluded += 1
            case .nothingToCollect: break
            case .placed(let placed):
                placements[place] = placed
                if let invited = segmenter.invited(account.row, placed: placed) {
                    places[account.account.value] = place
                    rounds[account.delegation, default: InvitationRound()].add(
                        account: account.account.value, arrears: account.value(.arrears), placed: placed,
                        invited: invited)
                }
            }
        }
        for (delegation, round) in rounds {
            let capacity =
                policy.invitation?.sessions.capacity(
                    delegation: delegation.value, accounts: sizes[delegation] ?? 0) ?? 0
            for (account, placement) in round.settled(capacity: capacity) {
                if let place = places[account] { placements[place] = placement }
            }
        }
        self.tactics = segmenter.tactics
        self.placements = placements
        self.excluded = excluded
    }
}
