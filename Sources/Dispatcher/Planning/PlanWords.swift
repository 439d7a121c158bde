// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What the planner finds, in words for people.
struct PlanWords {
    private let contracts: [ContractID: ContractRow]

    init(_ contracts: [ContractID: ContractRow]) { self.contracts = contracts }

    /// In the planner's order; those about dates are left to ``PlanSupply``, which says since when.
    func warnings(_ input: PlanInput) -> [String] { input.warnings.compactMap(words) }

    /// Where bonds decide most of a plan, its shares are not those that anybody chose.
    static func warnings(_ plan: AllocationPlan) -> [String] {
        let bound = plan.quotas.count { $0.binding == .bond }
        let bonds = bound * 2 > plan.quotas.count ? ["the bond binds \(bound) of \(plan.quotas.count) quotas"] : []
        return bonds + shortArms(plan)
    }

    /// Arms that get a twentieth of a delegation's pools less than their part: what is compared there is fewer accounts than was
    /// asked for.
    private static func shortArms(_ plan: AllocationPlan) -> [String] {
        struct ArmPlace: Hashable {
            let target: TargetKey
            let arm: Int16
        }
        var pools: [TargetKey: (asked: Int64, got: Int64)] = [:]
        var arms: [ArmPlace: [AllocationPlan.Quota]] = [:]
        for quota in plan.quotas where quota.arm > 0 {
            let key = TargetKey(delegation: quota.key.cell.pool.delegation, strategy: quota.key.cell.pool.strategy)
            let sums = pools[key] ?? (0, 0)
            pools[key] = (sums.asked + quota.target, sums.got + quota.accounts + quota.held)
            arms[ArmPlace(target: key, arm: quota.arm), default: []].append(quota)
        }
        let places = arms.keys.sorted {
            ($0.target.strategy, $0.target.delegation, $0.arm) < ($1.target.strategy, $1.target.delegation, $1.arm)
        }
        return places.compactMap { place in
            guard let quotas = arms[place], let (asked, dealt) = pools[place.target], asked > 0, dealt > 0 else {
                return nil
            }
            let target = quotas.reduce(0) { $0 + $1.target }
            let got = quotas.reduce(0) { $0 + $1.accounts + $1.held }
            // Of each quota an account may be rounded away.
            guard target - got > Int64(quotas.count), (target - got) * 20 >= asked else { return nil }
            let short = quotas.filter { $0.accounts + $0.held < $0.target && $0.binding != .share }
            let limits = Set(short.map(\.binding.rawValue)).sorted()
            return
                "arm \(place.arm) of \(place.target.strategy.name) gets \(percent(got * ShareTarget.whole / dealt)) and not "
                + "\(percent(target * ShareTarget.whole / asked)) in delegation \(place.target.delegation), by "
                + limits.joined(separator: " and ")
        }
    }

    private func words(_ warning: PlanWarning) -> String? {
        switch warning {
        case .outsideDates: return nil
        case .noAdvisers(let contract, let station, let part):
            return "\(name(contract)) has a target of \(Self.percent(part)) in delegation \(station.delegation) and no "
                + "\(station.portfolio.name) adviser there"
        case .noContract(let cell, let accounts):
            return "no contract takes \(cell.pool.strategy.name), \(cell.pool.portfolio.name), in delegation "
                + "\(cell.pool.delegation): \(Words.counted(accounts, "account")) \(accounts == 1 ? "stays" : "stay") unassigned"
        case .bondBelowAccount(let contract, let bond, let cheapest):
            return "the bond of \(name(contract)) has \(Cents(bond)) left and its cheapest account takes "
                + "\(Cents(cheapest)): it gets nothing"
        case .holdsMoreThanCapacity(let contract, let station, let held, let limit):
            return
                "\(name(contract)) holds \(held) \(station.portfolio.name) account\(held == 1 ? "" : "s") in delegation "
                + "\(station.delegation) and its advisers carry \(limit): it gets nothing more"
        }
    }

