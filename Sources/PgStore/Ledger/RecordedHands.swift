// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Hands, their positions and their grants as the tables have them now: who was dealt what, to be held to the ledger.
package struct RecordedHands {
    /// A hand as its `deal` record has it.
    package struct Hand: Sendable {
        package let number: Int32
        package let plan: Int64
        package let contracts: [Int32]
        package let strategy: Int16
        package let portfolio: Int16
        package let size: Int32
        /// Dealt by a plan or round that is not in force yet; its record is written with that.
        package let isInactive: Bool
        /// The month that it is of.
        package let period: Period?
        /// The month of its plan.
        package let ofPlan: Period?
        /// `nil`: opened with its plan.
        package let openedAt: Timestamp?
        package let isFront: Bool
        package let digest: [UInt8]
        /// The round that dealt it.
        package let redeal: Int64?
    }

    /// Positions of a hand that one grant leased, with the sum of their hashes.
    package struct Grant: Sendable {
        package let grant: GrantID
        package let last: Int32
        package let skipped: Set<Int32>
        package let accounts: Int32
        package let heldDigest: [UInt8]
    }

    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// Those that have hands, ascending.
    package func delegations() throws(PgError) -> [Delegation] {
        try link.run("SELECT DISTINCT delegation_id FROM hand ORDER BY 1").compactMap { Delegation($0.int16(0)) }
    }

    /// Ascending by number.
    package func hands(_ delegation: Delegation) throws(PgError) -> [Hand] {
        try link.run(
            """
            SELECT h.hand_id, h.plan_id, h.contract_ids, h.strategy, h.portfolio, h.size, h.state = 'inactive', h.period,
                coalesce(p.period, 0), h.opened_at, h.is_front, h.digest, h.redeal_id
            FROM hand h LEFT JOIN plan p ON p.plan_id = h.plan_id WHERE h.delegation_id = $1 ORDER BY h.hand_id
            """, [.int16(delegation.value)]
        ).map {
            Hand(
                number: $0.int32(0), plan: $0.int64(1), contracts: $0.optionalInt32s(2) ?? [], strategy: $0.int16(3),
                portfolio: $0.int16(4), size: $0.int32(5), isInactive: $0.bool(6),
                period: Period(number: $0.int32(7)), ofPlan: Period(number: $0.int32(8)),
                openedAt: $0.optionalTimestamp(9), isFront: $0.bool(10), digest: $0.bytes(11),
                redeal: $0.optionalInt64(12))
        }
    }

    /// When hands were opened within their month, by hand; of one delegation.
    package func openings(_ delegation: Delegation, _ hands: [Int32]) throws(PgError) -> [Int32: Timestamp] {
        let rows = try link.run(
            "SELECT hand_id, opened_at FROM hand WHERE delegation_id = $1 AND hand_id = ANY ($2) AND opened_at IS NOT NULL",
            [.int16(delegation.value), .int32s(hands)])
        return Dictionary(rows.map { ($0.int32(0), $0.timestamp(1)) }, uniquingKeysWith: { $1 })
    }

    /// Ascending by hand and first position.
    package func grants(_ delegation: Delegation) throws(PgError) -> [Grant] {
        try link.run(
            """
            SELECT hand_id, first_position, last_position, skipped, accounts, held_digest
            FROM lease_grant WHERE delegation_id = $1 ORDER BY hand_id, first_position
            """, [.int16(delegation.value)]
        ).map {
            Grant(
                grant: GrantID(hand: $0.int32(0), first: $0.int32(1)), last: $0.int32(2),
                skipped: Set($0.optionalInt32s(3) ?? []), accounts: $0.int32(4), heldDigest: $0.bytes(5))
        }
    }

    /// Every position by hand and place in it; one at a time.
    package func eachPosition(
        _ delegation: Delegation,
        _ body: (_ hand: Int32, _ position: Int32, _ account: Int64, _ epoch: Int64) throws -> Void
    ) throws {
        // COPY takes no parameters; this is a number.
        try link.copyOut(
            """
            COPY (
                SELECT hand_id, position, account_id, epoch FROM position
                WHERE delegation_id = \(delegation.value) ORDER BY hand_id, position
            ) TO STDOUT (FORMAT binary)
            """
        ) { row in try body(row.int32(), row.int32(), row.int64(), row.int64()) }
    }

    /// How many positions no deal leads to, and how many deals of hands that are there lead elsewhere than to their position.
    ///
    /// The deals of a plan that was discarded stay without their hand, so that no epoch is given out again.
    package func strays(_ delegation: Delegation) throws(PgError) -> Int64 {
        try link.run(
            """
            SELECT (SELECT count(*) FROM position p WHERE p.delegation_id = $1 AND NOT EXISTS (
                    SELECT FROM deal d WHERE d.delegation_id = p.delegation_id AND d.account_id = p.account_id
                        AND d.epoch = p.epoch AND d.hand_id = p.hand_id AND d.position = p.position))
                + (SELECT count(*) FROM deal d JOIN hand h USING (delegation_id, hand_id)
                    WHERE d.delegation_id = $1 AND NOT EXISTS (
                        SELECT FROM position p WHERE p.delegation_id = d.delegation_id AND p.hand_id = d.hand_id
                            AND p.position = d.position AND p.account_id = d.account_id AND p.epoch = d.epoch))
            """, [.int16(delegation.value)])[0].int64(0)
    }

    /// Outcomes of which the hand and place are not those that their account's deal leads to. No record says them.
    package func misplacedOutcomes(_ delegation: Delegation) throws(PgError) -> Int64 {
        try link.run(
            """
            SELECT count(*) FROM outcome o WHERE o.delegation_id = $1 AND NOT EXISTS (
                SELECT FROM deal d WHERE d.delegation_id = o.delegation_id AND d.account_id = o.account_id
                    AND d.epoch = o.epoch AND d.hand_id = o.hand_id AND d.position = o.position)
            """, [.int16(delegation.value)])[0].int64(0)
    }

    /// Positions whose amounts are not those of their month's cut. What was overdue is what contingency pays by, and no record says it; a
    /// signed month's cut is.
    package func positionsBesideCut(_ delegation: Delegation) throws(PgError) -> Int64 {
        try link.run(
            """
            SELECT count(*) FROM position p JOIN hand h USING (delegation_id, hand_id)
            JOIN account a ON a.period = h.period AND a.delegation_id = p.delegation_id AND a.account_id = p.account_id
            WHERE p.delegation_id = $1 AND (p.due, p.overdue) <> (a.due, a.overdue)
                -- What started within the month was dealt before by what the cut said then.
                AND NOT EXISTS (SELECT FROM start s WHERE s.period = h.period AND s.delegation_id = p.delegation_id
                    AND s.account_id = p.account_id AND s.former IS NOT NULL)
            """, [.int16(delegation.value)])[0].int64(0)
    }

    /// Grants that are closed, or have an instant of that; `nil` where it is missing, or the grant counts as open all the same.
    package func closedGrants(_ delegation: Delegation) throws(PgError) -> [(grant: GrantID, closedAt: Timestamp?)] {
        try link.run(
            """
            SELECT hand_id, first_position, CASE WHEN state = 'closed' THEN closed_at END FROM lease_grant
            WHERE delegation_id = $1 AND (state = 'closed' OR closed_at IS NOT NULL) ORDER BY 1, 2
            """, [.int16(delegation.value)]
        ).map { (GrantID(hand: $0.int32(0), first: $0.int32(1)), $0.optionalTimestamp(2)) }
    }

    /// Grants whose count of outages at their start is none that the booked outages allow then, give or take a second.
    ///
    /// Before outages had rows, all of them were booked as one (the first, of which it is not known since when): until then any part
    /// of it may have been counted. A database may have served in real time, with outages, before its clock became a virtual one, which
    /// may show any day: those count from its first grant on. What an opening brought was given before this installation counted anything.
    package func grantsBesideOutages(_ delegation: Delegation) throws(PgError) -> [GrantID] {
        try link.run(
            """
            SELECT g.hand_id, g.first_position FROM lease_grant g
            LEFT JOIN LATERAL (SELECT booked_at, from_at, total_us FROM outage ORDER BY outage_id LIMIT 1) f ON true
            WHERE g.delegation_id = $1 AND g.instance_id <> $2 AND NOT g.outage_us BETWEEN
                coalesce((SELECT max(o.total_us) FROM outage o
                    WHERE o.booked_at < g.granted_at - interval '1 second'), 0)
                AND greatest(
                    coalesce((SELECT max(o.total_us) FROM outage o
                        WHERE o.booked_at <= g.granted_at + interval '1 second'), 0),
                    -- Only outages of real time have a beat that they began at.
                    coalesce((SELECT max(o.total_us) FROM outage o, clock c
                        WHERE o.from_at IS NOT NULL AND c.virtual_now IS NOT NULL), 0),
                    CASE WHEN f.from_at IS NULL AND g.granted_at < f.booked_at THEN f.total_us ELSE 0 END)
            ORDER BY 1, 2
            """, [.int16(delegation.value), .int32(OpeningStore.instance)]
        ).map { GrantID(hand: $0.int32(0), first: $0.int32(1)) }
    }
}
