// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A territory in which a rule pack has no visits.
package struct VisitBan: Hashable, Sendable {
    package let delegation: Delegation
    /// `nil`: the whole delegation.
    package let municipality: Municipality?
    package let pack: RulePack

    package init(delegation: Delegation, municipality: Municipality?, pack: RulePack) {
        self.delegation = delegation
        self.municipality = municipality
        self.pack = pack
    }
}

extension PgLink {
    /// The bans in force, with since when, by territory and pack.
    package func readVisitBans() throws(PgError) -> [(ban: VisitBan, since: Timestamp)] {
        try run(
            """
            SELECT delegation_id, municipality, rule_pack, since FROM visit_ban
             ORDER BY delegation_id, municipality, rule_pack
            """
        ).compactMap { row in
            guard let delegation = Delegation(row.int16(0)), let pack = RulePack(rawValue: row.text(2)) else {
                return nil
            }
            return (
                VisitBan(delegation: delegation, municipality: Municipality(row.int32(1)), pack: pack), row.timestamp(3)
            )
        }
    }

    /// - Returns: whether it was new.
    package func insertVisitBan(_ ban: VisitBan) throws(PgError) -> Bool {
        try run(
            """
            INSERT INTO visit_ban (delegation_id, municipality, rule_pack, since) VALUES ($1, $2, $3, now_instant())
                ON CONFLICT DO NOTHING
            """, values(ban)
        ).affected == 1
    }

    /// - Returns: whether it was there.
    package func deleteVisitBan(_ ban: VisitBan) throws(PgError) -> Bool {
        try run(
            "DELETE FROM visit_ban WHERE delegation_id = $1 AND municipality = $2 AND rule_pack = $3", values(ban)
        ).affected == 1
    }

    private func values(_ ban: VisitBan) -> [PgValue] {
        [.int16(ban.delegation.value), .int32(ban.municipality?.value ?? 0), .text(ban.pack.rawValue)]
    }
}