    static func lines(_ findings: [TargetSource.Finding]) -> [String] {
        var lines: [String] = []
        for finding in findings {
            switch finding {
            case .worksNotThere(let contract, let key):
                lines.append(
                    "contract \(contract) has a share of \(key.strategy.name) in delegation \(key.delegation) and does not work "
                        + "\(key.strategy.name) there: it gets nothing")
            case .belowWhole(let key, let share):
                lines.append(
                    "the fixed shares of delegation \(key.delegation), \(key.strategy.name), come to \(share) %: placing comes "
                        + "before shares, so those who have one get the rest too, as far as their limits let them")
            case .notNamed(let contract, let key):
                lines.append(
                    "contract \(contract) works \(key.strategy.name) in delegation \(key.delegation) and has none of its fixed "
                        + "shares: it gets nothing of it")
            case .noScores: break
            }
        }
        return lines + unscored(findings)
    }

    /// Said once for all delegations, which are named where others may have scores.
    private static func unscored(_ findings: [TargetSource.Finding]) -> [String] {
        var places: [Period?: Set<Delegation>] = [:]
        for case .noScores(let key, let period) in findings { places[period, default: []].insert(key.delegation) }
        return places.sorted { ($0.key?.number ?? 0) < ($1.key?.number ?? 0) }.map { period, delegations in
            let named = delegations.sorted().map { "\($0)" }
            let found =
                period.map {
                    "there are no scores of \($0) in delegation\(named.count == 1 ? "" : "s") \(Words.list(named, shown: 12))"
                } ?? "no closed month has scores"
            return "\(found): shares by scorecard go towards equal ones there, by the change a month that is set"
        }
    }

    private func name(_ contract: ContractID) -> String {
        "contract \(contract)" + (contracts[contract].map { " of \($0.agency)" } ?? "")
    }

    /// A part in millionths, to the nearest hundredth of a percent.
    static func percent(_ millionths: Int64) -> String {
        let hundredths = (millionths + 50) / 100
        let rest = hundredths % 100
        guard rest > 0 else { return "\(hundredths / 100) %" }
        return "\(hundredths / 100)." + (rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)") + " %"
    }

    /// What each was promised, as `contract 31 60 %, contract 32 50 %`.
    private static func parts(_ target: ShareTarget?) -> String {
        switch target {
        case .fixed(let shares):
            shares.sorted { $0.key < $1.key }.map { "contract \($0.key) \($0.value) %" }.joined(separator: ", ")
        case .arms(let arms): arms.map { "arm \($0.number) \($0.share) %" }.joined(separator: ", ")
        case .equal, .scorecard, nil: ""
        }
    }

    /// The input contradicts itself: whose turn it is to mend it.
    static func failure(_ error: PlanInputError, of targets: [TargetKey: ShareTarget]) -> CommandFailure {
        switch error {
        case .targetAboveWhole(let delegation, let strategy, let basisPoints):
            CommandFailure(
                .usage,
                "the targets of delegation \(delegation), \(strategy.name), add up to \(percent(basisPoints * 100)): "
                    + parts(targets[TargetKey(delegation: delegation, strategy: strategy)]),
                remedy:
                    "Give away 100 % or less: plan preview --settings FILE tries other settings, plan settings put FILE "
                    + "puts them in force")
        case .contractInTwoArms(let contract, let delegation, let strategy):
            CommandFailure(
                .usage, "contract \(contract) stands in two arms of delegation \(delegation), \(strategy.name)",
                remedy: "Name it in one")
        case .cellTwice(let cell):
            CommandFailure(
                .environment, "\(cell.pool.words) is listed twice", remedy: "Segment the period again")
        case .contractTwice(let contract):
            CommandFailure(.environment, "contract \(contract) is listed twice", remedy: "Import the contracts again")
        case .outOfRange(let what):
            CommandFailure(
                .usage, "\(what): a number is below zero or larger than a plan can count",
                remedy: "Correct the contracts or the cut")
        case .weightRises(let priority, let weight, let above):
            CommandFailure(
                .usage,
                "priority class \(priority) weighs \(weight), and the class above it \(above)",
                remedy: "Let weights fall from class to class, within 1 and 1000, in the plan settings")
        }
    }
}
