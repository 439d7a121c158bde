// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What a period would look like under another policy: counts, money, expected recovery, advisers, and what no contract
/// could take. Writes nothing.
///
/// The policy runs over the cut as it is now, and beside it the one that placed the period, so that both are seen with
/// the same stops. What no contract could take is found by the plan itself, on the placements in memory. Reads one
/// snapshot of the database, also while others write and on closed periods.
package struct PolicyWhatIf {
    private let link: PgLink
    private let period: Period
    private let wish: PolicyChoice.Wish

    package init(_ link: PgLink, period: Period, policy: PolicyChoice.Wish) {
        self.link = link
        self.period = period
        self.wish = policy
    }

    /// - Parameter byDelegation: whether the figures of each delegation are wanted too.
    /// - Throws: ``CommandFailure`` (usage) where the period has no cut.
    package func run(byDelegation: Bool = false) throws -> WhatIfReport {
        let start = ContinuousClock.now
        return try link.snapshotOrFailure(period) {
            let draft = try Draft(link, period: period, wish: wish)
            return WhatIfReport(
                draft, period: period, byDelegation: byDelegation, took: ContinuousClock.now - start)
        }
    }

    /// Everything that the report is made from.
    struct Draft {
        /// The policy that is tried, and the one in force where the period was segmented.
        let choices: [PolicyChoice]
        let tables: [VerdictTable]
        let sides: [WhatIfSide]
        let accounts: Int64
        let supply: PlanSupply
        let plans: [AllocationPlan]
        let advisers: AdviserNeed
        let notes: [String]
        /// Absent where the period was not segmented.
        let drift: RecordDrift?

        init(_ link: PgLink, period: Period, wish: PolicyChoice.Wish) throws {
            let planning = PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period))
            var choices = [try PolicyChoice(wish, link, period: period)]
            var notes = choices[0].notes
            do {
                choices.append(try PolicyChoice(.applied, link, period: period))
            } catch let failure as CommandFailure {
                // Never segmented, or by a policy that this version cannot read: there is nothing to compare with.
                notes.append("not compared: \(failure.found)")
            }
            self.drift = try choices.dropFirst().first.map {
                try RecordDrift($0.policy, $0.territory, link, period: period)
            }
            let trial = try PolicyTrial(choices.map(\.policy), link, period: period)
            var sides = trial.parties.map { WhatIfSide($0.table) }
            let result = try trial.run(undealable: true)
            for index in sides.indices { sides[index].add(result, party: index) }
            let supply = try PlanSupply.read(planning)
            self.choices = choices
            self.tables = trial.parties.map(\.table)
            self.accounts = result.accounts
            self.supply = supply
            self.plans = try sides.map { try PlanDraft.verified(supply.input($0.demands)) }
            self.sides = sides
            self.advisers = AdviserNeed(supply.capacities)
            if let plan = try planning.plan() {
                notes.append(
                    "plan \(plan.id) of \(period) is \(plan.state): what agencies hold counts as held, not as unplaced")
            }
            self.notes =
                notes + IdleStrategies(supply.taking).words { sides[0].strategies[$0]?.accounts ?? 0 } + supply.warnings
        }
    }
}
