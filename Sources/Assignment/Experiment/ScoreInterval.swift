// SPDX-License-Identifier: Apache-2.0

/// What lies between two bounds with 95 % confidence.
///
/// Proportions are in millionths, means in centavos. Bounds are rounded outwards, so that rounding never makes a
/// difference look surer than it is.
package struct ConfidenceInterval: Hashable, Sendable {
    package let lower: Int64
    package let upper: Int64

    package init(lower: Int64, upper: Int64) {
        self.lower = lower
        self.upper = upper
    }

    /// Whether zero lies outside: then the two arms differ, with that confidence.
    package var excludesZero: Bool { lower > 0 || upper < 0 }
}

/// So many of so many.
package struct SampleShare: Hashable, Sendable {
    package let hits: Int64
    package let size: Int64

    /// - Parameters: `hits` 0...`size`; `size` above zero, at most 100,000,000.
    package init(hits: Int64, of size: Int64) {
        self.hits = hits
        self.size = size
    }

    /// In millionths, rounded to the nearest.
    package var millionths: Int64 { (hits * ConfidenceMethod.whole * 2 / size + 1) / 2 }

    /// Wilson's score interval (Wilson 1927), which stays within 0 and 1 and holds for rare hits too.
    package var interval: ConfidenceInterval {
        let (hits, size) = (Int128(hits), Int128(size))
        let whole = Int128(ConfidenceMethod.whole)
        let square = ConfidenceMethod.squaredQuantile
        // (2x + z² ± √(z⁴ + 4 z² x (n − x) / n)) / 2 (n + z²), all in millionths.
        let middle = 2 * hits * whole + square
        let spread = ConfidenceMethod.rootUp(square * square + 4 * square * hits * (size - hits) * whole / size + 1)
        let below = 2 * (size * whole + square)
        let lower = max(0, (middle - spread) * whole)
        let upper = min(below * whole, (middle + spread) * whole + below - 1)
        return ConfidenceInterval(
            lower: hits == 0 ? 0 : Int64(lower / below), upper: hits == size ? Int64(whole) : Int64(upper / below))
    }

    /// The difference of two independent shares, this one less `other`, in millionths: Newcombe's hybrid score interval
    /// (Newcombe 1998, method 10), made of the two score intervals.
    package func difference(from other: SampleShare) -> ConfidenceInterval {
        let (mine, others) = (interval, other.interval)
        let (share, otherShare) = (Int128(millionths), Int128(other.millionths))
        let difference = share - otherShare
        func root(_ one: Int128, _ two: Int128) -> Int128 { ConfidenceMethod.rootUp(one * one + two * two) }
        let down = root(share - Int128(mine.lower), Int128(others.upper) - otherShare)
        let up = root(Int128(mine.upper) - share, otherShare - Int128(others.lower))
        return ConfidenceInterval(
            lower: Int64(max(difference - down, -Int128(ConfidenceMethod.whole))),
            upper: Int64(min(difference + up, Int128(ConfidenceMethod.whole))))
    }
}

/// Centavos of so many accounts: their number, their sum and the sum of their squares.
package struct SampleMoney: Hashable, Sendable {
    package let size: Int64
    package let sum: Int64
    package let squares: Int128

    /// - Parameters: `size` above zero; `squares` at least `sum`² / `size`.
    package init(size: Int64, sum: Int64, squares: Int128) {
        self.size = size
        self.sum = sum
        self.squares = squares
    }

    /// Centavos per account, rounded toward zero.
    package var mean: Int64 { sum / size }

    /// The difference of two independent means, this one less `other`, in centavos: Welch's interval with the quantile
    /// of the normal distribution, for samples of some dozens and more. `nil` for fewer than two accounts.
    package func difference(from other: SampleMoney) -> ConfidenceInterval? {
        guard size > 1, other.size > 1 else { return nil }
        let whole = Int128(ConfidenceMethod.whole)
        // z² (s₁²/n₁ + s₂²/n₂), in centavos squared.
        let variance = meanVariance + other.meanVariance
        let spread = ConfidenceMethod.rootUp(variance * ConfidenceMethod.squaredQuantile / whole + 1)
        let difference = mean - other.mean
        return ConfidenceInterval(lower: difference - Int64(spread) - 1, upper: difference + Int64(spread) + 1)
    }

    /// s²/n in centavos squared, rounded up.
    private var meanVariance: Int128 {
        let size = Int128(size)
        let sum = Int128(sum)
        let scatter = max(0, squares - sum * sum / size)
        return scatter / ((size - 1) * size) + 1
    }
}

/// What the intervals have in common. Integers throughout: the same counts give the same bounds on every machine.
package enum ConfidenceMethod {
    package static let names =
        "shares: Newcombe's hybrid score interval, method 10; money: Welch's interval; both two-sided at 95 %"
    /// Shares are counted in millionths.
    static let whole: Int64 = 1_000_000
    /// z² for 95 %, z = 1.959964, in millionths.
    static let squaredQuantile: Int128 = 3_841_459

    /// The square root, rounded up.
    static func rootUp(_ value: Int128) -> Int128 {
        guard value > 0 else { return 0 }
        var low: Int128 = 0
        var high: Int128 = 1 << 63
        while low < high {
            let middle = low + (high - low) / 2
            if middle * middle >= value { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
