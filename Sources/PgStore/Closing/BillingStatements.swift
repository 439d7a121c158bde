// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What each account bills (FEE-11).
extension ClosingStatements {
    /// Accounts that were worked under leases of earlier months in a delegation in which this month's cut has them no more: they may be
    /// worked in another one as well (decision 55). $1 period.
    static let away = """
        SELECT DISTINCT w.account_id FROM close_work w JOIN hand h USING (delegation_id, hand_id)
        WHERE h.period < $1 AND NOT EXISTS (
            SELECT FROM account a WHERE a.period = $1 AND a.delegation_id = w.delegation_id AND a.account_id = w.account_id)
        """

    private static let billable = """
        close_work w
            JOIN hand h USING (delegation_id, hand_id)
            CROSS JOIN LATERAL (VALUES \(FeeService.Kind.allCases.map {
                "(\($0.number)::smallint, w.\(billedBy($0)))"
            }.joined(separator: ", "))) AS k (kind, billed_by)
            WHERE k.billed_by IS NOT NULL
        """

    /// What may be billed of the accounts $1.
    static let billableOf = """
        SELECT w.delegation_id, w.account_id, h.strategy, k.kind, k.billed_by FROM \(billable) AND w.account_id = ANY ($1::bigint[])
        """

    /// At most one billed line per account, service and period, whoever worked it: the first valid outcome's.
    ///
    /// - Parameter knowsMoved: whether $1 to $5 have what may be billed in all delegations of accounts that are worked in several: delegation,
    ///   account, strategy, kind and outcome.
    static func fees(knowsMoved: Bool) -> String {
        """
        CREATE TEMP TABLE close_fee ON COMMIT DROP AS
        SELECT contract_id, delegation_id, strategy, kind, array_agg(billed_by ORDER BY billed_by) AS records
        FROM (
            SELECT DISTINCT ON (w.delegation_id, w.account_id, h.strategy, k.kind)
                w.contract_id, w.delegation_id, h.strategy, k.kind, k.billed_by
            FROM \(billable)
            \(knowsMoved ? """
                AND NOT EXISTS (
                    SELECT FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[])
                        AS m (delegation_id, account_id, strategy, kind, billed_by)
                    WHERE m.account_id = w.account_id AND m.strategy = h.strategy AND m.kind = k.kind
                        AND m.delegation_id <> w.delegation_id AND m.billed_by < k.billed_by)
                """ : "")
            ORDER BY w.delegation_id, w.account_id, h.strategy, k.kind, k.billed_by) first
        GROUP BY contract_id, delegation_id, strategy, kind
        """
    }

    static let feesOfContract = """
        SELECT delegation_id, strategy, kind, records FROM close_fee WHERE contract_id = $1
        ORDER BY delegation_id, strategy, kind
        """
}
