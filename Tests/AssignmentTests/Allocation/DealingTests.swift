// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct DealingTests {
    @Test func `a hand goes by priority class`() {
        let dealt = Dealing(pool(seed: 1, count: 500), shares: [.share(1, 250), .share(2, 250)], seed: 7)

        for hand in dealt.hands {
            let classes = hand.places.map { pool(seed: 1, count: 500)[$0].priority }
            #expect(classes == classes.sorted())
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `every account is dealt once or left, and nobody gets more than the quota`(seed: UInt64) {
        let candidates = pool(seed: seed, count: 400)
        let shares = shares(seed: seed)
        let dealt = Dealing(candidates, shares: shares, seed: seed)

        let everything = dealt.hands.flatMap(\.places) + dealt.beyondQuota + dealt.beyondBond
        #expect(everything.sorted() == Array(candidates.indices))
        for (hand, share) in zip(dealt.hands, shares) {
            let exposure = hand.places.reduce(0) {
                $0 + share.exposure.of(overdue: candidates[$1].overdue, balance: candidates[$1].balance)
            }
            #expect(Int64(hand.places.count) <= share.accounts)
            #expect(hand.exposure == exposure)
            #expect(exposure <= share.exposureMax ?? Int64.max)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `the order of the input does not matter`(seed: UInt64) {
        var candidates = pool(seed: seed, count: 300)
        let shares = shares(seed: seed)
        let before = accounts(Dealing(candidates, shares: shares, seed: 5), candidates)
        var random = SplitMix64(seed: seed)
        random.shuffle(&candidates)

        #expect(accounts(Dealing(candidates, shares: shares.reversed(), seed: 5), candidates) == before)
    }

    @Test func `another seed deals another order`() {
        let candidates = pool(seed: 3, count: 300)
        let shares = [Dealing.Share.share(1, 150), .share(2, 150)]

        #expect(
            accounts(Dealing(candidates, shares: shares, seed: 5), candidates)
                != accounts(Dealing(candidates, shares: shares, seed: 6), candidates))
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `each hand has of every stratum and class its part of the pool's, within two accounts`(seed: UInt64) {
        let candidates = pool(seed: seed, count: 3_000)
        let shares = [Dealing.Share.share(1, 1_500), .share(2, 900), .share(3, 600)]
        let dealt = Dealing(candidates, shares: shares, seed: seed)

        for priority in 1...3 as ClosedRange<Int16> {
            for stratum in 0...4 as ClosedRange<Int16> {
                let isMember = { (place: Int) in
                    candidates[place].priority == priority && candidates[place].stratum == stratum
                }
                let whole = Int64(candidates.indices.filter(isMember).count)
                for (hand, share) in zip(dealt.hands, shares) {
                    let part = Int64(hand.places.filter(isMember).count)
                    #expect(abs(part * 3_000 - whole * share.accounts) <= 2 * 3_000)
                }
            }
        }
    }

    @Test(arguments: [1_500, 3_000, 4_500])
    func `early and late pullers of a class get the same mixture of strata`(moment: Int) {
        let candidates = pool(seed: 11, count: 6_000, classes: 1)
        let hand = Dealing(candidates, shares: [.share(1, 6_000)], seed: 2).hands[0].places
        let pulled = hand.prefix(moment)

        for stratum in 0...4 as ClosedRange<Int16> {
            let whole = hand.filter { candidates[$0].stratum == stratum }.count
            let part = pulled.filter { candidates[$0].stratum == stratum }.count
            #expect(abs(part * 6_000 - whole * pulled.count) <= 6_000)
        }
    }

    @Test func `what no quota is left for is of the lowest priority`() {
        let candidates = pool(seed: 4, count: 600)
        let dealt = Dealing(candidates, shares: [.share(1, 100), .share(2, 150)], seed: 1)

        let dealtClasses = dealt.hands.flatMap(\.places).map { candidates[$0].priority }
        let leftClasses = dealt.beyondQuota.map { candidates[$0].priority }
        #expect(dealt.beyondQuota.count == 350)
        #expect((dealtClasses.max() ?? 0) <= (leftClasses.min() ?? 0))
    }

    @Test(arguments: [(299, 2, 1), (300, 3, 0), (301, 3, 0), (99, 0, 3)] as [(Int64, Int, Int)])
    func `a hand is trimmed at the exact centavo`(limit: Int64, dealt: Int, refused: Int) {
        let candidates = (1...3).map {
            Dealing.Candidate(account: $0, priority: 1, stratum: 0, overdue: 100, balance: 0)
        }
        let share = Dealing.Share(contract: .number(1), accounts: 3, exposureMax: limit, exposure: .overdue)
        let result = Dealing(candidates, shares: [share], seed: 1)

        #expect(result.hands[0].places.count == dealt)
        #expect(result.beyondBond.count == refused)
    }

    private func accounts(_ dealt: Dealing, _ candidates: [Dealing.Candidate]) -> [[Int64]] {
        dealt.hands.map { $0.places.map { candidates[$0].account } } + [
            dealt.beyondQuota.map { candidates[$0].account }
        ]
    }

    private func pool(seed: UInt64, count: Int, classes: UInt64 = 3) -> [Dealing.Candidate] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { number in
            Dealing.Candidate(
                account: Int64(number) + 1, priority: Int16(random.below(classes)) + 1, stratum: Int16(random.below(5)),
                overdue: Int64(random.below(1_000_000)), balance: Int64(random.below(40_000_000)))
        }
    }

    private func shares(seed: UInt64) -> [Dealing.Share] {
        var random = SplitMix64(seed: seed &+ 77)
        return (1...4 as ClosedRange<Int32>).map { number in
            let isLimited = random.below(2) == 0
            return Dealing.Share(
                contract: .number(number), accounts: Int64(random.below(160)),
                exposureMax: isLimited ? Int64(random.below(30_000_000)) : nil, exposure: isLimited ? .overdue : .none)
        }
    }
}

extension Dealing.Share {
    static func share(_ contract: Int32, _ accounts: Int64) -> Dealing.Share {
        Dealing.Share(contract: .number(contract), accounts: accounts, exposureMax: nil, exposure: .none)
    }
}
