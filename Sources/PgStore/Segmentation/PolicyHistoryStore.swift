// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A closed period, and the file of the policy that placed its accounts.
package struct ClosedPlacement: Sendable {
    package let period: Period
    package let version: String
    package let body: String
}

/// What policies have done in periods that are over.
package struct PolicyHistoryStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// The closed periods with the policy that placed each, the oldest first.
    package func closed() throws(PgError) -> [ClosedPlacement] {
        try link.run(
            """
            SELECT s.period, s.policy_version, b.body
              FROM segmentation s
              JOIN period p USING (period)
              JOIN policy b ON b.digest = s.policy_digest
             WHERE p.state = 'closed'
             ORDER BY s.period
            """
        ).compactMap { row in
            Period(number: row.int32(0)).map {
                ClosedPlacement(period: $0, version: row.text(1), body: row.text(2))
            }
        }
    }
}
