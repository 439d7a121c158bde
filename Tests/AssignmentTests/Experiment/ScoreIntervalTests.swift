// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ScoreIntervalTests {
    /// The published examples of Newcombe (1998), to the fourth place: a of m against b of n.
    @Test(
        arguments: [
            (56, 70, 48, 80, 52_400, 333_900), (9, 10, 3, 10, 170_500, 809_000), (10, 10, 0, 20, 679_100, 1_000_000),
            (10, 10, 0, 10, 607_500, 1_000_000), (0, 10, 0, 10, -277_500, 277_500), (5, 56, 0, 29, -38_100, 192_600),
        ] as [(Int64, Int64, Int64, Int64, Int64, Int64)])
    func `a difference of shares has the bounds that the method was published with`(
        hits: Int64, size: Int64, others: Int64, otherSize: Int64, lower: Int64, upper: Int64
    ) {
        let interval = SampleShare(hits: hits, of: size).difference(from: SampleShare(hits: others, of: otherSize))

        #expect(abs(interval.lower - lower) <= 60)
        #expect(abs(interval.upper - upper) <= 60)
    }

    @Test func `a share of 81 in 263 has Wilson's published bounds`() {
        let interval = SampleShare(hits: 81, of: 263).interval

        #expect(abs(interval.lower - 255_300) <= 60 && abs(interval.upper - 366_200) <= 60)
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `bounds hold the share, mirror when arms change places, and narrow with more accounts`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let size = Int64(random.next() % 5_000) + 1
        let other = Int64(random.next() % 5_000) + 1
        let one = SampleShare(hits: Int64(random.next() % UInt64(size + 1)), of: size)
        let two = SampleShare(hits: Int64(random.next() % UInt64(other + 1)), of: other)
        let forth = one.difference(from: two)
        let back = two.difference(from: one)
        let more = SampleShare(hits: one.hits * 100, of: one.size * 100)

        #expect(one.interval.lower <= one.millionths && one.millionths <= one.interval.upper)
        #expect(one.interval.lower >= 0 && one.interval.upper <= 1_000_000)
        #expect(forth.lower == -back.upper && forth.upper == -back.lower)
        #expect(forth.lower <= one.millionths - two.millionths && one.millionths - two.millionths <= forth.upper)
        #expect(more.interval.upper - more.interval.lower <= one.interval.upper - one.interval.lower)
    }

    @Test func `the difference of means covers what chance makes, and no more`() throws {
        // 100 accounts that pay 0 or 200.00 in turn: mean 100.00, deviation 100.50; against 100 that pay nothing.
        let paying = SampleMoney(size: 100, sum: 1_000_000, squares: 50 * 20_000 * 20_000)
        let idle = SampleMoney(size: 100, sum: 0, squares: 0)
        let interval = try #require(paying.difference(from: idle))

        #expect(paying.mean == 10_000)
        #expect((8_028...8_031).contains(interval.lower) && (11_969...11_972).contains(interval.upper))
        #expect(interval.excludesZero)
        #expect(try #require(idle.difference(from: idle)).excludesZero == false)
        #expect(SampleMoney(size: 1, sum: 5, squares: 25).difference(from: idle) == nil)
    }
}
