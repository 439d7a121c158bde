// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
@testable import Simulation
import TestSupport
import Testing

struct ModelTests {
    private static func policy(_ path: String = "policies/infonavit-2023.yaml", edit: (String) -> String = { $0 })
        throws -> ModelPolicy
    {
        let period = try #require(Period(text: "2024-03"))
        let file = try PolicyFile(text: edit(try Folder.text(path)))
        return ModelPolicy(name: path, policy: try file.policy(for: period), settings: .standard)
    }

    private static func specification(accounts: Int = 3_000, seed: UInt64 = 7) throws -> PortfolioSpecification {
        try PortfolioSpecification(
            accounts: accounts, seed: seed, period: try #require(Period(text: "2024-03")), agencies: 29, contracts: 88,
            zones: ZoneMap())
    }

    @Test func `the model places accounts as the portfolio meant them`() throws {
        let specification = try Self.specification()
        let world = try ModelWorld(specification)
        let placement = ModelPlacement(world, try Self.policy().policy)
        var counts = PortfolioFolder.Counts()
        for index in 0..<specification.accounts { counts.add(specification.maker.account(index)) }

        func placed(_ strategies: Set<Strategy>) -> Int {
            placement.placements.count { $0.map { strategies.contains($0.strategy) } ?? false }
        }
        #expect(world.accounts.count == 3_000)
        #expect(placed([.preventive]) == counts.preventive)
        #expect(placed([.administrative]) == counts.administrative)
        #expect(placed([.dual, .mediation]) == counts.dual)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a modelled month keeps its counts together, and a seed gives one month`(seed: UInt64) throws {
        let world = try ModelWorld(try Self.specification(seed: seed))
        let policy = try Self.policy()
        var first = try ModelMonth(world, policy, seed: seed, profiles: nil)
        var second = try ModelMonth(world, policy, seed: seed, profiles: nil)
        let outcome = try first.play()
        let again = try second.play()

        #expect(outcome == again)
        #expect(outcome.placed > 300)
        #expect(outcome.leased <= outcome.placed - outcome.unplaced)
        #expect(outcome.worked <= outcome.leased && outcome.worked > outcome.leased / 2)
        #expect(outcome.reports >= outcome.worked)
        #expect(outcome.paying - outcome.untreated <= outcome.worked && outcome.paying > outcome.untreated)
        #expect(outcome.recovered == outcome.paid.reduce(0, +))
        #expect(outcome.recoveredUntreated > 0 && outcome.recoveredUntreated < outcome.recovered)
    }

