// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a little more of the scarcest limits would place. Each answer is a plan of its own, so only a few are asked.
struct PlanScarcity {
    private static let asked = 5
    /// Centavos: a million pesos, where the next account alone places nothing, because something else is scarce too.
    private static let bondStep: Int64 = 100_000_000

    private let plan: AllocationPlan
    private let input: PlanInput

    init(_ plan: AllocationPlan, _ input: PlanInput) {
        self.plan = plan
        self.input = input
    }

    /// One more adviser each, and as much more bond each as the next account takes, for the limits with the highest prices.
    /// A single peso places no account; what it is worth at most is what the certificate proves.
    var lines: [PlanReport.Worth] {
        let ranked = plan.certificate.prices.filter { $0.value > 0 }
            .sorted { ($1.value, $0.key.words) < ($0.value, $1.key.words) }
        let staffed = ranked.filter { if case .bond = $0.key { false } else { true } }.prefix(Self.asked)
        let bonded = ranked.filter { if case .bond = $0.key { true } else { false } }.prefix(Self.asked)
        return (staffed + bonded).compactMap { worth($0.key) }
    }

    private func worth(_ limit: PlanLimit) -> PlanReport.Worth? {
        switch limit {
        case .station(let contract, let station):
            let worth = input.worth(ofAdvisers: 1, contract, in: station.portfolio, at: station.delegation)
            return Self.line(limit, "one adviser", worth)
        case .portfolio(let contract, let portfolio):
            return Self.line(limit, "one adviser", input.worth(ofAdvisers: 1, contract, in: portfolio))
        case .bond(let contract):
            let next = nextAccount(contract).map { ($0, input.worth(ofBond: $0, contract)) }
            if let (centavos, worth) = next, worth.weight > 0 {
                return Self.line(limit, "\(Cents(centavos)) of bond", worth, perPeso: perPeso(contract))
            }
            return Self.line(
                limit, "\(Cents(Self.bondStep)) of bond", input.worth(ofBond: Self.bondStep, contract),
                perPeso: perPeso(contract))
        case .agency: return nil
        }
    }

    /// Centavos that the bond lacks for one more account of the cheapest cell in which some wait.
    private func nextAccount(_ number: ContractID) -> Int64? {
        guard let contract = input.contracts.first(where: { $0.contract == number }), let room = contract.bondRoom
        else { return nil }
        let waiting = Set(plan.unplaced.filter { $0.reason != .ban }.map(\.cell))
        let means = input.demands.filter {
            waiting.contains($0.cell) && contract.absence(from: $0.cell, on: input.firstDay) == nil
        }.map { $0.meanExposure(contract.exposure) }.filter { $0 > 0 }
        let used = plan.quotas.filter { $0.key.contract == number }.reduce(0) { $0 + $1.exposureExpected }
        return means.min().map { max(1, $0 - max(0, room - used)) }
    }

    /// In weights, to the millionth.
    private func perPeso(_ contract: ContractID) -> String {
        // 10⁻¹² a centavo are 10⁻¹⁰ a peso; rounded up, as it is a bound.
        let millionths = (plan.bondPrice(contract) + 9_999) / 10_000
        let digits = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
    }

    static func line(
        _ limit: PlanLimit, _ more: String, _ worth: PlanWorth, perPeso: String? = nil
    ) -> PlanReport.Worth? {
        // What places nothing more is no advice.
        guard worth.accounts > 0 || worth.weight > 0 else { return nil }
        return PlanReport.Worth(
            limit: limit.words, more: more, accounts: worth.accounts, weight: worth.weight, perPeso: perPeso)
    }
}

extension PlanLimit {
    /// In words for people.
    var words: String {
        switch self {
        case .station(let contract, let station):
            "contract \(contract), \(station.portfolio.name) in delegation \(station.delegation)"
        case .portfolio(let contract, let portfolio): "contract \(contract), \(portfolio.name)"
        case .agency(let agency): "the cap of \(agency)"
        case .bond(let contract): "the bond of contract \(contract)"
        }
    }
}
