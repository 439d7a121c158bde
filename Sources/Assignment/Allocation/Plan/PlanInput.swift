// SPDX-License-Identifier: Apache-2.0

/// What a plan is made of: who may get how much, what waits, what each should get, and what each had last month.
/// The order of the lists does not matter.
package struct PlanInput: Hashable, Sendable, Codable {
    /// The period's first day: a contract takes part that is in force on it.
    package var firstDay: LocalDate
    package var demands: [PlanDemand]
    package var contracts: [PlanContract]
    /// Where there is no entry the contracts share equally.
    package var targets: [TargetKey: ShareTarget]
    /// The part of all accounts, held ones included, that one agency may have at most (ASG-07); `nil`: no cap.
    package var agencyCap: BasisPoints?
    /// How much an account of each priority class counts, above zero and not rising with the class. A class without an
    /// entry counts as in ``PlanInput/standardWeights(_:)``, but no more than the class above it and no less than any below.
    package var weights: [Int16: Int64]
    /// Accounts held or dealt at the end of last month, for the fewest moves.
    package var lastMonth: [PlanKey: Int64]
    /// Delegations and strategies whose pools are first come first served (``SharedRoom``); `nil`: none.
    package var shared: [TargetKey]?

    package init(
        firstDay: LocalDate, demands: [PlanDemand], contracts: [PlanContract],
        targets: [TargetKey: ShareTarget] = [:], agencyCap: BasisPoints? = nil, weights: [Int16: Int64] = [:],
        lastMonth: [PlanKey: Int64] = [:], shared: [TargetKey]? = nil
    ) {
        self.firstDay = firstDay
        self.demands = demands
        self.contracts = contracts
        self.targets = targets
        self.agencyCap = agencyCap
        self.weights = weights
        self.lastMonth = lastMonth
        self.shared = shared
    }

    /// The lowest class counts 1, each class above it one more.
    package static func standardWeights(_ classes: Set<Int16>) -> [Int16: Int64] {
        let falling = classes.sorted(by: >)
        return Dictionary(uniqueKeysWithValues: falling.enumerated().map { ($1, Int64($0) + 1) })
    }

    /// The weight of every class that is demanded.
    package var weightByClass: [Int16: Int64] {
        let classes = Set(demands.flatMap { $0.classes.map(\.priority) })
        var found = Self.standardWeights(classes)
        var above = Int64.max
        for priority in classes.sorted() {
            let below = weights.filter { $0.key > priority }.values.max() ?? 1
            let weight = weights[priority] ?? max(min(found[priority] ?? 1, above), below)
            found[priority] = weight
            above = weight
        }
        return found
    }
}

/// Whose share a target sets.
package struct TargetKey: Hashable, Sendable, Codable {
    package let delegation: Delegation
    package let strategy: Strategy

    package init(delegation: Delegation, strategy: Strategy) {
        self.delegation = delegation
        self.strategy = strategy
    }
}

/// A pool, or the part of it that lies in one band where the contracts may not all take every band (ASG-06, SUS-01).
package struct PlanCell: Hashable, Sendable, Comparable, Codable {
    package let pool: PoolKey
    /// The band's number; 0 where the pool is not divided.
    package let band: Int16

    package init(_ pool: PoolKey, band: Int16 = 0) {
        self.pool = pool
        self.band = band
    }

    package static func < (left: PlanCell, right: PlanCell) -> Bool {
        (left.pool, left.band) < (right.pool, right.band)
    }
}

package struct PlanKey: Hashable, Sendable, Comparable, Codable {
    package let cell: PlanCell
    package let contract: ContractID

    package init(cell: PlanCell, contract: ContractID) {
        self.cell = cell
        self.contract = contract
    }

    package static func < (left: PlanKey, right: PlanKey) -> Bool {
        (left.cell, left.contract) < (right.cell, right.contract)
    }
}

/// What waits in one cell. Accounts that may not be worked in this portfolio where they live are counted apart.
package struct PlanDemand: Hashable, Sendable, Codable {
    package struct PriorityClass: Hashable, Sendable, Codable {
        /// 1 goes first.
        package var priority: Int16
        package var accounts: Int64
        /// Centavos, each account counted as 0 or more.
        package var overdue: Int64
        package var balance: Int64

        package init(priority: Int16, accounts: Int64, overdue: Int64 = 0, balance: Int64 = 0) {
            self.priority = priority
            self.accounts = accounts
            self.overdue = overdue
            self.balance = balance
        }
    }
    package var cell: PlanCell
    package var classes: [PriorityClass]
    /// In a territory whose channel ban leaves this portfolio no way to work them (GEO-02); nobody can get these.
    package var banned: Int64

    package init(cell: PlanCell, classes: [PriorityClass], banned: Int64 = 0) {
        self.cell = cell
        self.classes = classes
        self.banned = banned
    }

    package var accounts: Int64 { classes.reduce(0) { $0 + $1.accounts } }

    /// Centavos of bond that the cell's mean account takes, rounded up; 0 where the cell is empty.
    package func meanExposure(_ exposure: Exposure) -> Int64 {
        let accounts = accounts
        guard accounts > 0 else { return 0 }
        let overdue = classes.reduce(0) { $0 + $1.overdue }
        let balance = classes.reduce(0) { $0 + $1.balance }
        let total = exposure.of(overdue: overdue, balance: balance)
        return total / accounts + (total % accounts > 0 ? 1 : 0)
    }
}
