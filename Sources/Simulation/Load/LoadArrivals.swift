// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// When the pulls of an open loop are due, one after the other: the same for the same rate, spread and seed.
struct LoadArrivals {
    private let pullsPerSecond: Int
    private let spread: LoadSettings.Spread
    private var random: SplitMix64
    private var sent = 0
    /// Nanoseconds behind the beginning.
    private(set) var next: Int64 = 0

    /// - Parameter pullsPerSecond: 1 or more, on the average.
    init(pullsPerSecond: Int, spread: LoadSettings.Spread, seed: UInt64) {
        self.pullsPerSecond = pullsPerSecond
        self.spread = spread
        random = SplitMix64(seed: seed, 0xA881)
    }

    /// - Returns: the instant that was due; the first one is due at the beginning.
    mutating func take() -> Int64 {
        let due = next
        sent += 1
        switch spread {
        case .even: next = Int64(sent) * 1_000_000_000 / Int64(pullsPerSecond)
        case .poisson:
            // Above 0 and at most 1: 53 bits are what a Double holds.
            let drawn = Double((random.next() >> 11) + 1) / Double(1 << 53)
            next += Int64(-log(drawn) * 1_000_000_000 / Double(pullsPerSecond))
        }
        return due
    }
}
