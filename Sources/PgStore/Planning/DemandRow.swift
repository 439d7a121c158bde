// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Accounts of one pool and priority class that wait to be dealt, and who may not have them.
package struct DemandRow: Sendable {
    package let pool: PoolKey
    package let accounts: PlanDemand.PriorityClass
    /// Further ones that nobody can work where they are.
    package let banned: Int64
    /// Who had them last within the month.
    package let former: AgencyID?
    /// Their tactic, where it is a band that is suspended for somebody; else empty.
    package let band: String
    /// Rule packs that have no visits where they are.
    package let packs: [String]

    /// Reads delegation, strategy, portfolio, priority, accounts, overdue, balance, band, packs.
    init?(_ row: PgRow, banned: Int64, former: AgencyID?) {
        guard let pool = PoolKey(row, 0, 1, 2) else { return nil }
        self.pool = pool
        self.accounts = PlanDemand.PriorityClass(
            priority: row.int16(3), accounts: row.int64(4), overdue: row.int64(5), balance: row.int64(6))
        self.banned = banned
        self.former = former
        self.band = row.text(7)
        self.packs = row.text(8).split(separator: ",").map(String.init)
    }
}

/// By what waiting accounts are told apart, in SQL: of placements `p` and accounts `a`. What nothing asks for costs nothing.
struct DemandParts {
    let band: String
    let packs: String
    /// Those of the two that are no constants.
    let keys: [String]
    /// Whether they ask the cut.
    let needsCut: Bool

    init(hasBands: Bool, hasVisitBans: Bool) {
        needsCut = hasVisitBans
        band =
            hasBands
            ? """
            CASE WHEN EXISTS (SELECT FROM agency_suspension s WHERE s.strategy = p.strategy AND s.band = p.tactic)
                 THEN p.tactic ELSE '' END
            """ : "''::text"
        packs =
            hasVisitBans
            ? """
            coalesce((SELECT string_agg(b.rule_pack, ',' ORDER BY b.rule_pack) FROM visit_ban b
                       WHERE p.portfolio = \(Portfolio.homeVisit.rawValue) AND b.delegation_id = p.delegation_id
                         AND b.municipality = a.municipality), '')
            """ : "''::text"
        keys = (hasBands ? ["8"] : []) + (hasVisitBans ? ["9"] : [])
    }
}

extension PlanningStore {
    func partedDemands() throws(PgError) -> DemandParts {
        let row = try link.run(
            """
            SELECT EXISTS (SELECT FROM agency_suspension WHERE band <> ''),
                   EXISTS (SELECT FROM visit_ban WHERE municipality <> 0)
            """
        ).first
        return DemandParts(hasBands: row?.bool(0) ?? false, hasVisitBans: row?.bool(1) ?? false)
    }

    /// What waits in each pool: not held, and not stopped since it was placed.
    ///
    /// - Parameters:
    ///   - banned: municipalities that nobody works, by portfolio; their accounts are counted apart.
    ///   - amounts: whether overdue amounts and balances are summed; else they are 0, which is quicker by far.
    package func demands(banned: [Portfolio: Set<Int32>], amounts: Bool) throws(PgError) -> [DemandRow] {
        try link.run(
            PlanningStatements.demands(banned: banned, parted: try partedDemands(), amounts: amounts),
            [.int32(period.number), .date(cut), .date(period.lastDay)]
        ).compactMap { DemandRow($0, banned: $0.int64(9), former: nil) }
    }
}
