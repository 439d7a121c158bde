// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What a deal asks about an account's past.
package struct DealMemory: Sendable {
    /// Who held it in so many periods before; 0: only who gave it back in the one before.
    package let rotationPeriods: Int
    /// Which accounts are of one debtor.
    package let keepsTogether: Bool
    /// Who was not found.
    package let searches: Bool
    /// Municipalities whose accounts are left out, by portfolio.
    package let banned: [Portfolio: Set<Int32>]
    /// Promises for this day or a later one are unbroken.
    package let today: LocalDate

    package init(_ settings: PlanSettings, today: LocalDate) {
        self.rotationPeriods = settings.rotationPeriods
        self.keepsTogether = settings.keepsTogether
        self.searches = !settings.searchAgencies.isEmpty
        self.banned = settings.bannedMunicipalities
        self.today = today
    }
}

/// The parts of a statement that ask them; what is not asked costs nothing.
struct DealMemoryStatements {
    /// Outcomes of so many periods are looked at: no promise and no cure reaches further back.
    static let outcomePeriods = 6

    let period: Period
    /// Numbers, as in an array's literal.
    let delegations: String
    let memory: DealMemory

    /// Further tables of the statement's WITH.
    var tables: String {
        var tables = [former, bound]
        if memory.searches { tables.append(unfound) }
        return tables.map { ",\n\($0)" }.joined()
    }

    /// Former agencies, two in each of two numbers (``FormerHolders``), the latest lowest; the contract that is bound; the debtor; whether a searcher is
    /// needed. Null where there is none, which of most accounts is so: a null costs less to send than a zero.
    var columns: String {
        let debtor = memory.keepsTogether ? "x.debtor" : "NULL::bigint"
        let search = memory.searches ? "u.is_lost" : "NULL::boolean"
        return """
            f.latest, f.earlier,
                   CASE WHEN b.is_promise OR x.restructure_in_cure THEN b.contract_id END,
                   \(debtor), \(search)
            """
    }

    var joins: String {
        var joins = ["former f USING (delegation_id, account_id)", "bound b USING (delegation_id, account_id)"]
        if memory.searches { joins.append("unfound u USING (delegation_id, account_id)") }
        return joins.map { "\n LEFT JOIN \($0)" }.joined()
    }

    private var former: String {
        let since = period.advanced(byMonths: -memory.rotationPeriods)
        let returnedSince = period.advanced(byMonths: -max(1, memory.rotationPeriods))
        return """
            former AS (
                SELECT delegation_id, account_id,
                       bit_or(agency_id::bigint << (32 * (rank - 1)::integer)) FILTER (WHERE rank <= 2) AS latest,
                       bit_or(agency_id::bigint << (32 * (rank - 3)::integer)) FILTER (WHERE rank > 2) AS earlier
                  FROM (SELECT delegation_id, account_id, agency_id,
                               row_number() OVER (PARTITION BY delegation_id, account_id
                                                      ORDER BY last DESC, agency_id) AS rank
                          FROM (SELECT delegation_id, account_id, agency_id, max(granted_at) AS last
                                  FROM former_holder
                                 WHERE delegation_id = ANY ('{\(delegations)}')
                                   AND (period >= \(since.number) AND period < \(period.number)
                                        OR has_returned AND period >= \(returnedSince.number))
                                 GROUP BY delegation_id, account_id, agency_id) a) r
                 WHERE rank <= \(FormerHolders.countMax)
                 GROUP BY delegation_id, account_id)
            """
    }

    /// The contract of the latest promise whose day has not passed, or of the latest agreement; whether it is bound by an
    /// agreement is the cut's to say.
    private var bound: String {
        let since = period.advanced(byMonths: -Self.outcomePeriods)
        return """
            bound AS (
                SELECT DISTINCT ON (delegation_id, account_id) delegation_id, account_id, contract_id, is_promise
                  FROM (SELECT delegation_id, account_id, contract_id, result = 'promise' AS is_promise, worked_at AS at,
                               outcome_id
                          FROM outcome
                         WHERE delegation_id = ANY ('{\(delegations)}') AND period >= \(since.number)
                           AND (result = 'agreement-signed' OR result = 'promise' AND promised_on >= '\(memory.today)')
                         UNION ALL
                        SELECT delegation_id, account_id, contract_id, false,
                               signed_on::timestamp AT TIME ZONE interval '-6 hours', 0
                          FROM opening_agreement WHERE delegation_id = ANY ('{\(delegations)}')) signs
                 ORDER BY delegation_id, account_id, at DESC, outcome_id DESC)
            """
    }

    /// Whose latest sign is that nobody was found.
    private var unfound: String {
        let since = period.advanced(byMonths: -Self.outcomePeriods)
        return """
            unfound AS (
                SELECT delegation_id, account_id, (array_agg(is_lost ORDER BY at DESC))[1] AS is_lost
                  FROM (SELECT delegation_id, account_id, worked_at AS at, contact = 'unlocatable' AS is_lost
                          FROM outcome
                         WHERE delegation_id = ANY ('{\(delegations)}') AND period >= \(since.number)
                           AND contact <> 'none'
                         UNION ALL
                        SELECT delegation_id, account_id, ended_at, true
                          FROM ending
                         WHERE delegation_id = ANY ('{\(delegations)}') AND kind = 'return'
                           AND reason = 'unlocatable') signs
                 GROUP BY delegation_id, account_id)
            """
    }

    /// By debtor, whichever agency has held credits of the debtor longest. $1 period, $2 delegation
    static let heldDebtors = """
        SELECT DISTINCT ON (a.debtor) a.debtor, g.agency_id
          FROM lease_grant g
          JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                         AND p.position BETWEEN g.first_position AND g.last_position
          JOIN account a ON a.period = $1 AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
         WHERE g.delegation_id = $2 AND g.state = 'open' AND g.key IS NOT NULL AND a.debtor IS NOT NULL
           AND p.position <> ALL (coalesce(g.skipped, '{}'))
           AND NOT EXISTS (SELECT FROM ending e
                            WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                              AND e.epoch = p.epoch)
         ORDER BY a.debtor, g.granted_at, g.agency_id
        """
}

extension PlanningStore {
    /// Which agency holds credits of which debtor.
    package func heldDebtors(_ delegation: Delegation) throws(PgError) -> [Int64: AgencyID] {
        var found: [Int64: AgencyID] = [:]
        for row in try link.run(
            DealMemoryStatements.heldDebtors, [.int32(period.number), .int16(delegation.value)])
        { found[row.int64(0)] = AgencyID(row.int32(1)) }
        return found
    }

    /// Where a rule pack has no visits (GEO-02): whole delegations, in the settings' own words.
    package func visitBans() throws(PgError) -> [PlanSettings.ChannelBan] {
        let rows = try link.run(
            """
            SELECT rule_pack, array_agg(delegation_id ORDER BY delegation_id) FROM visit_ban
             WHERE municipality = 0 GROUP BY rule_pack ORDER BY rule_pack
            """)
        return rows.map { row in
            PlanSettings.ChannelBan(
                packs: [row.text(0)], portfolio: .homeVisit,
                delegations: Set(row.int16s(1).compactMap { Delegation($0) }))
        }
    }

    /// The day that the database's clock shows where it comes first in Mexico.
    package func today() throws(PgError) -> LocalDate {
        try ImportStore(link, kind: .facts, period: period).today()
    }
}
