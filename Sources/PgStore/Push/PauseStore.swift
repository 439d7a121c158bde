// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A pause in force.
package struct PauseRow: Sendable {
    package let place: AgencyPlace
    /// `agency` or `institution`.
    package let side: String
    package let reason: String
    package let since: Timestamp
    package let until: Timestamp?
}

extension PgLink {
    /// Books pauses that are not in force yet, and tells the agencies.
    ///
    /// - Returns: the places that are paused from now on; those that were paused by that side before are not among them.
    package func pause(
        _ places: [AgencyPlace], side: String, reason: String, until: Timestamp?
    ) throws(PgError) -> [AgencyPlace] {
        try run(
            """
            WITH new AS (
                INSERT INTO pause (delegation_id, agency_id, strategy, side, reason, since, until)
                SELECT r.delegation_id, r.agency_id, r.strategy, $4, $5, now_instant(), $6
                  FROM unnest($1::smallint[], $2::integer[], $3::smallint[]) AS r (delegation_id, agency_id, strategy)
                    ON CONFLICT DO NOTHING
                RETURNING delegation_id, agency_id, strategy, until),
            told AS (
                INSERT INTO push (agency_id, kind, delegation_id, strategy, word, at, side)
                SELECT agency_id, 'PAUSED', delegation_id, strategy, $5, until, $4 FROM new)
            SELECT delegation_id, agency_id, strategy FROM new ORDER BY delegation_id, agency_id, strategy
            """, Self.columns(places) + [.text(side), .text(reason), .optional(until)]
        ).compactMap(AgencyPlace.init)
    }

    /// Lifts pauses of one side, and tells the agencies.
    ///
    /// - Returns: the places where there was one.
    package func resume(_ places: [AgencyPlace], side: String) throws(PgError) -> [AgencyPlace] {
        try run(
            """
            WITH gone AS (
                DELETE FROM pause p
                 USING unnest($1::smallint[], $2::integer[], $3::smallint[]) AS r (delegation_id, agency_id, strategy)
                 WHERE p.delegation_id = r.delegation_id AND p.agency_id = r.agency_id AND p.strategy = r.strategy
                   AND p.side = $4
                RETURNING p.delegation_id, p.agency_id, p.strategy),
            told AS (
                INSERT INTO push (agency_id, kind, delegation_id, strategy, side)
                SELECT agency_id, 'RESUMED', delegation_id, strategy, $4 FROM gone)
            SELECT delegation_id, agency_id, strategy FROM gone ORDER BY delegation_id, agency_id, strategy
            """, Self.columns(places) + [.text(side)]
        ).compactMap(AgencyPlace.init)
    }

    /// The pauses in force, by delegation, agency, strategy and side.
    package func readPauses() throws(PgError) -> [PauseRow] {
        try run(
            """
            SELECT delegation_id, agency_id, strategy, side, reason, since, until FROM pause
             ORDER BY delegation_id, agency_id, strategy, side
            """
        ).compactMap(PauseRow.init)
    }

    /// The pauses whose time is over, locked until the end of the transaction.
    package func lockEndedPauses() throws(PgError) -> [PauseRow] {
        try run(
            """
            SELECT delegation_id, agency_id, strategy, side, reason, since, until FROM pause
             WHERE until <= now_instant() ORDER BY delegation_id, agency_id, strategy, side FOR UPDATE SKIP LOCKED
            """
        ).compactMap(PauseRow.init)
    }

    private static func columns(_ places: [AgencyPlace]) -> [PgValue] {
        [
            .int16s(places.map(\.delegation.value)), .int32s(places.map(\.agency.value)),
            .int16s(places.map(\.strategy.rawValue)),
        ]
    }
}

extension AgencyPlace {
    fileprivate init?(_ row: PgRow) {
        guard let delegation = Delegation(row.int16(0)), let agency = AgencyID(row.int32(1)),
            let strategy = Strategy(rawValue: row.int16(2))
        else { return nil }
        self.init(delegation: delegation, agency: agency, strategy: strategy)
    }
}

extension PauseRow {
    fileprivate init?(_ row: PgRow) {
        guard let place = AgencyPlace(row) else { return nil }
        self.init(
            place: place, side: row.text(3), reason: row.text(4), since: row.timestamp(5),
            until: row.optionalTimestamp(6))
    }
}
