// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Policies, segmentations, plans and limits as the tables have them now, to be compared with the ledger.
package struct RecordedPlans {
    package struct Plan: Sendable {
        package let number: Int64
        package let period: Period
        package let state: String
        package let seed: Int64
        package let segmentationDigest: [UInt8]
        package let digest: [UInt8]
        /// `nil`: it was kept without what it was made from.
        package let settingsDigest: [UInt8]?
        package let persons: [String]
    }

    package struct Limit: Sendable {
        package let contract: Int32
        package let strategy: Int16
        package let portfolio: Int16
        package let accounts: Int64
        package let exposure: Cents?
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// Policies whose text is not the one of their digest, by name and version.
    package func changedPolicies() throws(PgError) -> [(name: String, version: String)] {
        try link.run(
            """
            SELECT name, version FROM policy WHERE sha256(convert_to(body, 'UTF8')) <> digest ORDER BY name, version
            """
        ).map { ($0.text(0), $0.text(1)) }
    }

    package func segmented() throws(PgError) -> Set<Period> {
        Set(try link.run("SELECT period FROM segmentation").compactMap { Period(number: $0.int32(0)) })
    }

    /// Ascending by number.
    package func plans() throws(PgError) -> [Plan] {
        try link.run(
            """
            SELECT p.plan_id, p.period, p.state, p.seed, p.segmentation_digest, p.digest, f.settings_digest, p.applied_by
            FROM plan p LEFT JOIN plan_proof f USING (plan_id) ORDER BY p.plan_id
            """
        ).compactMap { row in
            Period(number: row.int32(1)).map {
                Plan(
                    number: row.int64(0), period: $0, state: row.text(2), seed: row.int64(3),
                    segmentationDigest: row.bytes(4), digest: row.bytes(5), settingsDigest: row.optionalBytes(6),
                    persons: row.texts(7))
            }
        }
    }

    /// A round of dealing again.
    package struct Redeal: Sendable {
        package let number: Int64
        package let plan: Int64
        package let reason: String
        package let closesAll: Bool
        package let by: String
        /// One that only lowers limits deals no pool, and is recorded in no delegation: its limits are.
        package let hasPools: Bool
    }

    /// Ascending by number.
    package func redeals() throws(PgError) -> [Redeal] {
        try link.run(
            """
            SELECT redeal_id, plan_id, reason, closes_all, ordered_by,
                EXISTS (SELECT FROM redeal_pool p WHERE p.redeal_id = r.redeal_id)
            FROM redeal r ORDER BY redeal_id
            """
        ).map {
            Redeal(
                number: $0.int64(0), plan: $0.int64(1), reason: $0.text(2), closesAll: $0.bool(3), by: $0.text(4),
                hasPools: $0.bool(5))
        }
    }

    /// How many accounts a segmentation says that it read, placed and excluded, and how many there are.
    package struct PlacementCount: Sendable {
        package let said: [Int64]
        package let found: [Int64]
        /// Of the rows of each delegation that has any, ascending, as they were written: SHA-256.
        package let digests: [(delegation: Int16, digest: [UInt8])]
    }

    /// `nil` where no segmentation is there, or a start changed placements since: what was there before it is not kept.
    package func placements(_ period: Period) throws(PgError) -> PlacementCount? {
        let counts = try link.run(
            """
            SELECT s.accounts, s.placed, s.excluded, (SELECT count(*) FROM account WHERE period = $1),
                (SELECT count(strategy) FROM placement WHERE period = $1),
                (SELECT count(*) FROM placement WHERE period = $1 AND strategy IS NULL)
            FROM segmentation s
            WHERE s.period = $1 AND NOT EXISTS (SELECT FROM start t WHERE t.period = $1)
            """, [.int32(period.number)]
        ).first
        guard let counts else { return nil }
        func sized(_ type: String, _ bytes: Int, _ value: String) -> String {
            "coalesce(int4send(\(bytes)) || \(type)send(\(value)), int4send(-1))"
        }
        func text(_ value: String) -> String {
            "coalesce(int4send(octet_length(\(value))) || convert_to(\(value), 'UTF8'), int4send(-1))"
        }
        // As COPY writes them (``PlacementEncoder``).
        let row = [
            "int2send(10::int2)", sized("int4", 4, "period"), sized("int2", 2, "delegation_id"),
            sized("int8", 8, "account_id"), sized("int2", 2, "strategy"), text("tactic"), sized("int2", 2, "portfolio"),
            sized("int2", 2, "priority"), text("rule"), text("exclusion"), sized("int8", 8, "offers"),
        ].joined(separator: " || ")
        let digests = try link.run(
            """
            SELECT delegation_id, sha256(string_agg(\(row), ''::bytea ORDER BY account_id))
            FROM placement WHERE period = $1 GROUP BY 1 ORDER BY 1
            """, [.int32(period.number)]
        ).map { (delegation: $0.int16(0), digest: $0.bytes(1)) }
        return PlacementCount(
            said: (0...2).map(counts.int64), found: (3...5).map(counts.int64), digests: digests)
    }

    /// Every limit that was in force in a delegation, but for those of an opening, which are of before the first record.
    package func limits(_ delegation: Delegation) throws(PgError) -> [Limit] {
        try link.run(
            """
            SELECT q.contract_id, q.strategy, q.portfolio, h.limit_accounts, h.limit_exposure
            FROM quota_history h JOIN quota q USING (delegation_id, quota_id)
            WHERE h.delegation_id = $1 AND h.since > timestamptz '1901-01-01 00:00Z' ORDER BY 1, 2, 3, h.entry
            """, [.int16(delegation.value)]
        ).map {
            Limit(
                contract: $0.int32(0), strategy: $0.int16(1), portfolio: $0.int16(2), accounts: $0.int64(3),
                exposure: $0.optionalInt64(4).map { Cents($0) })
        }
    }
}
