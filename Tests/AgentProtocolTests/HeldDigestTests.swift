// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Testing

struct HeldDigestTests {
    @Test func `one lease has the digest that the document shows`() {
        var digest = HeldDigest.empty
        digest.add(delegation14, anAccount(1_900_012_345), anEpoch(7))

        #expect(digest.count == 1)
        #expect(digest.hex == "bda334d31a9ff12f832772d77aa0f41d")
    }

    @Test func `order does not matter, and what is taken out leaves no trace`() {
        var forward = HeldDigest.empty
        var backward = HeldDigest.empty
        for number in Int64(1)...100 { forward.add(delegation14, anAccount(number), anEpoch(number)) }
        for number in (Int64(1)...101).reversed() { backward.add(delegation14, anAccount(number), anEpoch(number)) }
        #expect(forward != backward)
        backward.subtract(delegation14, anAccount(101), anEpoch(101))

        #expect(forward == backward)
    }

    @Test func `digests of grants add up to the digest of all`() {
        var all = HeldDigest.empty
        var first = HeldDigest.empty
        var second = HeldDigest.empty
        for number in Int64(1)...50 {
            all.add(delegation14, anAccount(number), anEpoch(1))
            if number < 20 { first.add(delegation14, anAccount(number), anEpoch(1)) }
            if number >= 20 { second.add(delegation14, anAccount(number), anEpoch(1)) }
        }
        var sum = first
        sum.add(second)

        #expect(sum == all)
        #expect(HeldDigest(count: sum.count, bytes: sum.bytes) == all)
        sum.subtract(first)
        #expect(sum == second)
    }

    @Test func `nothing held is all zeros`() {
        #expect(HeldDigest.empty.hex == String(repeating: "0", count: 32))
    }
}
