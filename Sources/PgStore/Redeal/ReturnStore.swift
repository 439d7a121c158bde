// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// An account whose lease ended within its month, with what decides about it next.
package struct ReturnedAccount: Sendable {
    package let delegation: Delegation
    package let account: Int64
    /// `return`, `recall`, or `expiry`.
    package let kind: String
    /// Of a return or a recall.
    package let reason: String
    package let agency: AgencyID
    package let at: Timestamp
    package let facts: NextAction.Facts
    /// Where it is dealt now.
    package let contract: ContractID?
    /// Under which strategy it is placed.
    package let strategy: Strategy?
    /// What stops it.
    package let stop: String?
    /// How often it came back within the month, and from how many agencies.
    package let times: Int64
    package let agencies: Int64
}

extension PgLink {
    /// What came back within a period and has not come back again since, by delegation and account.
    /// - Parameter searchers: who alone gets what was not found; empty: everybody does.
    package func readReturned(
        in period: Period, searching searchers: Set<AgencyID>, _ body: (ReturnedAccount) throws -> Void
    ) throws {
        try copyOut(ReturnStatements.copyReturned(period, searchers)) { reader in
            let delegation = Delegation(reader.int16())
            let account = reader.int64()
            let kind = reader.text()
            let reason = reader.text()
            let agency = AgencyID(reader.int32())
            let at = reader.timestamp()
            let contract = reader.optionalInt64().flatMap { ContractID(Int32($0)) }
            let strategy = reader.optionalInt16().flatMap(Strategy.init(rawValue:))
            let former = Strategy(rawValue: reader.int16())
            let stop = reader.optionalText()
            let wasWorked = reader.bool()
            let unpaid = reader.int16()
            let hasTaker = reader.bool()
            let hasSearcher = reader.bool()
            let times = reader.int64()
            let agencies = reader.int64()
            guard let delegation, let agency else { return }
            try body(
                ReturnedAccount(
                    delegation: delegation, account: account, kind: kind, reason: reason, agency: agency, at: at,
                    facts: NextAction.Facts(
                        isDealt: contract != nil, isStopped: stop != nil, isPlaced: strategy != nil,
                        changesStrategy: strategy != nil && strategy != former,
                        returnReason: kind == "return" ? reason : nil, wasWorked: wasWorked,
                        nearsExhaustion: unpaid > 9,
                        hasTaker: hasTaker, hasSearcher: hasSearcher),
                    contract: contract, strategy: strategy, stop: stop, times: times, agencies: agencies))
        }
    }
}

private enum ReturnStatements {
    /// Whether an agency that is not the latest holder, and fits `condition`, works the pool of account `b`.
    private static func worksThere(_ condition: String) -> String {
        """
        EXISTS (SELECT FROM contract c
                  JOIN agency y ON y.agency_id = c.agency_id AND y.status = 'active'
                  JOIN contract_capacity k ON k.contract_id = c.contract_id
                                          AND k.delegation_id = b.delegation_id AND k.portfolio = l.portfolio
                 WHERE l.strategy = ANY (c.strategies) AND k.committed_advisers > 0
                   AND c.agency_id <> b.agency_id AND \(condition)
                   AND (now_instant() AT TIME ZONE interval '-6 hours')::date BETWEEN c.starts_on AND c.ends_on)
        """
    }

    /// Where nobody searches, or the debtor was not lost when last heard of, anybody may have the account.
    private static func hasSearcher(_ period: Period, _ searchers: Set<AgencyID>) -> String {
        guard !searchers.isEmpty else { return "true" }
        let numbers = searchers.sorted().map { "\($0.value)" }.joined(separator: ", ")
        return """
            CASE WHEN b.kind = 'return' AND b.reason = 'unlocatable'
                      OR (SELECT o.contact = 'unlocatable' FROM outcome o
                           WHERE o.period >= \(period.advanced(byMonths: -DealMemoryStatements.outcomePeriods).number)
                             AND o.delegation_id = b.delegation_id AND o.account_id = b.account_id AND o.contact <> 'none'
                           ORDER BY o.worked_at DESC LIMIT 1)
                 THEN \(worksThere("c.agency_id IN (\(numbers))")) ELSE true END
            """
    }

