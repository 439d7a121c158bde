// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Why an agency has the quotas that it has in a delegation: by the plan that is applied, else by the one that would be made
/// now.
package struct PlanExplain {
    package struct Quota: Encodable, Sendable {
        package let contract: Int32
        package let strategy: String
        package let portfolio: String
        package let accounts: Int64
        package let held: Int64
        package let target: Int64
        package let targetShare: String
        package let lastMonth: Int64
        package let binding: String
        package let why: String
        /// Others of the pool with their quotas, held ones included.
        package let others: [String]
        /// What it may hold at most, where it pulls from a shared hand, first come first served.
        package let limit: Int64?
        /// Why it got the accounts that were dealt.
        package let dealt: [PlanReport.Left]
    }
    package struct Away: Encodable, Sendable {
        package let contract: Int32
        package let strategy: String
        package let portfolio: String
        package let reason: String
        /// The same in words.
        package let why: String
    }
    package struct Report: Encodable, Sendable {
        package let agency: String
        package let delegation: Int16
        /// The plan's number; absent where nothing is applied yet.
        package let plan: Int64?
        package let quotas: [Quota]
        /// Pools of its contracts there that it takes no part in.
        package let away: [Away]
        /// Its contracts that do not work in the delegation.
        package let elsewhere: [Int32]
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// - Throws: ``CommandFailure`` (usage) where the agency has no contract, or the period cannot be planned.
    package func run(_ agency: AgencyID, _ delegation: Delegation) throws -> Report {
        let store = PlanProofStore(link)
        let row = try store.plan(of: period)
        let proof: PlanProof
        if let row, !row.body.isEmpty {
            proof = try PlanProof(text: row.body)
        } else {
            proof = try link.transaction {
                try PlanDraft.make(link, period: period, seed: Int64(period.number)).proof
            }
        }
        let contracts = proof.input.contracts.filter { $0.agency == agency }
        guard !contracts.isEmpty else {
            throw CommandFailure(.usage, "\(agency) has no contract", remedy: "Name an agency of the period")
        }
        let reasons = try row.map { try store.reasons($0.plan, delegation) } ?? []
        let here = proof.plan.quotas.filter { $0.key.cell.pool.delegation == delegation }
        let mine = Set(contracts.map(\.contract))
        let elsewhere = contracts.filter { !$0.stations.contains { $0.delegation == delegation } }
        let working = contracts.filter { $0.stations.contains { $0.delegation == delegation } }
        return Report(
            agency: agency.description, delegation: delegation.value, plan: row?.plan,
            quotas: here.filter { mine.contains($0.key.contract) }.map { quota in
                self.quota(quota, here, proof.plan, proof.input, reasons)
            },
            away: working.flatMap { away($0, delegation, proof.input) },
            elsewhere: elsewhere.map(\.contract.value).sorted())
    }

    private func quota(
        _ quota: AllocationPlan.Quota, _ here: [AllocationPlan.Quota], _ plan: AllocationPlan, _ input: PlanInput,
        _ reasons: [(contract: ContractID, pool: PoolKey, reason: DealResult.Reason, accounts: Int64)]
    ) -> Quota {
        let pool = quota.key.cell.pool
        let room = SharedRoom(input, planned: plan.byPool, bonds: plan.bondsByPool)
            .extra[PlanKey(cell: PlanCell(pool), contract: quota.key.contract)]
        let others = here.filter { $0.key.cell == quota.key.cell && $0.key.contract != quota.key.contract }
        return Quota(
            contract: quota.key.contract.value, strategy: pool.strategy.name, portfolio: pool.portfolio.name,
            accounts: quota.accounts, held: quota.held, target: quota.target,
            targetShare: PlanWords.percent(quota.part), lastMonth: quota.lastMonth, binding: quota.binding.rawValue,
            why: why(quota, input),
            others: others.map { "contract \($0.key.contract): \($0.accounts + $0.held)" },
            limit: room.map { $0 + quota.accounts + quota.held },
            dealt: reasons.filter { $0.contract == quota.key.contract && $0.pool == pool }
                .map { PlanReport.Left(reason: $0.reason.name, accounts: $0.accounts) })
    }

    private func why(_ quota: AllocationPlan.Quota, _ input: PlanInput) -> String {
        guard let contract = input.contracts.first(where: { $0.contract == quota.key.contract }) else { return "" }
        let station = quota.key.cell.pool.station
        switch quota.binding {
        case .share: return "it has its target, or nearer would take another farther away from its own"
        case .demand: return "nothing more waits there"
        case .cap: return "its agency has its part of everything, \(input.agencyCap.map { "\($0) %" } ?? "")"
        case .bond:
            let exposure = Cents(quota.exposureMax ?? 0)
            return "its part of the bond, \(exposure), covers \(quota.bondAccountsMax ?? 0) accounts of the pool's mean"
        case .capacity:
            guard let staffing = contract.staffing[station] else { return "its advisers of all delegations are in use" }
            return "its \(staffing.advisers(contract.basis)) \(station.portfolio.name) advisers carry "
                + "\(staffing.limit(contract.basis)) accounts over all strategies, held ones included"
        }
    }

    private func away(_ contract: PlanContract, _ delegation: Delegation, _ input: PlanInput) -> [Away] {
        input.demands.map(\.cell).filter { $0.pool.delegation == delegation }.sorted().compactMap { cell in
            contract.absence(from: cell, on: input.firstDay).map {
                Away(
                    contract: contract.contract.value, strategy: cell.pool.strategy.name,
                    portfolio: cell.pool.portfolio.name, reason: $0.rawValue,
                    why: why($0, contract, cell, on: input.firstDay))
            }
        }
    }

    private func why(
        _ absence: PlanContract.Absence, _ contract: PlanContract, _ cell: PlanCell, on day: LocalDate
    ) -> String {
        let pool = cell.pool
        switch absence {
        case .noContract where !contract.strategies.contains(pool.strategy):
            return "the contract is not for \(pool.strategy.name)"
        case .noContract where day < contract.firstDay || contract.lastDay < day:
            return "the contract is in force from \(contract.firstDay) to \(contract.lastDay)"
        case .noContract: return "it has no \(pool.portfolio.name) advisers there"
        case .hold: return "the agency is on hold"
        case .terminated: return "the agency is terminated"
        case .suspended: return "the agency is suspended from it, or had these accounts last"
        case .ban: return "it may not work these accounts by \(pool.portfolio.name)"
        }
    }
}

extension PlanExplain.Report {
    package var lines: [String] {
        let from = plan.map { "by plan \($0)" } ?? "as it would be planned now"
        var lines = ["\(agency) in delegation \(delegation), \(from)"]
        for quota in quotas {
            let held = quota.held > 0 ? ", and \(quota.held) held" : ""
            lines.append(
                "contract \(quota.contract), \(quota.strategy), \(quota.portfolio): \(quota.accounts) to deal\(held)")
            lines.append("  target \(quota.targetShare), \(quota.target) accounts; last month \(quota.lastMonth)")
            lines.append("  limit \(quota.binding): \(quota.why)")
            if let limit = quota.limit {
                lines.append(
                    "  shared: pulls are first come first served, and it may hold up to \(limit) by its advisers and bond"
                )
            }
            if !quota.others.isEmpty { lines.append("  others: \(quota.others.joined(separator: ", "))") }
            if !quota.dealt.isEmpty {
                let words = quota.dealt.map { "\($0.reason) \($0.accounts)" }.joined(separator: ", ")
                lines.append("  dealt by the plan: \(words)")
            }
        }
        lines += away.map {
            "contract \($0.contract), \($0.strategy), \($0.portfolio): takes no part, \($0.why)"
        }
        if !elsewhere.isEmpty {
            let contracts = elsewhere.map(\.description).joined(separator: ", ")
            lines.append("not in delegation \(delegation): contract\(elsewhere.count == 1 ? "" : "s") \(contracts)")
        }
        if quotas.isEmpty && away.isEmpty && elsewhere.isEmpty { lines.append("nothing waits there") }
        return lines
    }
}
