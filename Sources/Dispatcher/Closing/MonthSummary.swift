// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What the statements of a period add up to.
package struct MonthTally: Sendable {
    package struct Charge: Sendable {
        package var lines: Int64 = 0
        package var amount = Cents.zero
    }

    package private(set) var contracts = 0
    package private(set) var totals = StatementTotals()
    /// What rules charge, before anything is waived or cut.
    package private(set) var penalties: [PenaltyRule: Charge] = [:]
    package private(set) var services: [FeeService: Charge] = [:]
    /// Contingency fees by band of arrears.
    package private(set) var bands: [MoraBand: Charge] = [:]
    /// What limits and persons add to fees and penalties or take from them: negative where it lowers its total. With the three above it
    /// adds up to the totals.
    package private(set) var changes: [StatementLine.Kind: Charge] = [:]
    package private(set) var outcomes: Int64 = 0
    /// Outcomes that wait for their review, by delegation.
    package private(set) var unreviewed: [Delegation: Int64] = [:]
    /// Portfolios of a delegation with accounts and without a staffing report.
    package private(set) var unreportedStaffing = 0
    /// Commitments of improvement plans that are due by the month's end and that nobody judged, of contracts whose schedule has PEN-04.
    package private(set) var undecidedCommitments = 0
    /// Work plans of a contract in a delegation that have goals, none of which asks for anything, where the schedule judges them.
    package private(set) var idlePlans: [(contract: ContractID, delegation: Delegation)] = []
    /// Contracts whose penalties pass their invoice.
    package private(set) var overcharged: [ContractID] = []
    /// Contracts whose penalties pass their bond.
    package private(set) var beyondBond: [ContractID] = []
    /// Contracts whose budget is used up (AGY-15).
    package private(set) var spent: [ContractID] = []

    package init() {}

    package mutating func add(_ statement: Statement, _ month: ContractMonth, _ terms: PenaltyTerms) {
        contracts += 1
        totals = totals + statement.totals
        // Fees fall below nothing where more is given back than was earned: no penalty is the cause of that.
        if statement.totals.penalties > max(statement.totals.fees, .zero) { overcharged.append(statement.contract) }
        if let bond = month.bond, bond > .zero, statement.totals.penalties > bond {
            beyondBond.append(statement.contract)
        }
        if statement.isBudgetUsedUp { spent.append(statement.contract) }
        for line in statement.sections.flatMap(\.lines) { add(line) }
        for delegation in month.delegations {
            outcomes += delegation.indicators.outcomes
            if delegation.indicators.pendingOutcomes > 0 {
                unreviewed[delegation.delegation, default: 0] += delegation.indicators.pendingOutcomes
            }
            if terms.hasIdlePlan(delegation) { idlePlans.append((statement.contract, delegation.delegation)) }
            undecidedCommitments += terms.undecidedCommitments(of: delegation).count
            unreportedStaffing +=
                delegation.needs.filter { $0.staffing == nil && delegation.indicators.assigned($0.portfolio) > 0 }.count
        }
    }

    private mutating func add(_ line: StatementLine) {
        switch line.kind {
        case .penalty:
            if let rule = PenaltyRule(rawValue: line.rule) { penalties[rule, default: Charge()].add(1, line.amount) }
        case .fee:
            if let band = MoraBand(rawValue: line.rule) {
                bands[band, default: Charge()].add(1, line.amount)
            } else if let service = FeeService(name: line.subject), case .count(let count, _) = line.base {
                services[service, default: Charge()].add(count, line.amount)
            }
        case .feeCut, .penaltyCap, .waiver, .credit, .debit:
            changes[line.kind, default: Charge()].add(1, line.kind.part.isLowering ? -line.amount : line.amount)
        case .taxOnFees, .taxOnPenalties: break
        }
    }
}

extension MonthTally.Charge {
    fileprivate mutating func add(_ count: Int64, _ sum: Cents) {
        lines += count
        amount += sum
    }
}

extension StatementLine.Kind {
    /// Of what limits and persons change.
    var title: String {
        switch self {
        case .feeCut: "beyond a budget, or given back"
        case .penaltyCap: "beyond a limit, not charged"
        case .waiver: "waived"
        case .credit: "credits of earlier months and objections"
        case .debit: "debits of earlier months"
        case .fee, .penalty, .taxOnFees, .taxOnPenalties: rawValue
        }
    }

    var spanishTitle: String {
        switch self {
        case .feeCut: "fuera de presupuesto, o devuelto"
        case .penaltyCap: "sobre el tope, sin cobrar"
        case .waiver: "condonaciones"
        case .credit: "ajustes a favor de periodos anteriores y objeciones"
        case .debit: "ajustes a cargo de periodos anteriores"
        case .fee, .penalty, .taxOnFees, .taxOnPenalties: rawValue
        }
    }
}