    static func copyReturned(_ period: Period, _ searchers: Set<AgencyID>) -> String {
        """
        COPY (
            WITH came AS MATERIALIZED (
                SELECT p.delegation_id, p.account_id, p.epoch, coalesce(e.kind, 'expiry') AS kind,
                       coalesce(e.reason, '') AS reason, g.agency_id, coalesce(e.ended_at, g.closed_at) AS at, h.strategy
                  FROM hand h
                  JOIN lease_grant g ON g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id
                  JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                                 AND p.position BETWEEN g.first_position AND g.last_position
                                 AND p.position <> ALL (coalesce(g.skipped, '{}'))
                  LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                    AND e.epoch = p.epoch
                 WHERE h.period = \(period.number)
                   AND (e.kind IN ('return', 'recall') OR e.kind IS NULL AND g.state = 'closed')),
            back AS MATERIALIZED (
                SELECT DISTINCT ON (delegation_id, account_id) * FROM came
                 ORDER BY delegation_id, account_id, epoch DESC),
            tally AS (
                SELECT delegation_id, account_id, count(*) AS times, count(DISTINCT agency_id) AS agencies
                  FROM came GROUP BY delegation_id, account_id)
            SELECT b.delegation_id, b.account_id, b.kind, b.reason, b.agency_id, b.at, live.contract_id::bigint,
                   l.strategy, b.strategy, s.reason,
                   EXISTS (SELECT FROM outcome o
                            WHERE o.period BETWEEN \(period.number) AND \(period.advanced(byMonths: 1).number)
                              AND o.delegation_id = b.delegation_id AND o.account_id = b.account_id AND o.epoch = b.epoch),
                   coalesce(a.unpaid, 0::smallint),
                   \(worksThere("true")),
                   \(hasSearcher(period, searchers)),
                   tally.times, tally.agencies
              FROM back b
              JOIN tally USING (delegation_id, account_id)
              LEFT JOIN placement l ON l.period = \(period.number) AND l.delegation_id = b.delegation_id
                                   AND l.account_id = b.account_id
              LEFT JOIN account a ON a.period = \(period.number) AND a.delegation_id = b.delegation_id
                                 AND a.account_id = b.account_id
              LEFT JOIN LATERAL (
                   SELECT t.reason FROM standing_stop t
                    WHERE t.delegation_id = b.delegation_id AND t.account_id = b.account_id
                      AND (t.until_on IS NULL OR t.until_on >= (now_instant() AT TIME ZONE interval '-6 hours')::date)
                    ORDER BY t.from_on, t.reason LIMIT 1) s ON true
              LEFT JOIN LATERAL (
                   SELECT coalesce(g.contract_id, h.contract_ids[1]) AS contract_id
                     FROM deal d
                     JOIN hand h ON h.delegation_id = d.delegation_id AND h.hand_id = d.hand_id
                     LEFT JOIN LATERAL (SELECT x.contract_id, x.last_position, x.skipped, x.state FROM lease_grant x
                                         WHERE x.delegation_id = d.delegation_id AND x.hand_id = d.hand_id
                                           AND x.first_position <= d.position AND x.last_position >= d.position
                                         ORDER BY x.first_position DESC LIMIT 1) g ON true
                    WHERE d.delegation_id = b.delegation_id AND d.account_id = b.account_id AND d.epoch > b.epoch
                      AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = d.delegation_id
                                         AND e.account_id = d.account_id AND e.epoch = d.epoch)
                      AND CASE WHEN g.last_position IS NOT NULL
                               THEN g.state = 'open' AND d.position <> ALL (coalesce(g.skipped, '{}'))
                               ELSE h.state = 'open' END
                    ORDER BY d.epoch DESC LIMIT 1) live ON true
             ORDER BY b.delegation_id, b.account_id) TO STDOUT (FORMAT binary)
        """
    }
}
