// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What the database's clock shows, and whether somebody waits for the nodes to have kept house at that time.
package struct ClockStep: Sendable {
    package let now: Timestamp
    package let isVirtual: Bool
    /// Whoever stepped the virtual clock to `now` waits.
    package let isAwaited: Bool
    /// This session has said that it kept house at `now`.
    package let isKept: Bool
}

/// A step of the virtual clock and the nodes tell each other by the names of their sessions, which everybody may read and which die
/// with the session: nothing is left behind by whoever is killed.
extension PgLink {
    private static let stepper = "reparto-clock"
    /// The session by which a node keeps house.
    package static let keeper = "reparto-upkeep"

    package func readClockStep() throws(PgError) -> ClockStep {
        let row = try run(
            """
            SELECT now_instant(), virtual_now IS NOT NULL,
                virtual_now IS NOT NULL AND EXISTS (SELECT FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = '\(Self.stepper) ' || step),
                current_setting('application_name') = '\(Self.keeper) ' || step
              FROM clock, LATERAL (SELECT (extract(epoch FROM now_instant()) * 1000000)::bigint::text AS step) s
            """)[0]
        return ClockStep(
            now: row.timestamp(0), isVirtual: row.bool(1), isAwaited: row.bool(2), isKept: row.bool(3))
    }

    /// Says that this node has kept house at `now`.
    package func nameKept(_ now: Timestamp) throws(PgError) {
        try script("SET application_name = '\(Self.keeper) \(now.microseconds)'")
    }

    /// Says that this session waits for the nodes at `now`.
    package func nameStep(_ now: Timestamp) throws(PgError) {
        try script("SET application_name = '\(Self.stepper) \(now.microseconds)'")
    }

    /// How many nodes of this database have not kept house at `now` yet.
    package func nodesBehind(_ now: Timestamp) throws(PgError) -> Int64 {
        try run(
            """
            SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE '\(Self.keeper)%' AND application_name <> $1
            """, [.text("\(Self.keeper) \(now.microseconds)")])[0].int64(0)
    }
}
