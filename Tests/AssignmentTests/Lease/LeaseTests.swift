// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

extension Timestamp {
    static func second(_ value: Int64) -> Timestamp { Timestamp(microseconds: value * 1_000_000) }
}

extension GrantStateMachine {
    static func open(term: Timestamp, ceiling: Timestamp, grace: Duration = .zero) -> GrantStateMachine {
        GrantStateMachine(state: .open(term: term, ceiling: ceiling), grantedAt: .second(0), grace: grace)
    }
}

struct GrantStateMachineTests {
    @Test func `a late extension does not bring the grant back`() {
        var grant = GrantStateMachine.open(term: .second(60), ceiling: .second(300))

        #expect(grant.extend(to: .second(120), at: .second(61), credit: .zero, bar: nil) == .refuseExpired)
        #expect(grant.state == .open(term: .second(60), ceiling: .second(300)))
    }

    @Test(arguments: [(300, true), (301, false)] as [(Int64, Bool)])
    func `an extension reaches its ceiling and no further`(wanted: Int64, isWritten: Bool) {
        var grant = GrantStateMachine.open(term: .second(60), ceiling: .second(300))
        let action = grant.extend(to: .second(wanted), at: .second(10), credit: .zero, bar: nil)

        #expect((action == .write(term: .second(wanted))) == isWritten)
        #expect((action == .refuseBeyond(ceiling: .second(300))) != isWritten)
    }

    @Test(
        arguments: [GrantStateMachine.ExtensionBar.terminated, AccountID(1_001).map { .noticed($0) }].compactMap(\.self)
    )
    func `a grant is not extended while a recall waits or its holder is terminated, and each has its word`(
        bar: GrantStateMachine.ExtensionBar
    ) {
        var grant = GrantStateMachine.open(term: .second(60), ceiling: .second(300))

        #expect(grant.extend(to: .second(90), at: .second(10), credit: .zero, bar: bar) == .refuseBarred(bar))
    }

    @Test(arguments: [(84, false), (85, true), (86, true)] as [(Int64, Bool)])
    func `the sweep closes after term, grace and credit, and never before`(now: Int64, closes: Bool) {
        var grant = GrantStateMachine.open(term: .second(60), ceiling: .second(300), grace: .seconds(20))
        let action = grant.sweep(at: .second(now), credit: .seconds(5))

        #expect((action == .close(at: .second(85))) == closes)
        #expect((action == .keep) != closes)
    }
}

struct HandDrawTests {
    static func window(_ positions: ClosedRange<Int32>, ended: Set<Int32> = [], exposure: Int64 = 100)
        -> [DealtPosition]
    {
        positions.compactMap { position in
            guard !ended.contains(position), let account = AccountID(Int64(position)), let epoch = Epoch(1) else {
                return nil
            }
            return DealtPosition(position: position, account: account, epoch: epoch, exposure: Cents(exposure))
        }
    }
    static func quota(accounts: Int64, exposure: Cents? = nil, granted: Int64 = 0, released: Int64 = 0) -> QuotaBalance
    {
        QuotaBalance(
            limitAccounts: accounts, limitExposure: exposure, grantedAccounts: granted,
            grantedExposure: Cents(granted * 100), releasedAccounts: released, releasedExposure: Cents(released * 100))
    }

    @Test func `a pull takes the next accounts in dealt order`() {
        var hand = HandDraw(cursor: 0, size: 5, window: Self.window(1...5), seen: 5)
        var quota = Self.quota(accounts: 10)
        let draw = hand.take(2, from: &quota, hasMoreHands: false)

        #expect(draw.taken.map(\.position) == [1, 2])
        #expect(draw.stop == .limit)
        #expect(quota.heldAccounts == 2)
        #expect(hand.left == 3)
    }

    @Test func `an excluded account is passed over and said so`() {
        var hand = HandDraw(cursor: 0, size: 4, window: Self.window(1...4, ended: [1, 3]), seen: 4)
        var quota = Self.quota(accounts: 10)
        let draw = hand.take(2, from: &quota, hasMoreHands: false)

        #expect(draw.taken.map(\.position) == [2, 4])
        #expect(draw.skipped == [1, 3])
        #expect(draw.exposure == Cents(200))
    }

