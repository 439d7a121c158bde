// SPDX-License-Identifier: Apache-2.0

package import PgStore

/// How long the ledger's oldest block that no chain has yet has been seen to wait, by the looks at which it was there.
///
/// A receipt can be proven once its block is chained. That takes a second; where it takes more than its bound, somebody is told. Knows
/// no clock: it is told when something was seen.
package struct SequencerLag: Sendable {
    /// From here on it is late, unless it is told of another bound.
    package static let usualBound: Duration = .seconds(5)

    package enum Alarm: Equatable, Sendable {
        /// So long by now. Told at the bound, and again each time that it has doubled.
        case late(Duration)
        /// Nothing waits too long any more, so long after the first that did was first seen.
        case level(after: Duration)
    }

    /// The newest block of each look that had a newer one: whatever is not behind it was there at that time.
    private var looks: [(newest: BlockPlace, at: ContinuousClock.Instant)] = []
    private let bound: Duration
    private var nextTold: Duration
    /// When the first block that was told of was first seen.
    private var behindSince: ContinuousClock.Instant?
    /// Looks that are kept. A chain that is behind for very long is measured in larger steps.
    private static let looksMax = 1_000

    package init(bound: Duration = Self.usualBound) {
        self.bound = bound
        self.nextTold = bound
    }

    /// Takes note of the blocks that no chain has, oldest to newest; `nil`: all are chained.
    ///
    /// The oldest one's age counts, whether it is the one of the look before or not: a chain that moves can be behind, too.
    package mutating func note(_ waiting: ClosedRange<BlockPlace>?, at now: ContinuousClock.Instant) -> Alarm? {
        if let waiting {
            looks.removeAll { $0.newest < waiting.lowerBound }
            if looks.last.map({ $0.newest < waiting.upperBound }) ?? true { looks.append((waiting.upperBound, now)) }
            if looks.count > Self.looksMax {
                looks = looks.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            }
        } else {
            looks = []
        }
        let since = looks.first?.at ?? now
        let waited = now - since
        guard waited >= bound else {
            defer { (behindSince, nextTold) = (nil, bound) }
            return behindSince.map { .level(after: now - $0) }
        }
        guard waited >= nextTold else { return nil }
        while nextTold <= waited { nextTold *= 2 }
        behindSince = behindSince ?? since
        return .late(waited)
    }
}
