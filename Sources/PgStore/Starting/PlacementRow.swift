// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One row of the placement table: placed with a strategy, or excluded with a reason.
package struct PlacementRow: Sendable {
    package let account: Int64
    package let strategy: Strategy?
    package let tactic: String?
    package let portfolio: Portfolio?
    package let priority: Int16?
    package let rule: String
    package let exclusion: String?

    package init(
        account: Int64, strategy: Strategy?, tactic: String?, portfolio: Portfolio?, priority: Int16?, rule: String,
        exclusion: String?
    ) {
        self.account = account
        self.strategy = strategy
        self.tactic = tactic
        self.portfolio = portfolio
        self.priority = priority
        self.rule = rule
        self.exclusion = exclusion
    }
}
