// SPDX-License-Identifier: Apache-2.0

package import PgStore

/// How long the ledger's oldest block that no chain has yet has been seen to wait.
///
/// A receipt can be proven once its block is chained. That takes a second; where it takes more than its bound, somebody is told. Knows
/// no clock: it is told when something was seen.
package struct SequencerLag: Sendable {
    /// From here on it is late, unless it is told of another bound.
    package static let usualBound: Duration = .seconds(5)

    package enum Alarm: Equatable, Sendable {
        /// So long by now. Told at the bound, and again each time that it has doubled.
        case late(Duration)
        /// What was told of is chained, so long after it was first seen.
        case level(after: Duration)
    }

    private var oldest: (block: BlockPlace, since: ContinuousClock.Instant)?
    private let bound: Duration
    private var nextTold: Duration

    package init(bound: Duration = Self.usualBound) {
        self.bound = bound
        self.nextTold = bound
    }

    /// Takes note of the oldest unchained block; `nil`: all are chained.
    package mutating func note(_ block: BlockPlace?, at now: ContinuousClock.Instant) -> Alarm? {
        let waited = oldest.map { now - $0.since } ?? .zero
        guard let block, block == oldest?.block else {
            let wasTold = nextTold > bound
            oldest = block.map { ($0, now) }
            nextTold = bound
            return wasTold ? .level(after: waited) : nil
        }
        guard waited >= nextTold else { return nil }
        while nextTold <= waited { nextTold *= 2 }
        return .late(waited)
    }
}
