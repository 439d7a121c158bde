// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A grant whose day of first work is near.
struct NearWork {
    let agency: AgencyID
    let key: GrantKey
    let last: Int32
    let skipped: Set<Int32>
    let workBy: Timestamp
    /// The month in which it was granted: nothing was reported on it before.
    let period: Int32

    /// What of a grant was leased and is none of `worked`, as stretches of positions, ascending.
    func unworked(_ worked: Set<HandPosition>) -> [ClosedRange<Int32>] {
        var stretches: [ClosedRange<Int32>] = []
        for position in key.grant.first...max(key.grant.first, last) where !skipped.contains(position) {
            guard !worked.contains(HandPosition(key.delegation, key.grant.hand, position)) else { continue }
            if let latest = stretches.last, latest.upperBound + 1 == position {
                stretches[stretches.count - 1] = latest.lowerBound...position
            } else {
                stretches.append(position...position)
            }
        }
        return stretches
    }

    /// Of a grant `g` from a hand `h`.
    static let workBy = """
        ((g.granted_at AT TIME ZONE 'America/Mexico_City')::date + h.activity_days)::timestamp AT TIME ZONE 'America/Mexico_City'
        """
}

/// A place in a hand.
struct HandPosition: Hashable {
    let delegation: Delegation
    let hand: Int32
    let position: Int32

    init(_ delegation: Delegation, _ hand: Int32, _ position: Int32) {
        self.delegation = delegation
        self.hand = hand
        self.position = position
    }
}

extension PgLink {
    /// Of these agencies' grants of which something is held on which nothing was reported, those whose day of first work comes first,
    /// ``standingTermsMax`` of each agency. Where that day is the term itself, the term is told.
    ///
    /// What was reported has no index by grants, so it is read once for an agency that has such days, and not for each grant.
    ///
    /// - Parameter lead: how long before that day it is near.
    func readNearWork(of agencies: [Int32], lead: Duration) throws(PgError) -> [PushRow] {
        let near = try run(
            NearWorkStatements.near,
            [.int32s(agencies), .int16s(Delegation.all.map(\.value)), .int64(lead.microseconds)]
        ).compactMap { row -> NearWork? in
            guard let agency = AgencyID(row.int32(0)), let delegation = Delegation(row.int16(1)) else { return nil }
            return NearWork(
                agency: agency,
                key: GrantKey(delegation: delegation, grant: GrantID(hand: row.int32(2), first: row.int32(3))),
                last: row.int32(4), skipped: Set(row.optionalInt32s(5) ?? []), workBy: row.timestamp(6),
                period: row.int32(7))
        }
        var told: [PushRow] = []
        for (agency, grants) in Dictionary(grouping: near, by: \.agency).sorted(by: { $0.key.value < $1.key.value }) {
            for grant in try unworked(of: agency, grants) {
                told.append(
                    PushRow(
                        number: 0, agency: agency, kind: "EXPIRING", delegation: grant.key.delegation, account: nil,
                        epoch: nil, grant: grant.key.grant, strategy: nil, word: "work-by", at: grant.workBy, day: nil,
                        amount: nil, isFinal: nil, side: nil, paid: nil))
            }
        }
        return told
    }

    /// - Parameter grants: of one agency, in the order in which they are to be told.
    private func unworked(of agency: AgencyID, _ grants: [NearWork]) throws(PgError) -> [NearWork] {
        let since = Dictionary(grouping: grants, by: \.key.delegation).mapValues { $0.map(\.period).min() ?? 0 }
        var worked: Set<HandPosition> = []
        for (delegation, period) in since {
            for row in try run(
                NearWorkStatements.worked,
                [.int32(period), .int16(delegation.value), .int32(agency.value)])
            {
                worked.insert(HandPosition(delegation, row.int32(0), row.int32(1)))
            }
        }
        var found: [NearWork] = []
        var rest = grants.map { ($0, $0.unworked(worked)) }.filter { !$0.1.isEmpty }[...]
        while found.count < Int(Self.standingTermsMax), !rest.isEmpty {
            let page = rest.prefix(Int(Self.standingTermsMax) - found.count)
            rest = rest.dropFirst(page.count)
            let stretches = page.flatMap { grant, stretches in stretches.map { (grant.key, $0) } }
            let held = Set(
                try run(
                    NearWorkStatements.held,
                    [
                        .int16s(stretches.map(\.0.delegation.value)), .int32s(stretches.map(\.0.grant.hand)),
                        .int32s(stretches.map(\.1.lowerBound)), .int32s(stretches.map(\.1.upperBound)),
                    ]
                ).map { stretches[Int($0.int64(0)) - 1].0 })
            found += page.map(\.0).filter { held.contains($0.key) }
        }
        return found
    }
}

private enum NearWorkStatements {
    /// The order makes the planner take the index of agencies, also where it planned on an empty table. $1 agencies, $2 delegations,
    /// $3 how long before in microseconds
    static let near = """
        SELECT g.agency_id, g.delegation_id, g.hand_id, g.first_position, g.last_position, g.skipped, w.work_by,
               to_char(g.granted_at AT TIME ZONE 'America/Mexico_City', 'YYYYMM')::integer
          FROM unnest($1::integer[]) AS a (agency_id)
         CROSS JOIN unnest($2::smallint[]) AS d (delegation_id)
         CROSS JOIN LATERAL (SELECT y.* FROM lease_grant y
                              WHERE y.delegation_id = d.delegation_id AND y.agency_id = a.agency_id
                                AND y.state = 'open' AND y.key IS NOT NULL
                              ORDER BY y.delegation_id, y.agency_id, y.instance_id, y.key OFFSET 0) g
          JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
         CROSS JOIN LATERAL (SELECT \(NearWork.workBy) AS work_by) w
         WHERE h.activity_days IS NOT NULL AND w.work_by < g.granted_term
           AND w.work_by > now_instant() AND w.work_by <= now_instant() + $3 * interval '1 microsecond'
         ORDER BY g.agency_id, w.work_by, g.delegation_id, g.hand_id, g.first_position
        """

    /// $1 the first month, $2 delegation, $3 agency
    static let worked = """
        SELECT DISTINCT hand_id, position FROM outcome WHERE period >= $1 AND delegation_id = $2 AND agency_id = $3
        """

    /// The numbers of the stretches, from 1, of which something is held. $1 delegation smallint[], $2 hand int[], $3 first int[],
    /// $4 last int[]
    static let held = """
        SELECT r.number
          FROM unnest($1::smallint[], $2::int[], $3::int[], $4::int[]) WITH ORDINALITY
               AS r (delegation_id, hand_id, first_position, last_position, number)
         WHERE EXISTS (SELECT FROM position p
                        WHERE p.delegation_id = r.delegation_id AND p.hand_id = r.hand_id
                          AND p.position BETWEEN r.first_position AND r.last_position
                          AND NOT EXISTS (SELECT FROM ending e
                                           WHERE e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                                             AND e.epoch = p.epoch))
        """
}
