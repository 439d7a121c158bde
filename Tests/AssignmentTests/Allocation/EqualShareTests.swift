// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct EqualShareTests {
    @Test(
        arguments: [
            (10, [9, 9, 9], [4, 3, 3]), (9, [9, 9, 9], [3, 3, 3]), (10, [1, 9, 9], [1, 5, 4]),
            (10, [9, 1, 9], [5, 1, 4]),
            (10, [2, 3, 4], [2, 3, 4]), (0, [5, 5], [0, 0]), (3, [0, 0], [0, 0]), (1, [1, 1], [1, 0]),
            (7, [3, 3, 2], [3, 2, 2]), (8, [3, 3, 2], [3, 3, 2]), (9, [3, 3, 2], [3, 3, 2]),
        ] as [(Int64, [Int64], [Int64])])
    func `pieces are shared equally up to each limit, leftovers in order`(
        amount: Int64, limits: [Int64], shares: [Int64]
    ) {
        #expect(EqualShares.fill(amount, limits: limits) == shares)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `shares agree with brute force on small instances`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let limits = (0..<Int(1 + random.below(4))).map { _ in Int64(random.below(6)) }
        let amount = Int64(random.below(14))

        #expect(EqualShares.fill(amount, limits: limits) == flattest(amount, limits))
    }

    @Test(
        arguments: [
            (100, [1, 1, 1], [34, 33, 33]), (10, [1, 2, 7], [1, 2, 7]), (5, [0, 0], [0, 0]), (0, [1, 2], [0, 0]),
            (2, [3, 3, 4], [1, 0, 1]),
        ] as [(Int64, [Int64], [Int64])])
    func `an amount is split in proportion, leftovers to the largest remainders`(
        amount: Int64, weights: [Int64], parts: [Int64]
    ) {
        #expect(EqualShares.proportion(amount, weights: weights) == parts)
    }

    /// Among all divisions of as much as fits the one with the smallest sum of squares, and of those the one that
    /// gives most to the first.
    private func flattest(_ amount: Int64, _ limits: [Int64]) -> [Int64] {
        var all: [[Int64]] = [[]]
        for limit in limits { all = all.flatMap { head in (0...limit).map { head + [$0] } } }
        let total = min(amount, limits.reduce(0, +))
        return
            all.filter { $0.reduce(0, +) == total }
            .min { left, right in
                let (a, b) = (left.reduce(0) { $0 + $1 * $1 }, right.reduce(0) { $0 + $1 * $1 })
                return a == b ? right.lexicographicallyPrecedes(left) : a < b
            } ?? []
    }
}
