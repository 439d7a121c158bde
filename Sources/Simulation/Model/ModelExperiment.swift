// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One policy, or two against each other, over many seeds: each seed is a portfolio with agencies and debtors of its own, and both
/// policies get the same ones (common random numbers).
package struct ModelExperiment: Sendable {
    package static let seedsMax = 100_000

    /// What is looked at in an outcome.
    package enum Measure: String, CaseIterable, Sendable {
        case placed, unplaced, leased, worked, paying, returned, expired, reports, recovered
        /// Accounts that paid without being worked, placed or not, and what they paid.
        case untreated
        case recoveredUntreated = "recovered-untreated"
        case recoveredPreventive = "recovered-preventive"
        case recoveredAdministrative = "recovered-administrative"
        case recoveredDual = "recovered-dual"
        case recoveredMediation = "recovered-mediation"
        /// The part of the leased accounts that the largest agency has, in percent.
        case largestAgency = "largest-agency"
        /// Before IVA, by the tariff; `net` is what was recovered less the fees, with the penalties.
        case fees, penalties, net

        func value(_ outcome: ModelMonth.Outcome) -> Double {
            func pesos(_ centavos: Int) -> Double { Double(centavos) / 100 }
            return switch self {
            case .placed: Double(outcome.placed)
            case .unplaced: Double(outcome.unplaced)
            case .leased: Double(outcome.leased)
            case .worked: Double(outcome.worked)
            case .paying: Double(outcome.paying)
            case .returned: Double(outcome.returned)
            case .expired: Double(outcome.expired)
            case .reports: Double(outcome.reports)
            case .recovered: pesos(outcome.recovered)
            case .recoveredPreventive: pesos(outcome.recoveredBy[.preventive] ?? 0)
            case .recoveredAdministrative: pesos(outcome.recoveredBy[.administrative] ?? 0)
            case .recoveredDual: pesos(outcome.recoveredBy[.dual] ?? 0)
            case .recoveredMediation: pesos(outcome.recoveredBy[.mediation] ?? 0)
            case .largestAgency: Double(outcome.largestAgency) / 10_000
            case .untreated: Double(outcome.untreated)
            case .recoveredUntreated: pesos(outcome.recoveredUntreated)
            case .fees: pesos(outcome.fees)
            case .penalties: pesos(outcome.penalties)
            case .net: pesos(outcome.net)
            }
        }
    }

    private let base: PortfolioSpecification
    private let policies: [ModelPolicy]
    private let seeds: Int
    private let profiles: ProfileFile?
    private let tariff: ModelTariff?
    private let untreatedPercent: Int
    package static let untreatedPercent = ModelMonth.untreatedPercent

    /// - Parameters:
    ///   - base: sizes and period; its seed is the first one.
    ///   - policies: one or two.
    ///   - seeds: 2...100,000.
    ///   - tariff: what fees and penalties are by; without it there are none.
    ///   - untreatedPercent: 0...100; of the debtors who pay when they are worked, how many pay without.
    package init(
        base: PortfolioSpecification, policies: [ModelPolicy], seeds: Int, profiles: ProfileFile?,
        tariff: ModelTariff? = nil, untreatedPercent: Int = ModelExperiment.untreatedPercent
    ) throws(SimulationFailure) {
        guard (0...100).contains(untreatedPercent) else {
            throw SimulationFailure(.usage, "--untreated is \(untreatedPercent)", remedy: "Take 0 to 100 percent")
        }
        self.tariff = tariff
        self.untreatedPercent = untreatedPercent
        guard (2...Self.seedsMax).contains(seeds) else {
            throw SimulationFailure(.usage, "--seeds is \(seeds)", remedy: "Take 2 to \(Self.seedsMax)")
        }
        self.base = base
        self.policies = policies
        self.seeds = seeds
        self.profiles = profiles
    }

    /// Several seeds at a time; the result does not depend on how many.
    ///
    /// - Parameter progress: called with how many seeds are done.
    package func run(
        workers: Int, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> ModelComparison {
        let found = try await withThrowingTaskGroup(of: (Int, Seed).self) { group in
            var next = 0
            var all = [Seed](repeating: Seed(), count: seeds)
            var done = 0
            func start() {
                guard next < seeds else { return }
                let index = next
                next += 1
                group.addTask { (index, try outcomes(of: index)) }
            }
            for _ in 0..<max(1, workers) { start() }
            while let (index, months) = try await group.next() {
                all[index] = months
                done += 1
                progress(done)
                start()
            }
            return all
        }
        return ModelComparison(
            names: policies.map(\.name), firstSeed: base.seed,
            outcomes: policies.indices.map { policy in found.map { $0.outcomes[policy] } },
            pairs: found.compactMap(\.pair))
    }

    /// What one seed came to under each policy, and by account under both.
    private struct Seed: Sendable {
        var outcomes: [ModelMonth.Outcome] = []
        var pair: ModelPair?
    }

    private func outcomes(of index: Int) throws(SimulationFailure) -> Seed {
        let seed = base.seed &+ UInt64(index)
        let specification = try PortfolioSpecification(
            accounts: base.accounts, seed: seed, period: base.period, agencies: base.agencies,
            contracts: base.contracts,
            zones: base.zones)
        let world = try ModelWorld(specification)
        var found = Seed()
        for policy in policies {
            var month = try ModelMonth(
                world, policy, seed: seed, profiles: profiles, tariff: tariff, untreatedPercent: untreatedPercent)
            found.outcomes.append(try month.play())
        }
        if found.outcomes.count == 2 { found.pair = ModelPair(found.outcomes[0].paid, found.outcomes[1].paid) }
        // Accounts are compared within their seed; to keep them all would take memory by the seed.
        for policy in found.outcomes.indices { found.outcomes[policy].paid = [] }
        return found
    }
}

/// Two months of the same people, account by account.
struct ModelPair: Sendable, Equatable {
    /// Accounts that paid under both, under the first alone, and under the second alone.
    var both = 0
    var first = 0
    var second = 0
    /// Centavos that accounts paid less, and more, under the second.
    var less = 0
    var more = 0

    /// - Parameters: what each account paid under the first policy and under the second, by place.
    init(_ paidFirst: [Int], _ paidSecond: [Int]) {
        for (one, other) in zip(paidFirst, paidSecond) {
            switch (one > 0, other > 0) {
            case (true, true): both += 1
            case (true, false): first += 1
            case (false, true): second += 1
            case (false, false): break
            }
            less += max(0, one - other)
            more += max(0, other - one)
        }
    }
}

/// Outcomes of one policy or two over the same seeds, and what can be said of them.
package struct ModelComparison: Sendable {
    /// A mean with the interval that has it 95 times in a hundred, and where the outcomes themselves lie.
    package struct Estimate: Sendable, Equatable {
        package let mean: Double
        package let low: Double
        package let high: Double
        /// The 5th, 50th and 95th percentile of the outcomes.
        package let percentiles: [Double]

        /// - Parameter values: two or more.
        package init(_ values: [Double]) {
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let error = (squares / max(1, count - 1) / count).squareRoot() * Self.quantile(freedom: count - 1)
            let sorted = values.sorted()
            self.mean = mean
            self.low = mean - error
            self.high = mean + error
            self.percentiles = [5, 50, 95].map { Self.percentile($0, of: sorted) }
        }

        /// Between the two outcomes that it lies between, so that the lower ones and the upper ones mirror each other, however few there
        /// are.
        private static func percentile(_ percent: Int, of sorted: [Double]) -> Double {
            let place = Double(percent) / 100 * Double(sorted.count - 1)
            let below = Int(place)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
        }

        /// Student's quantile for 97.5 %, by the expansion of Peizer and Pratt's predecessor Fisher in 1/freedom.
        static func quantile(freedom: Double) -> Double {
            let z = 1.959964
            guard freedom > 2 else { return freedom > 1 ? 4.302653 : 12.706205 }
            let first = (z * z * z + z) / 4
            let second = (5 * z * z * z * z * z + 16 * z * z * z + 3 * z) / 96
            let third = (3 * z * z * z * z * z * z * z + 19 * z * z * z * z * z + 17 * z * z * z - 15 * z) / 384
            return z + first / freedom + second / (freedom * freedom) + third / (freedom * freedom * freedom)
        }

        /// Whether zero lies outside.
        package var isDifferent: Bool { low > 0 || high < 0 }
    }

    package let names: [String]
    let firstSeed: UInt64
    /// By policy, then by seed.
    let outcomes: [[ModelMonth.Outcome]]
    /// By seed; none where there is one policy.
    let pairs: [ModelPair]

    package var seeds: Int { outcomes.first?.count ?? 0 }

    package func estimate(_ measure: ModelExperiment.Measure, policy: Int) -> Estimate {
        Estimate(outcomes[policy].map(measure.value))
    }

    /// The second less the first, seed by seed.
    package func difference(_ measure: ModelExperiment.Measure) -> Estimate? {
        guard outcomes.count == 2 else { return nil }
        return Estimate(zip(outcomes[0], outcomes[1]).map { measure.value($1) - measure.value($0) })
    }

    package var lines: [String] {
        var lines = [
            "\(seeds) seeds from \(firstSeed) on; means with 95 % intervals, and the 5th, 50th and 95th percentile"
        ]
        for (policy, name) in names.enumerated() {
            lines += ["", name]
            lines += ModelExperiment.Measure.allCases.map { measure in
                let estimate = estimate(measure, policy: policy)
                return Self.row(measure.rawValue, estimate) + "   "
                    + estimate.percentiles.map(Self.figure).joined(separator: " | ")
            }
        }
        guard names.count == 2 else { return lines }
        lines += ["", "\(names[1]) less \(names[0]), on the same seeds (* the interval has no zero)"]
        lines += ModelExperiment.Measure.allCases.compactMap { measure in
            difference(measure).map { Self.row(measure.rawValue, $0) + ($0.isDifferent ? " *" : "") }
        }
        lines += ["", "by account, the same ones under both"]
        return lines + byAccount.map { Self.row($0.name, $0.estimate) }
    }

    /// How many accounts pay under which of two policies, and how much less and more.
    package var byAccount: [(name: String, estimate: Estimate)] {
        guard pairs.count > 1 else { return [] }
        func estimate(_ value: (ModelPair) -> Double) -> Estimate { Estimate(pairs.map(value)) }
        return [
            ("paying-under-both", estimate { Double($0.both) }),
            ("paying-under-first", estimate { Double($0.first) }),
            ("paying-under-second", estimate { Double($0.second) }),
            ("paid-less", estimate { Double($0.less) / 100 }), ("paid-more", estimate { Double($0.more) / 100 }),
        ]
    }

    private static func row(_ name: String, _ estimate: Estimate) -> String {
        let padding = String(repeating: " ", count: max(1, 26 - name.count))
        return "  \(name)\(padding)\(figure(estimate.mean))  [\(figure(estimate.low)), \(figure(estimate.high))]"
    }

    /// Thousands grouped, one decimal where the figure is small.
    private static func figure(_ value: Double) -> String {
        guard abs(value) < 1_000 else { return Terminal.grouped(Int(value.rounded())) }
        let hundredths = Int((abs(value) * 100).rounded())
        return
            "\(value < 0 && hundredths > 0 ? "-" : "")\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    package var json: String {
        func object(_ estimate: Estimate) -> String {
            "{\"mean\": \(estimate.mean), \"low\": \(estimate.low), \"high\": \(estimate.high), "
                + "\"percentiles\": [\(estimate.percentiles.map { "\($0)" }.joined(separator: ", "))]}"
        }
        func measures(_ value: (ModelExperiment.Measure) -> Estimate?) -> String {
            ModelExperiment.Measure.allCases.compactMap { measure in
                value(measure).map { "    \"\(measure.rawValue)\": \(object($0))" }
            }.joined(separator: ",\n")
        }
        var parts = names.enumerated().map { policy, name in
            "  \"\(name)\": {\n\(measures { estimate($0, policy: policy) })\n  }"
        }
        if names.count == 2 {
            parts.append("  \"difference\": {\n\(measures(difference))\n  }")
            let accounts = byAccount.map { "    \"\($0.name)\": \(object($0.estimate))" }
            parts.append("  \"by_account\": {\n\(accounts.joined(separator: ",\n"))\n  }")
        }
        return "{\n  \"seeds\": \(seeds), \"first_seed\": \(firstSeed),\n\(parts.joined(separator: ",\n"))\n}"
    }
}
