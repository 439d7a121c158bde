// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What was ordered about an agency: whether it is given work, of which strategy and band, and why.
package struct AgencyOrderRow: Sendable {
    package enum Action: String, Sendable, CaseIterable { case hold, release, suspend, terminate }
    /// What becomes of the accounts that the agency holds.
    package enum Held: String, Sendable { case keep, recall }

    package let agency: AgencyID
    package let action: Action
    package let strategy: Strategy?
    /// A tactic of the policy that places the month; `nil`: every one of the strategy.
    package let band: String?
    package let motive: String
    package let held: Held
    /// When the recall of what is held is final.
    package let finalAt: Timestamp?
    package let by: String
    package let at: Timestamp

    package init(
        agency: AgencyID, action: Action, strategy: Strategy?, band: String?, motive: String, held: Held,
        finalAt: Timestamp?, by: String, at: Timestamp
    ) {
        self.agency = agency
        self.action = action
        self.strategy = strategy
        self.band = band
        self.motive = motive
        self.held = held
        self.finalAt = finalAt
        self.by = by
        self.at = at
    }
}

/// An agency as it stands now.
package struct AgencyStatusRow: Sendable {
    package let agency: AgencyID
    package let name: String
    /// `active`, `hold` or `terminated`.
    package let status: String
    package let motive: String?
    /// Strategy and band; an empty band is every one.
    package let suspensions: [(strategy: Strategy, band: String, motive: String)]
    package let held: Int64
    /// The latest order about it.
    package let since: Timestamp?
    package let by: String?
}

/// A strategy, or one band of it, of which an agency is given nothing new (ASG-06, SUS-01).
package struct SuspensionRow: Hashable, Sendable {
    package let agency: AgencyID
    package let strategy: Strategy
    /// Empty: every band.
    package let band: String

    package init(agency: AgencyID, strategy: Strategy, band: String) {
        self.agency = agency
        self.strategy = strategy
        self.band = band
    }
}

extension PgLink {
    /// The agency's status; `nil` where there is no such agency.
    /// - Locks: the agency, until the transaction ends, so that orders about it come one after the other.
    package func lockAgencyStatus(_ agency: AgencyID) throws(PgError) -> String? {
        try run("SELECT status FROM agency WHERE agency_id = $1 FOR NO KEY UPDATE", [.int32(agency.value)])
            .first?.text(0)
    }

    /// Puts an order in force and keeps it.
    package func apply(_ order: AgencyOrderRow) throws(PgError) {
        let agency = PgValue.int32(order.agency.value)
        let strategy = order.strategy?.rawValue
        switch order.action {
        case .hold, .terminate:
            try run(
                "UPDATE agency SET status = $2, motive = $3 WHERE agency_id = $1",
                [agency, .text(order.action == .hold ? "hold" : "terminated"), .text(order.motive)])
        case .suspend:
            try run(
                AgencyOrderStatements.suspend,
                [
                    agency, .int16(strategy ?? 0), .text(order.band ?? ""), .text(order.motive), .text(order.by),
                    .timestamp(order.at),
                ])
        case .release:
            if strategy == nil {
                try run("UPDATE agency SET status = 'active', motive = NULL WHERE agency_id = $1", [agency])
            }
            try run(AgencyOrderStatements.release, [agency, .optional(strategy), .optional(order.band)])
        }
        try run(
            AgencyOrderStatements.record,
            [
                agency, .text(order.action.rawValue), .optional(strategy), .optional(order.band), .text(order.motive),
                .text(order.held.rawValue), .optional(order.finalAt), .text(order.by), .timestamp(order.at),
            ])
    }

    /// All suspensions in force.
    package func readSuspensions() throws(PgError) -> Set<SuspensionRow> {
        let rows = try run(
            "SELECT agency_id, strategy, band FROM agency_suspension ORDER BY agency_id, strategy, band")
        var suspensions: Set<SuspensionRow> = []
        for row in rows {
            guard let agency = AgencyID(row.int32(0)), let strategy = Strategy(rawValue: row.int16(1)) else { continue }
            suspensions.insert(SuspensionRow(agency: agency, strategy: strategy, band: row.text(2)))
        }
        return suspensions
    }

    /// Every agency, or one, by number.
    package func readAgencyStatus(of agency: AgencyID?) throws(PgError) -> [AgencyStatusRow] {
        try run(AgencyOrderStatements.list, [.optional(agency?.value), .int16s(Delegation.all.map(\.value))])
            .compactMap { row in
                guard let agency = AgencyID(row.int32(0)) else { return nil }
                let suspensions = zip(row.int16s(4), zip(row.texts(5), row.texts(6))).compactMap { number, words in
                    Strategy(rawValue: number).map { (strategy: $0, band: words.0, motive: words.1) }
                }
                return AgencyStatusRow(
                    agency: agency, name: row.text(1), status: row.text(2), motive: row.optionalText(3),
                    suspensions: suspensions, held: row.int64(7), since: row.optionalTimestamp(8),
                    by: row.optionalText(9))
            }
    }

