// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// One way to falsify a plan, and what the checker finds then.
struct Tampering: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let change: @Sendable (inout AllocationPlan, inout PlanInput) -> Void
    let isFound: @Sendable (PlanCheck.Fault) -> Bool
}

struct PlanTamperTests {
    /// Two delegations, two contracts, the second with a scarce bond and the first with few advisers.
    private func example() throws -> (PlanInput, AllocationPlan) {
        var input = PlanInput.input(
            [.demand([20, 20], in: 1, overdue: 10_000), .demand([30, 30], in: 2, overdue: 30_000)],
            [.contract(1, advisers: 30, in: [1, 2]), .contract(2, advisers: 60, in: [1, 2]).bonded(500_000)])
        input.demands[0].banned = 4
        input.agencyCap = .points(8_000)
        let plan = try AllocationPlan(input)
        return (input, plan)
    }

    @Test func `the plan itself is accepted`() throws {
        let (input, plan) = try example()

        #expect(PlanCheck(plan, of: input).faults == [])
    }

    @Test(arguments: Tampering.all)
    func `a tampered plan is rejected`(tampering: Tampering) throws {
        var (input, plan) = try example()
        tampering.change(&plan, &input)

        let faults = PlanCheck(plan, of: input).faults
        #expect(faults.contains(where: tampering.isFound), "found: \(faults)")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `moving one account from one quota to another is always found`(seed: UInt64) throws {
        let input = PlanInstance.input(seed)
        var plan = try AllocationPlan(input)
        var random = SplitMix64(seed: seed)
        let givers = plan.quotas.indices.filter { plan.quotas[$0].accounts > 0 }
        let pairs = givers.flatMap { giver in
            plan.quotas.indices.filter { $0 != giver && plan.quotas[$0].key.cell == plan.quotas[giver].key.cell }
                .map { (giver, $0) }
        }
        let chosen = pairs.isEmpty ? nil : pairs[Int(random.below(UInt64(pairs.count)))]
        if let (giver, taker) = chosen {
            plan.quotas[giver].accounts -= 1
            plan.quotas[taker].accounts += 1
        }

        #expect(PlanCheck(plan, of: input).isAccepted == (chosen == nil))
    }
}

extension Tampering {
    private init(
        _ name: String, _ change: @escaping @Sendable (inout AllocationPlan, inout PlanInput) -> Void,
        _ isFound: @escaping @Sendable (PlanCheck.Fault) -> Bool
    ) {
        self.init(testDescription: name, change: change, isFound: isFound)
    }

    static let all: [Tampering] = quotas + limits + proofs

    private static let quotas: [Tampering] = [
        Tampering("a quota is missing", { plan, _ in plan.quotas.removeLast() }) { $0 == .quotaList },
        Tampering("a quota is listed twice", { plan, _ in plan.quotas.append(plan.quotas[0]) }) { $0 == .quotaList },
        Tampering("quotas are out of order", { plan, _ in plan.quotas.swapAt(0, 1) }) { $0 == .quotaList },
        Tampering(
            "the contract was put on hold since",
            { _, input in input.contracts[0].standing = .onHold(motive: "late") }
        ) { if case .takesNoPart = $0 { true } else { false } },
        Tampering("a quota below zero", { plan, _ in plan.quotas[0].accounts = -1 }) {
            if case .belowZero = $0 { true } else { false }
        },
        Tampering("more than waits", { plan, _ in plan.quotas[0].accounts += 500 }) {
            if case .moreThanWaits = $0 { true } else { false }
        },
        Tampering("another target", { plan, _ in plan.quotas[0].part -= 1 }) {
            if case .details = $0 { true } else { false }
        },
        Tampering("something held that is not", { plan, _ in plan.quotas[0].held = 3 }) {
            if case .details = $0 { true } else { false }
        },
        Tampering("another last month", { plan, _ in plan.quotas[0].lastMonth = 3 }) {
            if case .details = $0 { true } else { false }
        },
        Tampering("an arm that is none", { plan, _ in plan.quotas[0].arm = 2 }) {
            if case .details = $0 { true } else { false }
        },
        Tampering("accounts lost", { plan, _ in plan.unplaced[0].accounts -= 1 }) {
            if case .unplacedSum = $0 { true } else { false }
        },
        Tampering("what is left is not told", { plan, _ in plan.unplaced = [] }) {
            if case .unplacedSum = $0 { true } else { false }
        },
        Tampering("a wrong reason", { plan, _ in plan.unplaced[0].reason = .hold }) {
            if case .unplacedReason = $0 { true } else { false }
        },
    ]

    private static let limits: [Tampering] = [
        Tampering(
            "fewer advisers than the plan uses",
            { _, input in input.contracts[0].staffing[.at(1)] = .init(committed: 2) }
        ) { if case .limit(.station, _, _) = $0 { true } else { false } },
        Tampering(
            "a portfolio count below the plan's",
            { _, input in input.contracts[0].portfolios[.telephone] = .init(committed: 2) }
        ) { if case .limit(.portfolio, _, _) = $0 { true } else { false } },
        Tampering("a lower cap", { _, input in input.agencyCap = .points(100) }) {
            if case .limit(.agency, _, _) = $0 { true } else { false }
        },
        Tampering("a part of the bond is raised", { plan, _ in plan.quotas[1].bondAccountsMax = 1_000 }) {
            if case .bondPart = $0 { true } else { false }
        },
        Tampering("a quota above its part of the bond", { plan, _ in plan.quotas[1].bondAccountsMax = 0 }) {
            if case .bondPart = $0 { true } else { false }
        },
        Tampering("more exposure than bond", { plan, _ in plan.quotas[1].exposureMax = 900_000 }) {
            if case .bondPart = $0 { true } else { false }
        },
        Tampering("less exposure than the accounts take", { plan, _ in plan.quotas[1].exposureExpected -= 1 }) {
            if case .exposure = $0 { true } else { false }
        },
        Tampering("a bond limit is left out", { plan, _ in plan.quotas[1].exposureMax = nil }) {
            if case .exposure = $0 { true } else { false }
        },
        Tampering("a limit that does not bind", { plan, _ in plan.quotas[0].binding = .cap }) {
            if case .binding = $0 { true } else { false }
        },
    ]

    private static let proofs: [Tampering] = [
        Tampering("more weight than placed", { plan, _ in plan.weight += 1 }) {
            if case .weight = $0 { true } else { false }
        },
        Tampering("a lower bound than proved", { plan, _ in plan.bound -= 1 }) {
            if case .bound = $0 { true } else { false }
        },
        Tampering("a higher bound than proved", { plan, _ in plan.bound += 1 }) {
            if case .bound = $0 { true } else { false }
        },
        Tampering("prices left out", { plan, _ in plan.certificate.prices = [:] }) {
            if case .bound = $0 { true } else { false }
        },
        Tampering(
            "a price below zero", { plan, _ in plan.certificate.prices[.station(.number(1), .at(1))] = -1 }
        ) { if case .negativePrice = $0 { true } else { false } },
        Tampering(
            "a price of nothing that is scarce",
            { plan, _ in plan.certificate.prices[.portfolio(.number(1), .homeVisit)] = 1 }
        ) { if case .unknownPrice = $0 { true } else { false } },
        Tampering("no scale", { plan, _ in plan.certificate.scale = 0 }) {
            if case .bound = $0 { true } else { false }
        },
        Tampering(
            "fewer placed than could be",
            { plan, _ in
                plan.quotas[0].accounts -= 1
                plan.weight -= 1
                plan.unplaced[0].accounts += 1
            }
        ) { _ in true },
    ]
}