/// The month on one page: `summary.json`, and what `close` prints.
package struct MonthSummary: Sendable {
    package let period: Period
    package let strategies: [ClosingStore.StrategyFigures]
    /// `nil` where the period was never segmented.
    package let cut: ClosingStore.Cut?
    /// Accounts that the segmentation excluded from collection.
    package let excluded: Int64
    /// Accounts that were placed within the month and found no contract with room.
    package let startedInVain: Int64
    package let unattributed: (payments: Int64, amount: Cents)
    package let tally: MonthTally
    /// Contested rejections without a second decision.
    package var openContests = 0
    /// What ended with versions of schedules that apply for the first time.
    package var endedRules: [StatementNote] = []
    /// Counted goals of a tactic that the month's policy has not, by contract and fact; with what is wrong with them.
    package var unknownTactics: [(fact: String, contract: Int32, tactic: String, fault: String)] = []
    /// Whether the automatic checks of outcomes ever ran.
    package var hasChecks = true

    static let format = "reparto-month-1"

    package var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "format": .string(Self.format),
            "period": .string(period.description),
            "contracts": .number(Int64(tally.contracts)),
            "excludedAccounts": .number(cut?.excluded ?? excluded),
            "startedAndNotDealt": .number(startedInVain),
            "strategies": .array(strategies.map(\.json)),
            "fees": .string(tally.totals.fees.description),
            "penalties": .string(tally.totals.penalties.description),
            "taxOnFees": .string(tally.totals.taxOnFees.description),
            "taxOnPenalties": .string(tally.totals.taxOnPenalties.description),
            "payable": .string(tally.totals.payable.description),
            "penaltiesByRule": .array(
                tally.penalties.sorted { $0.key.rawValue < $1.key.rawValue }.map { rule, charge in
                    .object([
                        "rule": .string(rule.rawValue), "title": .string(rule.title), "lines": .number(charge.lines),
                        "amount": .string(charge.amount.description), "percent": .string(mix.percent(rule) ?? ""),
                    ])
                }),
            "feesByService": .array(
                tally.services.sorted { $0.key < $1.key }.map { service, charge in
                    .object([
                        "service": .string(service.description), "accounts": .number(charge.lines),
                        "amount": .string(charge.amount.description),
                    ])
                }),
            "feesByBand": .array(
                tally.bands.sorted { $0.key < $1.key }.map { band, charge in
                    .object([
                        "band": .string(band.rawValue), "lines": .number(charge.lines),
                        "amount": .string(charge.amount.description),
                    ])
                }),
            "changes": .array(
                tally.changes.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, charge in
                    .object([
                        "kind": .string(kind.rawValue), "of": .string(kind.part.total.rawValue),
                        "lines": .number(charge.lines), "amount": .string(charge.amount.description),
                    ])
                }),
            "openContests": .number(Int64(openContests)),
            "unattributedPayments": .object([
                "payments": .number(unattributed.payments), "amount": .string(unattributed.amount.description),
            ]),
            "unreviewedOutcomes": .array(
                tally.unreviewed.sorted { $0.key < $1.key }.map { delegation, count in
                    .object(["delegation": .number(Int64(delegation.value)), "outcomes": .number(count)])
                }),
        ]
        if let cut {
            members["accounts"] = .number(cut.accounts)
            members["accountsPlaced"] = .number(cut.placed)
            members["accountsWithNothingToCollect"] = .number(cut.nothingToCollect)
        }
        return .object(members)
    }

    /// All strategies together.
    var total: (placed: Int64, dealt: Int64, leased: Int64, worked: Int64, outcomes: Int64, recovered: Cents) {
        func sum(_ figure: KeyPath<ClosingStore.StrategyFigures, Int64>) -> Int64 {
            strategies.reduce(0) { $0 + $1[keyPath: figure] }
        }
        return (
            sum(\.placed), sum(\.dealt), sum(\.leased), sum(\.worked), sum(\.outcomes),
            strategies.reduce(.zero) { $0 + $1.recovered }
        )
    }

    /// What was placed and not dealt, by why; `nil` where all was dealt. What the plan left over is what its preview calls
    /// unassigned, and the few that a bond trimmed when the hands were written.
    var gap: (all: Int64, started: Int64, leftOver: Int64)? {
        let all = total.placed - total.dealt
        guard all > 0 else { return nil }
        let started = min(startedInVain, all)
        return (all, started, all - started)
    }

    /// How the penalties divide over their rules (PEN-33).
    var mix: PenaltyMix { PenaltyMix(tally.penalties.mapValues(\.amount)) }
}

extension ClosingStore.StrategyFigures {
    fileprivate var json: CanonicalJSON {
        .object([
            "strategy": .string(strategy.name), "placed": .number(placed), "dealt": .number(dealt),
            "leased": .number(leased), "worked": .number(worked), "outcomes": .number(outcomes),
            "recovered": .string(recovered.description),
        ])
    }
}
