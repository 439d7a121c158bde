// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ProportionTests {
    @Test(
        arguments: [
            (100, [1, 1, 1], [34, 33, 33]), (10, [1, 2, 7], [1, 2, 7]), (5, [0, 0], [0, 0]), (0, [1, 2], [0, 0]),
            (2, [3, 3, 4], [1, 0, 1]),
        ] as [(Int64, [Int64], [Int64])])
    func `an amount is split in proportion, leftovers to the largest remainders`(
        amount: Int64, weights: [Int64], parts: [Int64]
    ) {
        #expect(Proportion.split(amount, weights: weights) == parts)
    }
}
