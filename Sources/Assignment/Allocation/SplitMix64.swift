// SPDX-License-Identifier: Apache-2.0

/// A stream of numbers that depends on its seed alone, on every platform and in every version of Swift: what the seed
/// recorded in a plan shuffles today, it shuffles the same way in ten years.
///
/// The algorithm is Steele, Lea and Flood's SplitMix64.
package struct SplitMix64: Hashable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    /// A stream of its own for each combination of parts.
    package init(seed: UInt64, parts: [UInt64]) {
        var mixed = SplitMix64(seed: seed)
        for part in parts { mixed = SplitMix64(seed: mixed.next() ^ part) }
        self.state = mixed.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// One of 0..<bound, each as likely as the others. `bound` is above zero.
    package mutating func below(_ bound: UInt64) -> UInt64 {
        // What would make the first results likelier than the rest is drawn again.
        let unfair = (0 &- bound) % bound
        while true {
            let (high, low) = next().multipliedFullWidth(by: bound)
            if low >= unfair { return high }
        }
    }

    /// Puts the elements into an order of which each is as likely (Fisher and Yates, from the end).
    package mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, Int(below(UInt64(last) + 1)))
        }
    }
}