    @Test func `excluded accounts up to where was looked are passed over, and the hand has more`() {
        var hand = HandDraw(cursor: 0, size: 9, window: Self.window(1...4, ended: [3, 4]), seen: 4)
        var quota = Self.quota(accounts: 10)
        let draw = hand.take(5, from: &quota, hasMoreHands: false)

        #expect(draw.taken.map(\.position) == [1, 2])
        #expect(draw.skipped == [3, 4])
        #expect(draw.last == 4)
        #expect(draw.stop == .hand)
        #expect(hand.left == 5)
    }

    @Test(arguments: [(2, 2, PullStop.limit), (3, 3, .limit), (4, 3, .quota)] as [(Int, Int, PullStop)])
    func `a quota holds at, below and above its limit`(max: Int, taken: Int, stop: PullStop) {
        var hand = HandDraw(cursor: 0, size: 9, window: Self.window(1...9), seen: 9)
        var quota = Self.quota(accounts: 5, granted: 4, released: 2)
        let draw = hand.take(max, from: &quota, hasMoreHands: false)

        #expect(draw.taken.count == taken)
        #expect(draw.stop == stop)
    }

    @Test(arguments: [(299, 2), (300, 3), (301, 3)] as [(Int64, Int)])
    func `a bond covers to the centavo`(limit: Int64, taken: Int) {
        var hand = HandDraw(cursor: 0, size: 9, window: Self.window(1...9), seen: 9)
        var quota = Self.quota(accounts: 100, exposure: Cents(limit))
        let draw = hand.take(5, from: &quota, hasMoreHands: false)

        #expect(draw.taken.count == taken)
        #expect(draw.stop == .bond)
    }

    @Test func `a quota lowered below what is held grants nothing`() {
        var hand = HandDraw(cursor: 0, size: 9, window: Self.window(1...9), seen: 9)
        var quota = Self.quota(accounts: 1, granted: 4)
        let draw = hand.take(1, from: &quota, hasMoreHands: false)

        #expect(draw.taken.isEmpty)
        #expect(draw.stop == .quota)
        #expect(hand.cursor == 0)
    }

    @Test(arguments: [(false, PullStop.empty), (true, .hand)] as [(Bool, PullStop)])
    func `the end of a hand says whether there is another`(hasMore: Bool, stop: PullStop) {
        var hand = HandDraw(cursor: 8, size: 9, window: Self.window(9...9), seen: 9)
        var quota = Self.quota(accounts: 100)
        let draw = hand.take(5, from: &quota, hasMoreHands: hasMore)

        #expect(draw.taken.map(\.position) == [9])
        #expect(draw.stop == stop)
    }

    @Test(arguments: 0..<50)
    func `pulls of any size take every live account once and stay within the quota`(seed: UInt64) {
        var random = TestRandom(seed: seed)
        let ended = Set((1...60 as ClosedRange<Int32>).filter { _ in random.next() % 5 == 0 })
        var hand = HandDraw(cursor: 0, size: 60, window: Self.window(1...60, ended: ended), seen: 60)
        let limit = Int64(random.next() % 70)
        var quota = Self.quota(accounts: limit)
        var seen: [Int32] = []
        for _ in 0..<80 {
            seen += hand.take(Int(random.next() % 7) + 1, from: &quota, hasMoreHands: false).taken.map(\.position)
        }

        #expect(seen == seen.sorted())
        #expect(Set(seen).count == seen.count)
        #expect(Set(seen).isDisjoint(with: ended))
        #expect(seen.count == min(Int(limit), 60 - ended.count))
    }
}

/// A small seeded generator, so that a failing seed repeats.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { self.state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

struct LeaseJudgementTests {
    static func facts(
        ending: LeaseFacts.Ending? = nil, laterEpoch: Int64? = nil
    ) throws -> LeaseFacts {
        LeaseFacts(
            holder: try #require(AgencyID(7)), grant: .open(term: .second(1_000), ceiling: .second(2_000)),
            credit: .zero,
            ending: ending, laterEpoch: laterEpoch.flatMap(Epoch.init), holdsLater: false,
            lateReport: .seconds(100))
    }

    @Test(arguments: [(999, nil), (1_000, .expired), (1_001, .expired)] as [(Int64, StaleReason?)])
    func `a lease is live until its enforced term`(now: Int64, reason: StaleReason?) throws {
        #expect(try Self.facts().staleness(for: try #require(AgencyID(7)), at: .second(now)) == reason)
    }

    @Test(
        arguments: [
            (.recall, .recalled), (.exclusion, .recalled), (.withdrawal, .recalled), (.return, .closed),
            (.payoff, .closed),
            (.agreement, .closed), (.sweep, .expired),
        ] as [(EndingKind, StaleReason)])
    func `every ending has its own name`(kind: EndingKind, reason: StaleReason) throws {
        let facts = try Self.facts(ending: .init(kind: kind, at: .second(500)))

        #expect(facts.staleness(for: try #require(AgencyID(7)), at: .second(600)) == reason)
    }

