// SPDX-License-Identifier: Apache-2.0

package import Assignment

extension PgLink {
    /// The municipalities with a conciliation centre, with since when, in their order.
    package func readCentres() throws(PgError) -> [(town: Municipality, since: Timestamp)] {
        try run("SELECT municipality, since FROM conciliation_centre ORDER BY municipality").compactMap { row in
            Municipality(row.int32(0)).map { ($0, row.timestamp(1)) }
        }
    }

    /// - Returns: whether it was new.
    package func insertCentre(_ town: Municipality) throws(PgError) -> Bool {
        try run(
            """
            INSERT INTO conciliation_centre (delegation_id, municipality, since) VALUES ($1, $2, now_instant())
                ON CONFLICT DO NOTHING
            """, [.int16(town.delegation.value), .int32(town.value)]
        ).affected == 1
    }

    /// - Returns: whether it was there.
    package func deleteCentre(_ town: Municipality) throws(PgError) -> Bool {
        try run(
            "DELETE FROM conciliation_centre WHERE delegation_id = $1 AND municipality = $2",
            [.int16(town.delegation.value), .int32(town.value)]
        ).affected == 1
    }
}
