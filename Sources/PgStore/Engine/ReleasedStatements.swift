// SPDX-License-Identifier: Apache-2.0

/// What of a quota has been released and is not folded into it yet.
///
/// Pulls wait for the fold; whoever deals counts it at once, or what has just ended counts as held and its place is given twice.
enum ReleasedStatements {
    /// Joins `u` (accounts, exposure; null where there is none) to a quota `q`.
    static let unfolded = """
        LEFT JOIN (SELECT r.delegation_id, r.quota_id, sum(r.accounts)::bigint AS accounts,
                          sum(r.exposure)::bigint AS exposure
                     FROM release r
                    WHERE (r.transaction, r.release_id) > (
                          coalesce((SELECT f.transaction FROM follower f WHERE f.name = 'release'), '0'::xid8),
                          coalesce((SELECT f.number FROM follower f WHERE f.name = 'release'), 0))
                    GROUP BY r.delegation_id, r.quota_id) u ON u.delegation_id = q.delegation_id AND u.quota_id = q.quota_id
        """

    /// Accounts that the grants of a quota `q` hold; `t` has its totals, `u` is ``unfolded``.
    static let heldAccounts =
        "greatest(coalesce(t.total_accounts, 0) - q.released_accounts - coalesce(u.accounts, 0), 0)"
    /// What is owed of them, in centavos.
    static let heldExposure =
        "greatest(coalesce(t.total_exposure, 0) - q.released_exposure - coalesce(u.exposure, 0), 0)"
}
