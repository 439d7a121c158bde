// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Who could take a period's accounts, and how many on top of what they hold: the side of a plan that does not depend on
/// the placements. Locks nothing and writes nothing.
struct PlanSupply {
    let firstDay: LocalDate
    let contracts: [ContractID: ContractRow]
    /// Those that take part.
    let taking: [ContractRow]
    /// The same as a plan sees them, by contract.
    let planned: [PlanContract]
    /// Of the contracts that take part.
    let capacities: [CapacityRow]
    let holdings: [HoldingRow]
    let lastMonth: [PlanKey: Int64]
    let settings: PlanSettingsFile
    let targets: [TargetKey: ShareTarget]
    /// What does not depend on the placements: who is left out, and where staffing is not known.
    let warnings: [String]

    /// The last day of the period whose staffing facts still count as staffing at its start.
    static func staffingDay(_ period: Period) -> LocalDate { period.firstDay.advanced(byDays: 6) }

    /// - Parameter settings: tried in the place of those in force.
    static func read(_ store: PlanningStore, settings trial: PlanSettingsFile? = nil) throws -> PlanSupply {
        let settings = try trial ?? PlanSettingsBook(store.link).inForce(store.period)
        let holdings = try store.holdings()
        let contracts = try store.contracts()
        let firstDay = store.period.firstDay
        var warnings: [String] = []
        var leftOut: [(agency: AgencyID, motive: String, contracts: [ContractID])] = []
        let taking = contracts.filter { contract in
            guard let motive = absence(contract, on: firstDay) else { return true }
            if let place = leftOut.firstIndex(where: { $0.agency == contract.agency && $0.motive == motive }) {
                leftOut[place].contracts.append(contract.contract)
            } else {
                leftOut.append((contract.agency, motive, [contract.contract]))
            }
            return false
        }
        warnings += leftOut.map(Self.leftOut)
        let capacities = try store.capacities(staffedBy: staffingDay(store.period))
        let active = Set(taking.map(\.contract))
        for contract in taking { warnings += unstaffed(contract, capacities) }
        warnings += unknown(settings.settings, contracts)
        var rules = settings.settings
        rules.bans += try store.visitBans()
        let planner = PlannedContracts(rules, capacities: capacities, holdings: holdings)
        let planned = contracts.map(planner.contract)
        let lastMonth = try store.lastMonth()
        let scores = try PlanSettingsStore(store.link).scores(before: store.period)
        let (targets, findings) = TargetSource(settings.settings, scores: scores)
            .targets(of: PlanInput(firstDay: firstDay, demands: [], contracts: planned, lastMonth: lastMonth))
        return PlanSupply(
            firstDay: firstDay, contracts: Dictionary(uniqueKeysWithValues: contracts.map { ($0.contract, $0) }),
            taking: taking, planned: planned, capacities: capacities.filter { active.contains($0.contract) },
            holdings: holdings,
            lastMonth: lastMonth, settings: settings, targets: targets,
            warnings: warnings + PlanWords.lines(findings))
    }

    /// The contracts that take part in a period's plan.
    static func taking(_ store: PlanningStore) throws -> [ContractRow] {
        try store.contracts().filter { absence($0, on: store.period.firstDay) == nil }
    }

    /// What the plan of a set of placements is made from.
    func input(_ demands: [PlanDemand]) -> PlanInput {
        let shared = settings.settings.sharedKeys
        return PlanInput(
            firstDay: firstDay, demands: demands, contracts: planned, targets: targets,
            agencyCap: settings.settings.agencyCap, weights: settings.settings.weights, lastMonth: lastMonth,
            shared: shared.isEmpty ? nil : shared)
    }

    /// Why a contract takes no part; `nil` where it does. It must be in force when the period starts, because from then
    /// on its hands can be pulled.
    private static func absence(_ contract: ContractRow, on firstDay: LocalDate) -> String? {
        if contract.startsOn > firstDay { return "it starts on \(contract.startsOn)" }
        if contract.endsOn < firstDay { return "it ended on \(contract.endsOn)" }
        let motive = contract.motive.isEmpty ? "" : " (\(contract.motive))"
        switch contract.agencyStatus {
        case "active": return nil
        case "hold": return "the agency is on hold\(motive)"
        default: return "the agency is \(contract.agencyStatus)\(motive)"
        }
    }

    /// Whom the settings name and nobody is. Rules of some delegations are told of by delegation.
    private static func unknown(_ settings: PlanSettings, _ contracts: [ContractRow]) -> [String] {
        let named = settings.shares.filter { $0.delegations == nil }.reduce(into: Set<ContractID>()) {
            $0.formUnion($1.share.named)
        }
        return named.subtracting(contracts.map(\.contract)).sorted().map {
            "the settings give a share to contract \($0), and there is no such contract"
        }
            + settings.searchAgencies.subtracting(contracts.map(\.agency)).sorted().map {
                "the settings name \($0) to search, and it has no contract"
            }
    }

    /// An agency on hold has many contracts, and one reason.
    private static func leftOut(_ out: (agency: AgencyID, motive: String, contracts: [ContractID])) -> String {
        let names = Words.list(out.contracts.map(\.description), shown: 5)
        return out.contracts.count == 1
            ? "contract \(names) of \(out.agency) is left out: \(out.motive)"
            : "contracts \(names) of \(out.agency) are left out: \(out.motive)"
    }

    private static func unstaffed(_ contract: ContractRow, _ capacities: [CapacityRow]) -> [String] {
        guard contract.capacityBasis == .present else { return [] }
        let unknown = capacities.filter { $0.contract == contract.contract && $0.committed > 0 && $0.present == nil }
        guard !unknown.isEmpty else { return [] }
        let places = Set(unknown.map(\.station.delegation)).sorted().map(\.description).joined(separator: ", ")
        return [
            "contract \(contract.contract) goes by present advisers and has no staffing fact for delegation "
                + "\(places): the committed ones are taken"
        ]
    }
}