    @Test func `a debtor is who the cut shows, whatever a policy calls its tactics`() async throws {
        let usual = try Self.policy()
        let renamed = try Self.policy { text in
            text.replacing("containment", with: "contencion").replacing("incomplete-payment", with: "pagos-incompletos")
                .replacing("high-payment-probability", with: "alta-probabilidad")
        }
        #expect(renamed.policy != usual.policy)
        let comparison = try await ModelExperiment(
            base: try Self.specification(accounts: 1_500), policies: [usual, renamed], seeds: 2, profiles: nil
        ).run(workers: 2) { _ in }

        for measure in ModelExperiment.Measure.allCases { #expect(comparison.difference(measure)?.mean == 0) }
        #expect(comparison.pairs.allSatisfy { $0.first == 0 && $0.second == 0 && $0.less == 0 && $0.more == 0 })
        #expect(comparison.pairs.allSatisfy { $0.both > 0 })
    }

    /// Preventive ones without arrears in the books: jobs lost.
    private static func narrow() throws -> ModelPolicy {
        try policy { text in
            text.replacing(
                #/        - arrears: \{between: \[1, 3\]\}\n        - unpaid: [^\n]*\n        - incomplete_payments: [^\n]*\n/#,
                with: "")
        }
    }

    @Test(arguments: [(0, true), (25, true), (100, false)])
    func `who is not placed pays at the untreated rate`(untreated: Int, isLess: Bool) throws {
        let world = try ModelWorld(try Self.specification())
        func paying(_ policy: ModelPolicy) throws -> (paying: Int, untreated: Int) {
            var month = try ModelMonth(world, policy, seed: 7, profiles: nil, untreatedPercent: untreated)
            let outcome = try month.play()
            return (outcome.paying, outcome.untreated)
        }
        let (usual, narrow) = (try paying(try Self.policy()), try paying(try Self.narrow()))

        #expect((narrow.untreated > usual.untreated) == (untreated > 0))
        // Where everybody pays unasked, to place fewer of them loses nothing.
        #expect(isLess ? narrow.paying < usual.paying : narrow.paying == usual.paying)
    }

    @Test func `a month is billed by the tariff: twice the prices are twice the fees, missing people a penalty`() throws
    {
        let folder = try TemporaryFolder()
        let text = try Folder.text("policies/schedules.csv")
        let doubled = text.split(separator: "\n").map { line -> String in
            guard line.contains(",FEE-11,"), let comma = line.lastIndex(of: ","),
                let price = Cents(pesos: line[line.index(after: comma)...])
            else { return String(line) }
            return "\(line[...comma])\(price.times(2))"
        }
        let path = "\(folder.path)/schedules.csv"
        try FileOutput(path: path).write("\(doubled.joined(separator: "\n"))\n".utf8)
        let world = try ModelWorld(try Self.specification())
        func bill(_ tariff: String, staff: String = "100") throws -> ModelMonth.Outcome {
            let profiles = try ProfileFile(text: "profiles:\n  p: {staff: \(staff)}\nothers: p\n", path: "p.yaml")
            var month = try ModelMonth(
                world, try Self.policy(), seed: 7, profiles: profiles, tariff: try ModelTariff(path: tariff))
            return try month.play()
        }
        let usual = try bill("policies/schedules.csv")
        #expect(usual.fees > 0 && usual.penalties == 0)
        #expect(usual.net == usual.recovered - usual.fees)
        #expect(try bill(path).fees == 2 * usual.fees)

        let short = try bill("policies/schedules.csv", staff: "50")
        #expect(short.penalties > 0)
        // Whole advisers at the price of PEN-01 in either portfolio.
        #expect(short.penalties % 100_000 == 0)
        #expect(short.net == short.recovered - short.fees + short.penalties)
    }

    @Test func `a tariff without a contract's schedule is refused as usage`() throws {
        let folder = try TemporaryFolder()
        try FileOutput(path: "\(folder.path)/s.csv").write("schedule,kind,effective_on,rule,parameter,value\n".utf8)
        let world = try ModelWorld(try Self.specification(accounts: 100))
        let policy = try Self.policy()
        let tariff = try ModelTariff(path: "\(folder.path)/s.csv")
        let failure = #expect(throws: SimulationFailure.self) {
            try ModelMonth(world, policy, seed: 7, profiles: nil, tariff: tariff)
        }

        #expect(failure?.exit == .usage)
        #expect(failure?.found.contains("in force on 2024-03-01") == true)
    }

    @Test func `two policies meet the same people: the same one twice differs by nothing`() async throws {
        let policy = try Self.policy()
        let comparison = try await ModelExperiment(
            base: try Self.specification(accounts: 1_500), policies: [policy, policy], seeds: 3, profiles: nil
        ).run(workers: 2) { _ in }

        for measure in ModelExperiment.Measure.allCases {
            let difference = try #require(comparison.difference(measure))
            #expect(difference.mean == 0 && difference.low == 0 && difference.high == 0)
            #expect(!difference.isDifferent)
        }
        #expect(comparison.seeds == 3)
    }

    @Test func `a policy that leaves out a segment recovers less, and the comparison says so`() async throws {
        let usual = try Self.policy()
        let narrow = try Self.narrow()
        let comparison = try await ModelExperiment(
            base: try Self.specification(accounts: 1_500), policies: [usual, narrow], seeds: 4, profiles: nil
        ).run(workers: 2) { _ in }
        let placed = try #require(comparison.difference(.placed))
        let recovered = try #require(comparison.difference(.recoveredPreventive))

        #expect(placed.high < 0)
        #expect(recovered.mean < 0 && recovered.isDifferent)
        #expect(comparison.lines.contains { $0.hasPrefix("  placed") && $0.hasSuffix(" *") })
    }

