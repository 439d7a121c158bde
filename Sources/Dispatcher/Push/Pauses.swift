// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment
package import PgStore

/// Pauses of a strategy: by an agency (QUIET) or by the institution (`dispatcherd pause`). Each has a record and a push; a pull of a
/// paused strategy brings nothing, and what is held stays held.
package enum Pauses {
    package enum Side: String, Sendable { case agency, institution }

    /// Pauses or resumes. The caller holds a transaction.
    ///
    /// - Returns: the places at which something changed.
    @discardableResult
    package static func set(
        _ link: PgLink, _ places: [AgencyPlace], side: Side, isPaused: Bool, reason: String, until: Timestamp? = nil
    ) throws -> [AgencyPlace] {
        let changed =
            isPaused
            ? try link.pause(places, side: side.rawValue, reason: reason, until: until)
            : try link.resume(places, side: side.rawValue)
        try record(link, changed.map { ($0, side.rawValue) }, reason: reason, isLifted: !isPaused)
        return changed
    }

    /// Lifts the pauses whose time is over.
    package static func liftEnded(_ link: PgLink) throws {
        try link.transaction {
            for pause in try link.lockEndedPauses() {
                guard let side = Side(rawValue: pause.side) else { continue }
                try set(link, [pause.place], side: side, isPaused: false, reason: "time-over")
            }
        }
    }

    private static func record(
        _ link: PgLink, _ places: [(AgencyPlace, String)], reason: String, isLifted: Bool
    ) throws {
        let now = try link.readNow()
        let period = Period.ofWork(at: now)
        try link.insertBlocks(
            LedgerBlock.seal(
                places.map { place, side in
                    .pause(place, side: side, reason: reason, isLifted: isLifted, period: period, at: now)
                }))
    }
}