    @Test func `another agency's lease is unknown, whatever became of it`() throws {
        let facts = try Self.facts(ending: .init(kind: .recall, at: .second(500)), laterEpoch: 9)

        #expect(facts.staleness(for: try #require(AgencyID(8)), at: .second(600)) == .unknown)
    }

    @Test func `a later epoch says reassigned`() throws {
        let facts = try Self.facts(ending: .init(kind: .sweep, at: .second(500)), laterEpoch: 9)

        #expect(facts.staleness(for: try #require(AgencyID(7)), at: .second(600)) == .reassigned)
    }

    @Test(
        arguments: [
            (.recall, 499, 600, .counts), (.recall, 500, 600, .doesNot), (.recall, 499, 601, .waits),
            (.payoff, 499, 600, .counts), (.sweep, 499, 601, .waits),
            (.return, 499, 510, .doesNot), (.agreement, 499, 510, .doesNot),
        ] as [(EndingKind, Int64, Int64, LeaseFacts.LateJudgement)])
    func `late work counts inside the lease and the span, waits beyond the span, and not after a return`(
        kind: EndingKind, worked: Int64, now: Int64, judgement: LeaseFacts.LateJudgement
    ) throws {
        let facts = try Self.facts(ending: .init(kind: kind, at: .second(500)))

        #expect(facts.judgeLate(workedAt: .second(worked), at: .second(now)) == judgement)
    }

    /// The term is enforced until the thousandth second.
    @Test(arguments: [1_000, 1_500] as [Int64], EndingKind.allCases)
    func `what ends the deal after the term ends nothing of the lease`(at: Int64, kind: EndingKind) throws {
        let facts = try Self.facts(ending: .init(kind: kind, at: .second(at)))

        #expect(facts.end == .second(1_000))
        #expect(facts.staleness(for: try #require(AgencyID(7)), at: .second(at)) == .expired)
        #expect(facts.judgeLate(workedAt: .second(1_400), at: .second(at)) == .doesNot)
        #expect(facts.judgeLate(workedAt: .second(1_000), at: .second(at)) == .doesNot)
        #expect(facts.judgeLate(workedAt: .second(999), at: .second(1_100)) == .counts)
        #expect(facts.judgeLate(workedAt: .second(999), at: .second(1_101)) == .waits)
    }

    @Test func `late work waits for a person once the account has a next holder`() throws {
        let facts = try Self.facts(ending: .init(kind: .recall, at: .second(500)), laterEpoch: 9)

        #expect(facts.judgeLate(workedAt: .second(400), at: .second(510)) == .waits)
    }
}

struct LeaseTermsTests {
    @Test func `a term ends at midnight and not after the contract`() throws {
        let now = try #require(Timestamp(text: "2024-03-04T15:00:00Z"))
        let terms = LeaseTerms(
            termDays: 30, ceilingDays: 60, grace: .zero, lateReport: .zero,
            contractEndsOn: try #require(LocalDate(text: "2024-04-10")))

        #expect(terms.term(from: now).description == "2024-04-03T06:00:00.000Z")
        #expect(terms.ceiling(from: now).description == "2024-04-11T06:00:00.000Z")
    }
}

struct ContactWindowTests {
    @Test(arguments: [
        ("2024-03-04T12:59:59Z", false), ("2024-03-04T13:00:00Z", true), ("2024-03-05T03:59:59Z", true),
        ("2024-03-05T04:00:00Z", false),
    ])
    func `contact is allowed from seven to ten by the debtor's clocks`(instant: String, isAllowed: Bool) throws {
        let instant = try #require(Timestamp(text: instant))

        #expect(
            ContactRules(packs: []).marks(.phoneOut, at: instant, in: .mexicoCity, isVisitBanned: false).isEmpty
                == isAllowed)
    }

    @Test(arguments: [("2024-03-10T09:59:59Z", -8), ("2024-03-10T10:00:00Z", -7), ("2024-11-03T09:00:00Z", -8)])
    func `the border follows the daylight saving time of the United States`(instant: String, hours: Int) throws {
        let instant = try #require(Timestamp(text: instant))

        #expect(MexicanTimeZone.tijuana.offsetSeconds(at: instant) == hours * 3_600)
    }
}