    @Test func `connections that die cost a month in memory no work: leases do not end with connections`() async throws
    {
        func recovered(_ crashes: Int) async throws -> [String] {
            try await ModelExperiment(
                base: try Self.specification(accounts: 1_500), policies: [try Self.policy()], seeds: 2,
                profiles: try ProfileFile(text: "profiles: {a: {crashes: \(crashes)}}\nothers: a\n", path: "p.yaml")
            ).run(workers: 2) { _ in }.lines
        }
        let none = try await recovered(0)

        #expect(none.contains { $0.hasPrefix("  recovered") })
        #expect(try await recovered(50) == none)
        #expect(try await recovered(100) == none)
    }

    /// Who reports ten half days at once for one in ten is as busy on paper as others; who reports promises of everybody gives nothing back.
    @Test func `what a cheat invents is in a month in memory as in one over the protocol`() throws {
        let world = try ModelWorld(try Self.specification())
        func played(_ words: String) throws -> ModelMonth.Outcome {
            let profiles = try ProfileFile(text: "profiles:\n  p: {\(words)}\nothers: p\n", path: "p.yaml")
            var month = try ModelMonth(world, try Self.policy(), seed: 7, profiles: profiles)
            return try month.play()
        }
        // So few people that what they get done is what limits them.
        let honest = try played("staff: 1")
        #expect(try played("staff: 1, cheat: back-dated-reports").reports > honest.reports / 2)
        #expect(honest.returned > 0)
        let inventing = try played("staff: 1, cheat: reports-without-calls")
        #expect(inventing.returned == 0 && inventing.reports > honest.reports)
        #expect(try played("cheat: pulls-nothing").reports == 0)
    }

