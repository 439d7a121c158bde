// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// Times the planner and its checker by themselves, on made instances of the size that the issue of plans is about: 32 delegations,
/// 4 strategies, 2 portfolios, 88 contracts.
struct SolverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solver", abstract: "Times the planner on made instances, in milliseconds, as JSON.")
    @Option(help: "Instances of each shape.")
    var instances: UInt64 = 5

    private struct Line: Encodable {
        let shape: String
        let planMilliseconds: [Int64]
        let checkMilliseconds: [Int64]
        let quotas: Int
        let gap: Int64
    }

    func run() throws {
        var lines: [Line] = []
        for shape in PlanShape.all {
            var (plans, checks): ([Int64], [Int64]) = ([], [])
            var (quotas, gap): (Int, Int64) = (0, 0)
            for seed in 0..<instances {
                let input = shape.input(seed)
                let clock = ContinuousClock()
                let start = clock.now
                let plan = try AllocationPlan(input)
                let middle = clock.now
                let check = PlanCheck(plan, of: input)
                plans.append((middle - start).milliseconds)
                checks.append((clock.now - middle).milliseconds)
                guard check.isAccepted else {
                    throw CommandFailure(
                        .findings, "\(shape.name), seed \(seed): \(check.faults)", remedy: "The planner has a fault")
                }
                quotas = max(quotas, plan.quotas.count)
                gap = max(gap, plan.gap)
            }
            lines.append(
                Line(
                    shape: shape.name, planMilliseconds: plans, checkMilliseconds: checks, quotas: quotas, gap: gap))
        }
        Console.out(try JSONText.of(lines))
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// One kind of instance; the seed is the rest of the recipe.
private struct PlanShape {
    let name: String
    /// In how many delegations a contract works.
    let delegations: ClosedRange<UInt64>
    /// How much of what its targets need a contract's bond covers, in percent; `nil`: bonds limit nothing.
    let bondPercent: UInt64?

    static let all = [
        PlanShape(name: "1-3 delegations, no bonds", delegations: 1...3, bondPercent: nil),
        PlanShape(name: "1-3 delegations, scarce bonds", delegations: 1...3, bondPercent: 70),
        PlanShape(name: "everywhere, no bonds", delegations: 32...32, bondPercent: nil),
    ]
    private static let contracts: Int32 = 88

    func input(_ seed: UInt64) -> PlanInput {
        var random = SplitMix64(seed: seed, parts: [delegations.upperBound, bondPercent ?? 0])
        var demands: [PlanDemand] = []
        for delegation in Delegation.all {
            for strategy in Strategy.allCases {
                for portfolio in Portfolio.allCases {
                    let classes = (1...4 as ClosedRange<Int16>).map { priority in
                        let accounts = Int64(random.below(2_000))
                        let mean = Int64(random.below(2_000_000)) + 100_000
                        return PlanDemand.PriorityClass(
                            priority: priority, accounts: accounts, overdue: accounts * mean,
                            balance: accounts * mean * 12)
                    }
                    let pool = PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio)
                    demands.append(PlanDemand(cell: PlanCell(pool), classes: classes))
                }
            }
        }
        let waiting = demands.reduce(0) { $0 + $1.accounts }
        let owed = demands.reduce(0) { $0 + $1.classes.reduce(0) { $0 + $1.overdue } }
        let day = LocalDate(daysSince1970: 19_783)
        let contracts = (1...Self.contracts).compactMap { number -> PlanContract? in
            guard let id = ContractID(number), let agency = AgencyID((number - 1) % 29 + 1) else { return nil }
            let count = Int(delegations.lowerBound + random.below(UInt64(delegations.count)))
            let first = Int(number) * 32 / Int(Self.contracts)
            let places = (0..<count).map { Delegation.all[(first + $0) % 32] }
            let stations = places.flatMap { place in
                Portfolio.allCases.map { Station(delegation: place, portfolio: $0) }
            }
            var contract = PlanContract(
                contract: id, agency: agency, firstDay: day, lastDay: day.advanced(byDays: 365),
                strategies: Strategy.allCases, stations: Set(stations))
            let share = waiting / Int64(Self.contracts) / Int64(stations.count)
            for station in stations {
                contract.staffing[station] = PlanContract.Staffing(
                    committed: max(1, share * Int64(random.below(160) + 40) / 100 / 100), accountsPerAdviser: 100)
            }
            if let bondPercent {
                contract.exposure = Exposure(basis: .overdue, factorBasisPoints: 10_000)
                contract.bond = owed / Int64(Self.contracts) * Int64(bondPercent + random.below(40)) / 120
            }
            return contract
        }
        return PlanInput(firstDay: day, demands: demands, contracts: contracts)
    }
}
