// SPDX-License-Identifier: Apache-2.0

package import PgStore
internal import Synchronization

/// What one process has seen of its database: one that later knows of fewer beats has lost commits, whatever it says of itself.
package final class HomeWitness: Sendable {
    private let beats = Mutex<Int64>(0)

    package init() {}

    /// Looks where the database lives and beats there, in this order: by the latest beat a failover is told from a restore.
    package func beat(_ link: PgLink) throws {
        try link.checkHome(seenBeats: beats.withLock { $0 })
        let count = try link.bookOutage()
        beats.withLock { $0 = max($0, count) }
    }
}
