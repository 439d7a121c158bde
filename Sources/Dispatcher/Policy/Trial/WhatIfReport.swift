// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A policy tried on a period, for people and programs. Amounts are pesos; `now` is the policy in force, absent where
/// the period was never segmented.
package struct WhatIfReport: Encodable, Sendable {
    package struct Choice: Encodable, Sendable {
        package let policy: String
        package let version: String
        package let digest: String
        package let sessions: SegmentationReport.Sessions
        package let placed: Int64
        /// Placed accounts that a plan would not deal: held by agencies, or stopped.
        package let undealable: Int64
    }
    package struct Row: Encodable, Sendable {
        package let rule: String
        package let accounts: Int64
        package let accountsNow: Int64?
        package let overdue: Pesos
        package let overdueNow: Pesos?
        package let balance: Pesos
        package let balanceNow: Pesos?
        /// Those with money overdue; of `none` they are what no strategy takes, and the others owe nothing.
        package let late: Int64
        package let lateNow: Int64?
    }
    package struct Recovery: Encodable, Sendable {
        package let of: String
        /// The published figure's rule, and the figure in words.
        package let origin: String
        package let rate: String
        /// What the figure is applied to, in words and as pesos or accounts.
        package let appliedTo: String
        package let base: Quantity
        package let expected: Quantity?
        package let expectedNow: Quantity?
    }
    /// A number of accounts, or text with an amount of pesos.
    package enum Quantity: Encodable, Sendable, Hashable {
        case accounts(Int64)
        case pesos(Pesos)

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .accounts(let count): try container.encode(count)
            case .pesos(let amount): try container.encode(amount)
            }
        }
    }
    package struct Advisers: Encodable, Sendable {
        package let delegation: Int16?
        package let portfolio: String
        package let accounts: Int64
        /// Absent where no contract says how many accounts an adviser carries.
        package let needed: Int64?
        package let neededNow: Int64?
        package let committed: Int64
    }
    package struct Unplaced: Encodable, Sendable {
        package let strategy: String
        package let reason: String
        package let accounts: Int64
        package let accountsNow: Int64?
    }

    /// One delegation's part of the figures.
    package struct DelegationFigures: Encodable, Sendable {
        package let delegation: Int16
        package let delegationName: String
        package let accounts: Int64
        package let rows: [Row]
        package let advisers: [Advisers]
        package let unplaced: [Unplaced]
    }

    package let period: String
    package let accounts: Int64
    package let tried: Choice
    package let inForce: Choice?
    package let isSamePolicy: Bool
    package let rows: [Row]
    /// How long accounts are held, where the policy in force differs for a strategy that both have.
    package let terms: [TermChange]
    /// National averages of 2023, not forecasts. By strategy and by tactic are two views of the same accounts, and are
    /// not to be added.
    package let recovery: [Recovery]
    /// Why strategies are not among them.
    package let recoveryLeftOut: [String]
    package let advisers: [Advisers]
    /// By delegation and portfolio.
    package let stations: [Advisers]
    package let unplaced: [Unplaced]
    /// Absent unless asked for.
    package let delegations: [DelegationFigures]?
    /// Where the placements on record differ from what the policy in force would come to; absent where there are none.
    package let onRecord: RecordDrift?
    package let notes: [String]
    /// For people alone: the same question gives the same bytes.
    let took: Duration

    private enum CodingKeys: String, CodingKey {
        case period, accounts, tried, inForce, isSamePolicy, rows, terms, recovery, recoveryLeftOut, advisers,
            stations, unplaced
        case delegations, onRecord, notes
    }

    /// - Parameter byDelegation: whether the figures of each delegation are wanted too.
    init(_ draft: PolicyWhatIf.Draft, period: Period, byDelegation: Bool, took: Duration) {
        let choices = zip(draft.choices, draft.sides).map { choice, side in
            Choice(
                policy: choice.policy.name, version: choice.policy.version, digest: LedgerTree.hex(choice.file.digest),
                sessions: .init(
                    capacity: side.sessions.capacity, candidates: side.sessions.candidates,
                    invited: side.sessions.invited), placed: side.placed.accounts, undealable: side.undealable)
        }
        self.period = period.description
        self.accounts = draft.accounts
        self.tried = choices[0]
        self.inForce = choices.count > 1 ? choices[1] : nil
        self.isSamePolicy =
            choices.count > 1 && choices[0].digest == choices[1].digest && choices[0].version == choices[1].version
        self.rows = Self.rows(draft, draft.sides.map(\.kinds))
        self.terms =
            draft.choices.count > 1
            ? TermChange.all(from: draft.choices[1].policy, to: draft.choices[0].policy) { strategy in
                draft.sides[0].strategies[strategy]?.accounts ?? 0
            } : []
        let recovery = WhatIfRecovery(draft)
        self.recovery = recovery.all
        self.recoveryLeftOut = recovery.leftOut
        self.stations = Self.stations(draft)
        self.advisers = Self.advisers(stations)
        self.unplaced = Self.unplaced(draft)
        self.delegations = byDelegation ? Self.delegations(draft, stations) : nil
        self.onRecord = draft.drift
        self.notes = draft.notes
        self.took = took
    }

    /// Delegations without an account in the cut are left out.
    private static func delegations(_ draft: PolicyWhatIf.Draft, _ stations: [Advisers]) -> [DelegationFigures] {
        Delegation.all.compactMap { delegation in
            let kinds = draft.sides.map { $0.kinds(of: delegation) }
            let accounts = kinds[0].values.reduce(0) { $0 + $1.accounts }
            guard accounts > 0 else { return nil }
            return DelegationFigures(
                delegation: delegation.value, delegationName: delegation.name, accounts: accounts,
                rows: rows(draft, kinds), advisers: stations.filter { $0.delegation == delegation.value },
                unplaced: unplaced(draft, only: delegation))
        }
    }

    /// - Parameter sides: what each policy says, the tried one first.
    private static func rows(_ draft: PolicyWhatIf.Draft, _ sides: [[Verdict.Kind: VerdictTotals]]) -> [Row] {
        let (tried, now) = (sides[0], sides.count > 1 ? sides[1] : nil)
        let kinds = Set(tried.keys).union((now ?? [:]).keys)
            .sorted { left, right in
                let orders = [left, right].map { kind in draft.tables.flatMap { $0.order(kind) } }
                return orders[0].lexicographicallyPrecedes(orders[1])
                    || (orders[0] == orders[1] && left.rule < right.rule)
            }
        return kinds.map { kind in
            let totals = tried[kind] ?? VerdictTotals()
            let before = now.map { $0[kind] ?? VerdictTotals() }
            return Row(
                rule: kind.rule, accounts: totals.accounts, accountsNow: before?.accounts,
                overdue: Pesos(totals.overdue), overdueNow: before.map { Pesos($0.overdue) },
                balance: Pesos(totals.balance), balanceNow: before.map { Pesos($0.balance) }, late: totals.late,
                lateNow: before?.late)
        }
    }

    private static func stations(_ draft: PolicyWhatIf.Draft) -> [Advisers] {
        let tried = draft.sides[0].stations
        let now = draft.sides.count > 1 ? draft.sides[1].stations : nil
        let all = tried.merging(now ?? [:]) { here, _ in here }
        return draft.advisers.stations(all).map { station in
            Advisers(
                delegation: station.delegation.value, portfolio: station.portfolio.name, accounts: tried[station] ?? 0,
                needed: draft.advisers.needed(station, accounts: tried[station] ?? 0),
                neededNow: now.flatMap { draft.advisers.needed(station, accounts: $0[station] ?? 0) },
                committed: draft.advisers.committed(station))
        }
    }

    private static func advisers(_ stations: [Advisers]) -> [Advisers] {
        Portfolio.allCases.compactMap { portfolio in
            let mine = stations.filter { $0.portfolio == portfolio.name }
            guard !mine.isEmpty else { return nil }
            return Advisers(
                delegation: nil, portfolio: portfolio.name, accounts: mine.reduce(0) { $0 + $1.accounts },
                needed: sum(mine.map(\.needed)), neededNow: sum(mine.map(\.neededNow)),
                committed: mine.reduce(0) { $0 + $1.committed })
        }
    }

    /// Nothing where one of them is not known.
    private static func sum(_ values: [Int64?]) -> Int64? {
        values.contains(nil) ? nil : values.reduce(0) { $0 + ($1 ?? 0) }
    }

    private static func unplaced(_ draft: PolicyWhatIf.Draft, only delegation: Delegation? = nil) -> [Unplaced] {
        struct Key: Hashable {
            let strategy: Strategy
            let reason: String
        }
        let counts = draft.plans.map { plan in
            plan.unplaced.reduce(into: [Key: Int64]()) { counts, left in
                guard delegation.map({ $0 == left.cell.pool.delegation }) ?? true else { return }
                counts[Key(strategy: left.cell.pool.strategy, reason: left.reason.rawValue), default: 0] +=
                    left.accounts
            }
        }
        return Set(counts.flatMap(\.keys))
            .sorted { ($1.strategy, $0.reason) < ($0.strategy, $1.reason) }
            .map { key in
                Unplaced(
                    strategy: key.strategy.name, reason: key.reason, accounts: counts[0][key] ?? 0,
                    accountsNow: counts.count > 1 ? counts[1][key] ?? 0 : nil)
            }
    }
}
