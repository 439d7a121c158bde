// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension HistoryReader {
    /// Bonds, advisers, and what each quota is of.
    func bounds(_ history: inout History) throws {
        let delegation = PgValue.int16(history.delegation.value)
        for row in try link.run("SELECT contract_id, bond FROM contract WHERE exposure_basis <> 'none'") {
            history.bonds[row.int32(0)] = row.int64(1)
        }
        history.contractsImportedAt =
            try link.run("SELECT max(imported_at) FROM import WHERE kind = 'contracts'")[0].optionalTimestamp(0)
        for row in try link.run(
            "SELECT quota_id, contract_id, portfolio, strategy FROM quota WHERE delegation_id = $1", [delegation])
        {
            history.quotaPlaces[row.int32(0)] = History.QuotaPlace(
                contract: row.int32(1), portfolio: row.int16(2), strategy: row.int16(3))
        }
        let found = try staffing(delegation)
        let rows = try link.run(
            """
            SELECT k.contract_id, k.portfolio, k.committed_advisers, k.accounts_per_adviser, c.capacity_basis = 'present'
              FROM contract_capacity k JOIN contract c USING (contract_id)
             WHERE k.delegation_id = $1 ORDER BY 1, 2
            """, [delegation])
        history.advisers = rows.map { row in
            History.Advisers(
                contract: row.int32(0), portfolio: row.int16(1), committed: Int64(row.int32(2)),
                accountsPerAdviser: Int64(row.int32(3)), countsPresent: row.bool(4),
                found: found[Place(contract: row.int32(0), portfolio: row.int16(1))] ?? [])
        }
    }

    private struct Place: Hashable {
        let contract: Int32
        let portfolio: Int16
    }

    private func staffing(_ delegation: PgValue) throws -> [Place: [History.Advisers.Found]] {
        let rows = try link.run(
            """
            SELECT f.contract_id, f.portfolio, f.value::bigint, f.on_date, i.imported_at,
                   (SELECT min(j.imported_at) FROM fact s JOIN import j USING (import_id) WHERE s.supersedes = f.fact_id)
              FROM fact f JOIN import i USING (import_id)
             WHERE f.kind = 'staffing' AND f.portfolio IS NOT NULL AND f.delegation_id = $1
             ORDER BY f.on_date, f.import_id, f.fact_id
            """, [delegation])
        var found: [Place: [History.Advisers.Found]] = [:]
        for row in rows {
            found[Place(contract: row.int32(0), portfolio: row.int16(1)), default: []].append(
                History.Advisers.Found(
                    count: row.int64(2), on: row.date(3), importedAt: row.timestamp(4),
                    supersededAt: row.optionalTimestamp(5)))
        }
        return found
    }

    /// Accounts that the cut's own columns keep out whatever a policy says, and those that the policy excluded and nothing started; of those
    /// that are held here also where the period has them in another delegation.
    func excluded(_ history: inout History) throws {
        for row in try link.run(
            "SELECT period, applied_at FROM plan WHERE state = 'applied' AND applied_at IS NOT NULL")
        {
            history.plansAppliedAt[row.int32(0)] = row.timestamp(1)
        }
        try copy(
            """
            WITH held AS MATERIALIZED (
                SELECT p.account_id
                  FROM lease_grant g
                  JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                                 AND p.position BETWEEN g.first_position AND g.last_position
                 WHERE g.delegation_id = $delegation AND g.closed_at IS NULL
                   AND NOT EXISTS (SELECT FROM ending e WHERE e.delegation_id = p.delegation_id
                                      AND e.account_id = p.account_id AND e.epoch = p.epoch))
            SELECT a.period, a.account_id,
                   CASE WHEN a.lawsuit_on IS NOT NULL THEN 'lawsuit' WHEN a.situation = 2 THEN 'liquidated' ELSE 'insured' END,
                   s.made_at
              FROM account a JOIN segmentation s USING (period)
             WHERE a.delegation_id = $delegation AND (a.lawsuit_on IS NOT NULL OR a.situation IN (2, 3))
            UNION ALL
            SELECT p.period, p.account_id, coalesce(p.exclusion, p.rule), s.made_at
              FROM placement p JOIN segmentation s USING (period)
             WHERE (p.delegation_id = $delegation OR p.account_id IN (SELECT account_id FROM held))
               AND p.strategy IS NULL
               AND NOT EXISTS (SELECT FROM start t WHERE t.period = p.period AND t.delegation_id = p.delegation_id
                                  AND t.account_id = p.account_id)
            """, history
        ) { reader in
            let period = reader.int32()
            guard let account = AccountID(reader.int64()) else { return }
            history.cutExclusions.append(
                History.CutExclusion(
                    period: period, account: account, reason: reader.text(), since: reader.timestamp()))
        }
    }

    /// What was kept as evidence, reports and returns of it by themselves, and what extensions and returns were answered with.
    func refused(_ history: inout History) throws {
        try copy(
            """
            SELECT evidence_id, code, verb, agency_id, instance_id, key, account_id, epoch, received_at, counts, decision
              FROM evidence WHERE delegation_id = $delegation
            """, history
        ) { reader in
            let (number, code, verb) = (reader.int64(), reader.text(), reader.text())
            let (agency, instance, key) = (reader.int32(), reader.int32(), reader.int64())
            history.evidence[number] = code
            // Somebody may have reported on an account that nobody ever had.
            guard verb == "REPORT" || verb == "RETURN", let held = Self.held(&reader) else { return }
            let receivedAt = reader.timestamp()
            history.refused.append(
                History.Evidence(
                    number: number, code: code, verb: verb, counts: reader.optionalBool(),
                    decision: reader.optionalText(), agency: agency, instance: instance, key: key, held: held,
                    receivedAt: receivedAt))
        }
        try copy(
            """
            SELECT agency_id, instance_id, verb, key, received_at, reply FROM request
             WHERE delegation_id = $delegation AND verb IN ('EXTEND', 'RETURN')
            """, history
        ) { reader in
            let request = History.Request(
                agency: reader.int32(), instance: reader.int32(), verb: reader.text(), key: reader.int64())
            history.answered.append(
                History.Answered(
                    request: request, receivedAt: reader.timestamp(),
                    receipt: LogFields(reader.text()[...])["receipt"].flatMap { Hex.bytes($0) }))
        }
    }
}