    /// Everything ordered about an agency, the latest first.
    package func readAgencyOrders(of agency: AgencyID) throws(PgError) -> [AgencyOrderRow] {
        try run(AgencyOrderStatements.history, [.int32(agency.value)]).compactMap { row in
            guard let action = AgencyOrderRow.Action(rawValue: row.text(0)),
                let held = AgencyOrderRow.Held(rawValue: row.text(4))
            else { return nil }
            return AgencyOrderRow(
                agency: agency, action: action, strategy: row.optionalInt16(1).flatMap(Strategy.init(rawValue:)),
                band: row.optionalText(2), motive: row.text(3), held: held, finalAt: row.optionalTimestamp(5),
                by: row.text(6), at: row.timestamp(7))
        }
    }

    /// The strategies of an agency's contracts that are not over, those to come included.
    package func readStrategies(of agency: AgencyID) throws(PgError) -> Set<Strategy> {
        let rows = try run(
            """
            SELECT DISTINCT s.strategy FROM contract c CROSS JOIN unnest(c.strategies) AS s (strategy)
             WHERE c.agency_id = $1 AND c.ends_on >= (now_instant() AT TIME ZONE 'America/Mexico_City')::date
            """, [.int32(agency.value)])
        return Set(rows.compactMap { Strategy(rawValue: $0.int16(0)) })
    }

    /// Tells an agency that it gets nothing more of these places, or again.
    package func announce(_ places: [AgencyPlace], isPaused: Bool, word: String) throws(PgError) {
        try run(
            AgencyOrderStatements.announce,
            [
                .int16s(places.map(\.delegation.value)), .int32s(places.map(\.agency.value)),
                .int16s(places.map(\.strategy.rawValue)), .text(isPaused ? "PAUSED" : "RESUMED"), .text(word),
            ])
    }
}

private enum AgencyOrderStatements {
    /// $1 agency, $2 strategy, $3 band, $4 motive, $5 by, $6 at
    static let suspend = """
        INSERT INTO agency_suspension (agency_id, strategy, band, motive, ordered_by, since)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (agency_id, strategy, band) DO UPDATE
           SET motive = excluded.motive, ordered_by = excluded.ordered_by, since = excluded.since
        """

    /// $1 agency, $2 strategy or all, $3 band or all
    static let release = """
        DELETE FROM agency_suspension
         WHERE agency_id = $1 AND ($2::smallint IS NULL OR strategy = $2) AND ($3::text IS NULL OR band = $3)
        """

    static let record = """
        INSERT INTO agency_order (agency_id, action, strategy, band, motive, held, final_at, ordered_by, ordered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """

    /// $1 agency or all, $2 delegations
    static let list = """
        SELECT a.agency_id, a.name, a.status, a.motive,
               ARRAY(SELECT s.strategy FROM agency_suspension s WHERE s.agency_id = a.agency_id ORDER BY s.strategy, s.band),
               ARRAY(SELECT s.band FROM agency_suspension s WHERE s.agency_id = a.agency_id ORDER BY s.strategy, s.band),
               ARRAY(SELECT s.motive FROM agency_suspension s WHERE s.agency_id = a.agency_id ORDER BY s.strategy, s.band),
               held.accounts, o.ordered_at, o.ordered_by
          FROM agency a
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(\(ReleasedStatements.heldAccounts)), 0)::bigint AS accounts
                 FROM contract c
                 JOIN quota q ON q.delegation_id = ANY ($2) AND q.contract_id = c.contract_id
                 LEFT JOIN LATERAL (SELECT g.total_accounts FROM lease_grant g
                                     WHERE g.delegation_id = q.delegation_id AND g.quota_id = q.quota_id
                                     ORDER BY g.total_accounts DESC LIMIT 1) t ON true
                 \(ReleasedStatements.unfolded)
                WHERE c.agency_id = a.agency_id) held
          LEFT JOIN LATERAL (SELECT ordered_at, ordered_by FROM agency_order o
                              WHERE o.agency_id = a.agency_id ORDER BY o.order_id DESC LIMIT 1) o ON true
         WHERE $1::integer IS NULL OR a.agency_id = $1
         ORDER BY a.agency_id
        """

    /// $1 agency
    static let history = """
        SELECT action, strategy, band, motive, held, final_at, ordered_by, ordered_at
          FROM agency_order WHERE agency_id = $1 ORDER BY order_id DESC
        """

    /// $1 delegation smallint[], $2 agency integer[], $3 strategy smallint[], $4 kind, $5 word
    static let announce = """
        INSERT INTO push (agency_id, kind, delegation_id, strategy, word, side)
        SELECT r.agency_id, $4, r.delegation_id, r.strategy, CASE WHEN $4 = 'PAUSED' THEN $5 END, 'institution'
          FROM unnest($1::smallint[], $2::integer[], $3::smallint[]) AS r (delegation_id, agency_id, strategy)
        """
}
