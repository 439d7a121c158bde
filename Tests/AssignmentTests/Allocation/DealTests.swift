// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct DealTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `every account is dealt once or left, and no quota or bond is passed`(seed: UInt64) {
        let pool = DealPool.mixed(seed, count: 400)
        let shares = DealPool.shares(seed)
        let result = deal(pool, shares, seed: seed)

        let dealt = result.hands.flatMap { $0.positions.map(\.place) }
        #expect((dealt + result.left.map(\.place)).sorted() == (0..<400).map { Int32($0) })
        for (hand, share) in zip(result.hands, shares) {
            let exposures = hand.positions.map {
                share.exposure.of(overdue: pool[Int($0.place)].overdue, balance: pool[Int($0.place)].balance)
            }
            #expect(hand.positions.map(\.exposure) == exposures)
            #expect(hand.exposure == exposures.reduce(0, +))
            #expect(hand.exposure <= share.exposureMax ?? Int64.max)
            #expect(Int64(hand.positions.count) <= share.accounts)
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `nothing goes to an agency that had it, unless a promise or another credit takes it there`(seed: UInt64) {
        let pool = DealPool.mixed(seed, count: 400)
        let shares = DealPool.shares(seed)
        let result = deal(pool, shares, seed: seed)

        for (hand, share) in zip(result.hands, shares) {
            let free = hand.positions.filter { $0.reason != .promise && $0.reason != .together }
            #expect(free.allSatisfy { !pool[Int($0.place)].had.contains(share.agency) })
            #expect(free.allSatisfy { !pool[Int($0.place)].candidate.needsSearch || share.searches })
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `the order of the input does not matter`(seed: UInt64) {
        var pool = DealPool.mixed(seed, count: 300)
        let shares = DealPool.shares(seed)
        let before = accounts(deal(pool, shares, seed: 5), pool)
        var random = SplitMix64(seed: seed)
        random.shuffle(&pool)

        #expect(accounts(deal(pool, shares.reversed(), seed: 5), pool) == before)
    }

    @Test func `another seed deals another order`() {
        let pool = DealPool.plain(1, count: 300)
        let shares = [DealShare.share(1, 150), .share(2, 150)]

        #expect(accounts(deal(pool, shares, seed: 5), pool) != accounts(deal(pool, shares, seed: 6), pool))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `early, middle and late pullers get of each stratum what the pool has, within an account or two`(
        seed: UInt64
    ) {
        let pool = DealPool.plain(seed, count: 6_000)
        let shares = [DealShare.share(1, 3_000), .share(2, 1_800), .share(3, 1_200)]
        let result = deal(pool, shares, seed: seed)

        for tactic in 0..<5 {
            let isMember = { (place: Int32) in pool[Int(place)].candidate.stratum.tactic == tactic }
            let whole = pool.count { $0.candidate.stratum.tactic == tactic }
            for hand in result.hands {
                for tenth in [1, 3, 5, 9, 10] {
                    let pulled = hand.positions.prefix(hand.positions.count * tenth / 10)
                    let part = pulled.count { isMember($0.place) }
                    // One for the way through the hand, two for the hand's part of the pool.
                    #expect(abs(part * 6_000 - whole * pulled.count) <= 3 * 6_000)
                }
            }
        }
    }

    /// A trait that no stratum knows of is only shuffled. The sum of z² over 400 prefixes has mean 400 and a standard
    /// deviation of some 28; five of them either way.
    @Test(arguments: [(0, 10), (45, 55), (90, 100)] as [(Int, Int)])
    func `a hidden trait is spread like chance through the hand`(from: Int, to: Int) {
        var sum = 0
        for seed in 0..<200 as Range<UInt64> {
            let pool = DealPool.plain(seed, count: 1_000)
            let result = deal(pool, [.share(1, 500), .share(2, 500)], seed: seed)
            for hand in result.hands {
                let slice = hand.positions[hand.positions.count * from / 100..<hand.positions.count * to / 100]
                let marked = slice.count { pool[Int($0.place)].overdue % 2 == 1 }
                // (2k - 50)² / 50 is z² of k in 50 with one half each, drawn from 1,000: 1/0.95 of it.
                sum += (2 * marked - 50) * (2 * marked - 50) * 2
            }
        }

        #expect((260...540).contains(sum / 100))
    }

    @Test func `what quotas do not reach is of the lowest class, in the strata's proportion`() {
        let pool = DealPool.plain(4, count: 1_000, classes: 2)
        let first = pool.count { $0.candidate.priority == 1 }
        let result = deal(pool, [.share(1, Int64(first) + 100)], seed: 1)

        #expect(result.left.allSatisfy { pool[Int($0.place)].candidate.priority == 2 })
        for tactic in 0..<5 {
            let whole = pool.count { $0.candidate.priority == 2 && $0.candidate.stratum.tactic == tactic }
            let left = result.left.count { pool[Int($0.place)].candidate.stratum.tactic == tactic }
            #expect(abs(left * (1_000 - first) - whole * result.left.count) <= 1_000)
        }
    }

    @Test(arguments: [(299, 2), (300, 3), (301, 3), (99, 0)] as [(Int64, Int)])
    func `a hand is trimmed at the exact centavo`(limit: Int64, dealt: Int) {
        let pool = (1...3).map { DealPool($0, overdue: 100) }
        let result = deal(pool, [.share(1, 3, exposureMax: limit)], seed: 1)

        #expect(result.hands[0].positions.count == dealt)
        #expect(result.left.map(\.reason) == Array(repeating: .bond, count: 3 - dealt))
    }

    @Test func `a quota that finds no room for one account takes another`() {
        let pool = [DealPool(1, priority: 1, overdue: 900), DealPool(2, priority: 2, overdue: 100)]
        let result = deal(pool, [.share(1, 1, exposureMax: 500)], seed: 1)

        #expect(result.hands[0].positions.map(\.place) == [1])
        #expect(result.left == [.init(place: 0, reason: .bond)])
    }

    // MARK: - What binds an account

    @Test func `a live promise goes to its holder first, whatever its class and whoever had it`() {
        var promised = DealPool(9, priority: 9)
        promised.candidate.promisedTo = .number(2)
        promised.bar([.number(2)])
        let pool = (1...8).map { DealPool($0, priority: 1) } + [promised]
        let result = deal(pool, [.share(1, 2), .share(2, 2)], seed: 1)

        #expect(result.hands[1].positions.map(\.reason) == [.share, .promise])
        #expect(result.hands[1].positions.last?.place == 8)
    }

    @Test func `a promise whose holder has no quota is dealt like any other`() {
        var promised = DealPool(1)
        promised.candidate.promisedTo = .number(2)
        let result = deal([promised], [.share(1, 1), .share(2, 0)], seed: 1)

        #expect(result.hands[0].positions.map(\.reason) == [.share])
    }

    @Test func `the credits of one debtor go to one agency, over all pools of a delegation`() {
        let pool = (1...40 as ClosedRange<Int64>).map { number in
            var account = DealPool(number)
            account.candidate.debtor = number / 4 + 1
            return account
        }
        var dealing = DelegationDealing()
        let shares = [DealShare.share(1, 24), .share(2, 24)]
        let first = dealing.deal(pool.map(\.candidate), shares, seed: 1)
        let second = dealing.deal(pool.map(\.candidate), [.share(1, 40), .share(2, 40)], seed: 2)

        #expect(first.apart.isEmpty && second.apart.isEmpty)
        for (early, late) in zip(first.hands, second.hands) {
            let debtors = Set(early.positions.map { pool[Int($0.place)].candidate.debtor })
            #expect(debtors == Set(late.positions.map { pool[Int($0.place)].candidate.debtor }))
            #expect(late.positions.allSatisfy { $0.reason == .together })
        }
    }

    @Test func `another credit of the debtor wins over the rotation`() {
        var account = DealPool(1)
        account.candidate.debtor = 7
        account.bar([.number(1)])
        var dealing = DelegationDealing(debtors: [7: .number(1)])
        let result = dealing.deal([account.candidate], [.share(1, 1), .share(2, 1)], seed: 1)

        #expect(result.hands[0].positions.map(\.reason) == [.together])
    }

    @Test func `a credit whose agency is full goes to another, and is told`() {
        var account = DealPool(1)
        account.candidate.debtor = 7
        var dealing = DelegationDealing(debtors: [7: .number(1)])
        let result = dealing.deal([account.candidate], [.share(1, 0), .share(2, 1)], seed: 1)

        #expect(result.hands[1].positions.map(\.reason) == [.share])
        #expect(result.apart == [0])
    }

    @Test func `an account that only its former agencies could take is left, with the reason`() {
        var account = DealPool(1)
        account.bar([.number(1), .number(2)])
        let result = deal([account], [.share(1, 1), .share(2, 1)], seed: 1)

        #expect(result.left == [.init(place: 0, reason: .rotation)])
    }

    /// ASG-08
    @Test func `who was not found goes to another agency that searches`() {
        var account = DealPool(1)
        account.candidate.needsSearch = true
        account.bar([.number(2)])
        var searching = [DealShare.share(1, 1), .share(2, 1), .share(3, 1)]
        searching[1].searches = true
        let without = deal([account], searching, seed: 1)
        searching[2].searches = true
        let with = deal([account], searching, seed: 1)

        #expect(without.left == [.init(place: 0, reason: .search)])
        #expect(with.hands[2].positions.map(\.reason) == [.search])
    }

    @Test func `a stratum tells its traits`() {
        let key = StratumKey(tactic: 200, band: 3, balance: 15, probability: 0, employment: 2)

        #expect([key.tactic, key.band, key.balance, key.probability, key.employment] == [200, 3, 15, 0, 2])
    }

    private func deal(_ pool: [DealPool], _ shares: [DealShare], seed: UInt64) -> DealResult {
        var dealing = DelegationDealing()
        return dealing.deal(pool.map(\.candidate), shares, seed: seed)
    }

    private func accounts(_ result: DealResult, _ pool: [DealPool]) -> [[Int64]] {
        result.hands.map { $0.positions.map { pool[Int($0.place)].candidate.account } } + [
            result.left.map { pool[Int($0.place)].candidate.account }
        ]
    }
}

/// A candidate and what the test knows of it.
private struct DealPool {
    var candidate: DealCandidate
    private(set) var had: [AgencyID] = []

    var overdue: Int64 { candidate.overdue }
    var balance: Int64 { candidate.balance }

    init(_ account: Int64, priority: Int16 = 1, tactic: Int = 0, overdue: Int64 = 0) {
        candidate = DealCandidate(
            account: account, priority: priority, stratum: StratumKey(tactic: tactic), overdue: overdue, balance: 0)
    }

    mutating func bar(_ agencies: [AgencyID]) {
        had = agencies
        candidate.former = FormerHolders(agencies)
    }

    static func plain(_ seed: UInt64, count: Int64, classes: UInt64 = 1) -> [DealPool] {
        var random = SplitMix64(seed: seed)
        return (1...count).map { account in
            DealPool(
                account, priority: Int16(random.below(classes)) + 1, tactic: Int(random.below(5)),
                overdue: Int64(random.below(100_000)))
        }
    }

    /// With promises, debtors, former agencies and some who were not found.
    static func mixed(_ seed: UInt64, count: Int64) -> [DealPool] {
        var random = SplitMix64(seed: seed &+ 31)
        return plain(seed, count: count, classes: 3).map { plain in
            var account = plain
            if random.below(10) == 0 { account.candidate.promisedTo = .number(Int32(random.below(4)) + 1) }
            if random.below(4) == 0 { account.candidate.debtor = Int64(random.below(30)) + 1 }
            if random.below(4) == 0 {
                account.bar((0...random.below(3)).map { _ in .number(Int32(random.below(4)) + 1) })
            }
            account.candidate.needsSearch = random.below(12) == 0
            return account
        }
    }

    static func shares(_ seed: UInt64) -> [DealShare] {
        var random = SplitMix64(seed: seed &+ 17)
        return (1...4 as ClosedRange<Int32>).map { number in
            var share = DealShare.share(
                number, Int64(random.below(180)), exposureMax: number == 2 ? Int64(random.below(5_000_000)) : nil)
            share.searches = number > 2
            return share
        }
    }
}

extension DealShare {
    static func share(_ contract: Int32, _ accounts: Int64, exposureMax: Int64? = nil) -> DealShare {
        DealShare(
            contract: .number(contract), agency: .number(contract), accounts: accounts, exposureMax: exposureMax,
            exposure: exposureMax == nil ? .none : .overdue)
    }
}