    @Test func `cheats that the model does not play are named`() throws {
        let file = try ProfileFile(path: "profiles/agencies.yaml")
        #expect(
            file.cheatsOutsideOfModel == ["cloned-client", "hundred-on-one", "return-and-pull-again", "stale-reports"])
        let unused = try ProfileFile(text: "profiles: {a: {cheat: stale-reports}}\n", path: "p.yaml")
        #expect(unused.cheatsOutsideOfModel == [])
    }

    @Test func `an interval is Student's around the mean`() {
        let estimate = ModelComparison.Estimate([1, 2, 3, 4, 5])

        #expect(estimate.mean == 3)
        // 3 ± 2.7764 · √(2.5 / 5)
        #expect(abs(estimate.high - 4.9632) < 0.01)
        #expect(abs(estimate.low - 1.0368) < 0.01)
        #expect(estimate.percentiles == [1.2, 3, 4.8])
        // The median of two lies between them, and below and above mirror each other.
        #expect(ModelComparison.Estimate([1, 3]).percentiles[1] == 2)
        let twenty = ModelComparison.Estimate((1...20).map(Double.init)).percentiles
        #expect(abs(twenty[0] + twenty[2] - 21) < 1e-9 && twenty[2] < 20)
        #expect(abs(ModelComparison.Estimate.quantile(freedom: 30) - 2.0423) < 0.001)
    }

    @Test(arguments: [1, 100_001]) func `too few or too many seeds are refused as usage`(seeds: Int) throws {
        let policy = try Self.policy()
        let base = try Self.specification()
        let failure = #expect(throws: SimulationFailure.self) {
            try ModelExperiment(base: base, policies: [policy], seeds: seeds, profiles: nil)
        }

        #expect(failure?.exit == .usage)
    }

    @Test func `away from a clone the model says which file is a default, of which option, and where to go`() throws {
        let folder = try TemporaryFolder()
        func model(_ words: String...) throws -> (code: Int32, text: String) {
            let command = [ChildProcess.sibling("agentsim"), "month", "--model", "--period", "2024-03", "--seeds", "1"]
            return try ChildProcess.run(
                "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", folder.path] + command + words)
        }
        let bare = try model()
        #expect(bare.code == 2)
        #expect(
            bare.text.contains(
                "no policy is named, and the default of --policy, policies/infonavit-2023.yaml, is not here. "
                    + "Name one with --policy, or run the command in the folder of the clone"), "\(bare.text)")
        let policy = "\(Checkout.root)/policies/infonavit-2023.yaml"
        let named = try model("--policy", policy)
        #expect(named.code == 2)
        #expect(
            named.text.contains(
                "there is no file policies/schedules.csv, the default of --schedules. Name the schedules"),
            "\(named.text)")
        // A file that somebody named is no default.
        #expect(try model("--policy", "mine.yaml").text.contains("the policy file mine.yaml cannot be read"))
        let other = try model("--policy", policy, "--schedules", "mine.csv")
        #expect(
            other.code == 2 && other.text.contains("there is no file mine.csv. Name the schedules"), "\(other.text)")
    }

    @Test func `a replay splits the record into what stands and what nobody can know`() throws {
        let folder = try TemporaryFolder()
        let specification = try Self.specification()
        _ = try PortfolioFolder(specification).write(to: folder.path) { _ in }
        let cut = "\(folder.path)/cut.csv"
        let contracts = "\(folder.path)/contracts.csv"
        let world = try ModelWorld(cut: cut, contracts: contracts, facts: nil, period: specification.period)
        let policy = try Self.policy()
        let deal = try ModelDeal(world, ModelPlacement(world, policy.policy), policy, seed: 7)
        try Self.record(deal, world, folder.path)

        let same = try ReplayRun(
            .logs(folder.path), cut: cut, contracts: contracts, period: specification.period, policy: policy, seed: 7)
        #expect(same.recorded.accounts > 100)
        #expect(same.sums[.stands] == same.recorded)
        #expect(same.sums[.unrecorded] == nil)
        let later = #expect(throws: SimulationFailure.self) {
            try ReplayRun(
                .logs(folder.path), cut: cut, contracts: contracts, period: specification.period.advanced(byMonths: 2),
                policy: policy, seed: 7)
        }
        #expect(later?.found == "the record has no lease of 2024-05")

        // Logs name no portfolio, and another one's leases are not what "began within the month".
        let stranger = try TemporaryFolder()
        let another = try PortfolioSpecification(
            accounts: specification.accounts, seed: 8, period: specification.period, agencies: specification.agencies,
            contracts: specification.contracts, zones: specification.zones)
        _ = try PortfolioFolder(another).write(to: stranger.path) { _ in }
        let foreign = #expect(throws: SimulationFailure.self) {
            try ReplayRun(
                .logs(folder.path), cut: "\(stranger.path)/cut.csv", contracts: "\(stranger.path)/contracts.csv",
                period: specification.period, policy: policy, seed: 7)
        }
        #expect(foreign?.exit == .usage && foreign?.found.hasPrefix("\(folder.path) is of another portfolio: ") == true)

        let narrow = try Self.narrow()
        let other = try ReplayRun(
            .logs(folder.path), cut: cut, contracts: contracts, period: specification.period, policy: narrow, seed: 7)
        let parts = ReplayRun.Fate.allCases.filter { $0 != .unrecorded }.compactMap { other.sums[$0]?.accounts }
        #expect(parts.reduce(0, +) == other.recorded.accounts)
        #expect((other.sums[.nobody]?.accounts ?? 0) > 50)
    }

    @Test func `what somebody holds when a month is dealt is not dealt again, and takes room of its holder's advisers`()
        throws
    {
        let world = try ModelWorld(try Self.specification())
        let policy = try Self.policy()
        let placement = ModelPlacement(world, policy.policy)
        let usual = try ModelDeal(world, placement, policy, seed: 7)
        let hand = try #require(usual.hands.max { $0.positions.count < $1.positions.count })
        let contract = try #require(world.contracts.first { $0.contract == hand.contract })
        let carried = try #require(contract.staffing[hand.pool.station]?.limit(contract.basis))
        // Its own accounts, and others from before that fill its advisers' hands.
        var kept: [CaseKey: ModelDeal.Kept] = [:]
        let mine = hand.positions.map { world.accounts[$0.place].account.value }
        for account in (mine + (1...carried).map { 9_000_000_000 + $0 }).prefix(Int(carried)) {
            let key = CaseKey(delegation: hand.pool.delegation, account: try #require(AccountID(account)))
            kept[key] = ModelDeal.Kept(contract: contract.contract, pool: hand.pool, exposure: 0)
        }
        let deal = try ModelDeal(world, placement, policy, seed: 7, kept: kept)

        #expect(!deal.hands.contains { $0.contract == contract.contract && $0.pool.station == hand.pool.station })
        let dealt = Set(deal.hands.flatMap { $0.positions.map(\.place) })
        #expect(dealt.isDisjoint(with: hand.positions.map(\.place)))
        #expect(deal.placed == usual.placed)
    }

    @Test func `a replay leaves what was held over the month's begin with its holder`() throws {
        let folder = try TemporaryFolder()
        let specification = try Self.specification()
        _ = try PortfolioFolder(specification).write(to: folder.path) { _ in }
        let (cut, contracts) = ("\(folder.path)/cut.csv", "\(folder.path)/contracts.csv")
        let world = try ModelWorld(cut: cut, contracts: contracts, facts: nil, period: specification.period)
        let policy = try Self.policy()
        let deal = try ModelDeal(world, ModelPlacement(world, policy.policy), policy, seed: 7)
        try Self.record(deal, world, folder.path, at: Timestamp(text: "2024-02-20T06:00:00Z"))

        // By another seed others would have had them.
        let replay = try ReplayRun(
            .logs(folder.path), cut: cut, contracts: contracts, period: specification.period, policy: policy, seed: 8)
        #expect(replay.heldOver == replay.recorded.accounts && replay.heldOver > 100)
        #expect(replay.sums[.stands] == replay.recorded)
        #expect(replay.lines.contains { $0.contains("were held when the month began") })
    }

    @Test func `what an agency holds over the month's begin takes its room in a replay, and others get what it had`()
        throws
    {
        let folder = try TemporaryFolder()
        let specification = try Self.specification()
        _ = try PortfolioFolder(specification).write(to: folder.path) { _ in }
        let (cut, contracts) = ("\(folder.path)/cut.csv", "\(folder.path)/contracts.csv")
        let world = try ModelWorld(cut: cut, contracts: contracts, facts: nil, period: specification.period)
        let policy = try Self.policy()
        let deal = try ModelDeal(world, ModelPlacement(world, policy.policy), policy, seed: 7)
        // Of two in one pool the one has had all of the other's since before the month.
        let pairs = deal.hands.indices.flatMap { one in
            deal.hands.indices.filter { other in
                deal.hands[one].pool == deal.hands[other].pool && deal.hands[one].contract != deal.hands[other].contract
            }.map { (one: one, other: $0) }
        }
        let pair = try #require(
            pairs.max { deal.hands[$0.other].positions.count < deal.hands[$1.other].positions.count })
        let before: Timestamp = try #require(Timestamp(text: "2024-02-20T06:00:00Z"))
        let within: Timestamp = try #require(Timestamp(text: "2024-03-04T18:00:00Z"))
        try Self.record(
            deal, world, folder.path, at: within,
            except: [pair.other: (contract: deal.hands[pair.one].contract, at: before)])

        let replay = try ReplayRun(
            .logs(folder.path), cut: cut, contracts: contracts, period: specification.period, policy: policy, seed: 7)
        #expect(replay.heldOver == deal.hands[pair.other].positions.count)
        #expect(replay.sums[.otherAgency]?.accounts ?? 0 > 0)
        #expect(replay.sums[.stands]?.accounts ?? 0 >= replay.heldOver)
    }

    /// A log in which everybody leased what was dealt.
    ///
    /// - Parameter except: by the number of a hand, who leased it instead, and when.
    private static func record(
        _ deal: ModelDeal, _ world: ModelWorld, _ folder: String, at instant: Timestamp? = nil,
        except: [Int: (contract: ContractID, at: Timestamp)] = [:]
    ) throws {
        let agencies = Dictionary(world.contracts.map { ($0.contract, $0.agency) }) { first, _ in first }
        let term = try #require(Timestamp(text: "2024-04-03T06:00:00Z"))
        let epoch = try #require(Epoch(1))
        var logs: [AgencyID: AgencyLog] = [:]
        for (number, hand) in deal.hands.enumerated() {
            let agency = try #require(agencies[except[number]?.contract ?? hand.contract])
            var log = try logs[agency] ?? AgencyLog(folder: folder, agency: agency, instance: "sim")
            log.now = except[number]?.at ?? instant
            let accounts = hand.positions.map { Held(account: world.accounts[$0.place].account, epoch: epoch) }
            log.write(
                key: Int64(number) + 1, delegation: hand.pool.delegation,
                .granted(
                    ClientOperation.Grant(
                        grant: GrantID(hand: Int32(number) + 1, first: 1), strategy: hand.pool.strategy, term: term,
                        accounts: accounts)))
            try log.flush()
            logs[agency] = log
        }
    }
}
