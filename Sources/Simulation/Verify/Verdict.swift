// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What must hold of every history.
package enum Invariant: String, Sendable, CaseIterable {
    case oneHolder = "one-holder"
    case epochs
    case fencing
    case nothingLost = "nothing-lost"
    case countedOnce = "counted-once"
    case quotas
    case capacity
    case bond
    case deals
    case exclusions
    case endings
    case disclosures
    case expiry
    case terms
    case ledger
    case records
    case money
    case logs

    package var title: String {
        switch self {
        case .oneHolder: "no account has two live leases"
        case .epochs: "epochs rise and live once"
        case .fencing: "what carries an ended epoch does not count"
        case .nothingLost: "nothing acknowledged is lost"
        case .countedOnce: "nothing is counted twice"
        case .quotas: "no grant goes above its quota"
        case .capacity: "no grant goes above what the contract's advisers carry"
        case .bond: "no grant goes above its contract's bond, over all delegations"
        case .deals: "no hand is dealt more than its quota ever allowed, or drawn from by others"
        case .exclusions: "no excluded account is granted, none stopped is kept, nothing to an agency on hold"
        case .endings: "no account is given back but by its holder, nor taken back without a cause"
        case .disclosures: "nobody is told of a debtor but the holder"
        case .expiry: "no lease expires early, outages are credited"
        case .terms: "no term passes the end of its contract"
        case .ledger: "the ledger is whole and holds every receipt"
        case .records: "every row is what was recorded of it"
        case .money: "no peso without its facts"
        case .logs: "every installation that acted left its log, with each answer once"
        }
    }
}

/// One break of an invariant, with the shortest sub-history that shows it.
package struct Finding: Sendable {
    package let invariant: Invariant
    package let delegation: Delegation
    package let found: String
    /// Events in their order; each one is needed to see the break.
    package let events: [String]

    package init(_ invariant: Invariant, _ delegation: Delegation, _ found: String, events: [String]) {
        self.invariant = invariant
        self.delegation = delegation
        self.found = found
        self.events = events
    }
}

/// What was checked, how often, and what was broken.
package struct Verdict: Sendable {
    package private(set) var checked: [Invariant: Int] = [:]
    package private(set) var findings: [Finding] = []
    /// What is worth knowing and breaks nothing, such as blocks that wait for the sequencer.
    package private(set) var notes: [String] = []
    /// Rows with a key that no client's log tells of, by what they are.
    package private(set) var unlogged = 0

    package init() {}

    mutating func count(_ invariant: Invariant, _ number: Int = 1) { checked[invariant, default: 0] += number }
    mutating func add(_ finding: Finding) { findings.append(finding) }
    mutating func note(_ text: String) { notes.append(text) }
    mutating func countUnlogged(_ number: Int) { unlogged += number }

    package mutating func merge(_ other: Verdict) {
        checked.merge(other.checked, uniquingKeysWith: +)
        findings += other.findings
        notes += other.notes
        unlogged += other.unlogged
    }
}

/// What no delegation shows by itself: holders of accounts that moved, and bonds.
package struct CountryHistory: Sendable {
    private var holders: HolderHistory
    private var bonds = BondHistory()

    /// - Parameter moved: accounts that were dealt in more than one delegation.
    package init(moved: Set<AccountID> = []) { holders = HolderHistory(moved: moved) }

    mutating func add(_ history: History, leases: [Lease], order: LedgerOrder) {
        holders.add(history, leases: leases, order: order)
        bonds.add(history, leases: leases, order: order)
    }

    package func judge() -> Verdict {
        var verdict = holders.judge()
        verdict.merge(bonds.judge())
        return verdict
    }
}

/// Judges a history. Knows no database and no clock: the same history gets the same verdict.
package enum Judge {
    package static func judge(_ history: History) -> Verdict {
        var country = CountryHistory()
        return judge(history, adding: &country)
    }

    /// - Parameter country: gets what the history adds to what is judged over all delegations, by ``CountryHistory/judge()``.
    package static func judge(_ history: History, adding country: inout CountryHistory) -> Verdict {
        var verdict = Verdict()
        let leases = history.leases()
        let records = LedgerRecords(history)
        let order = LedgerOrder(history, records)
        country.add(history, leases: leases, order: order)
        LeaseChecks(history: history, leases: leases, order: order).run(&verdict)
        LimitChecks(history: history, leases: leases, order: order).run(&verdict)
        CapacityChecks(history: history, leases: leases, order: order).run(&verdict)
        HandChecks(history: history, records: records).run(&verdict)
        CauseChecks(history: history, leases: leases, records: records).run(&verdict)
        LateChecks(history: history, leases: leases, order: order).run(&verdict)
        TakenBackChecks(history: history, leases: leases).run(&verdict)
        RefusalChecks(history: history, leases: leases).run(&verdict)
        PromiseChecks(history: history, leases: leases).run(&verdict)
        LedgerChecks(history: history).run(&verdict)
        ReceiptChecks(history: history, records: records).run(&verdict)
        RecordChecks(history: history, leases: leases, records: records).run(&verdict)
        RecordedChecks(history: history, leases: leases, order: order, records: records).run(&verdict)
        MoneyChecks(history: history).run(&verdict)
        return verdict
    }
}
