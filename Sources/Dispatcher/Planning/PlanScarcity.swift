// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a little more of the scarcest limits would place. Each answer is a plan of its own, so only a few are asked.
struct PlanScarcity {
    private static let asked = 5
    /// Centavos: a million pesos. One peso more places nothing that anybody would see.
    private static let bondStep: Int64 = 100_000_000

    private let plan: AllocationPlan
    private let input: PlanInput

    init(_ plan: AllocationPlan, _ input: PlanInput) {
        self.plan = plan
        self.input = input
    }

    /// One more adviser each, and a million pesos of bond more each, for the limits with the highest prices.
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
            return line(limit, "one adviser", worth)
        case .portfolio(let contract, let portfolio):
            return line(limit, "one adviser", input.worth(ofAdvisers: 1, contract, in: portfolio))
        case .bond(let contract):
            return line(limit, "1,000,000.00 of bond", input.worth(ofBond: Self.bondStep, contract))
        case .agency: return nil
        }
    }

    private func line(_ limit: PlanLimit, _ more: String, _ worth: PlanWorth) -> PlanReport.Worth? {
        PlanReport.Worth(limit: limit.words, more: more, accounts: worth.accounts, weight: worth.weight)
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
