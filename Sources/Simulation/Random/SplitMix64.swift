// SPDX-License-Identifier: Apache-2.0

/// A small, fast generator whose whole state is one word, so that every account, agency and day can have its own
/// stream and the result does not depend on how many others were made before it.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
package struct SplitMix64: Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    /// The stream of one thing among many: same seed and same number, same stream.
    package init(seed: UInt64, stream: UInt64) {
        var mixer = SplitMix64(seed: seed ^ (stream &* 0xD1B5_4A32_D192_ED03))
        self.state = mixer.next()
    }

    /// The stream of one thing that is named by several numbers.
    package init(seed: UInt64, _ parts: Int...) {
        var mixed = seed
        for part in parts {
            var mixer = SplitMix64(seed: mixed, stream: UInt64(bitPattern: Int64(part)))
            mixed = mixer.next()
        }
        self.state = mixed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// One of 0..<bound, each as likely as the other to within bound/2⁶⁴.
    package mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    package mutating func between(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True `perTenThousand` times of ten thousand.
    package mutating func chance(_ perTenThousand: Int) -> Bool { below(10_000) < perTenThousand }

    /// The index of one of the weights, as often as its weight says. The weights must not all be zero.
    package mutating func index(weights: [Int]) -> Int {
        var left = below(weights.reduce(0, +))
        for (index, weight) in weights.enumerated() {
            if left < weight { return index }
            left -= weight
        }
        return weights.count - 1
    }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
