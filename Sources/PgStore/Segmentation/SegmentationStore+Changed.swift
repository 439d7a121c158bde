// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The accounts of which something is known that their placement need not know: what came beside the cut or after it.
extension SegmentationStore {
    /// Whether the period's cut was imported after its accounts were placed.
    package func hasNewerCut() throws(PgError) -> Bool {
        try link.run(ChangedStatements.hasNewerCut, [.int32(period.number)]).first?.bool(0) ?? false
    }

    /// The accounts of one delegation that stops, certificates, reviews or starts are of, or that are visited in `territory`, with
    /// what places them on record; those that started within the period are told.
    package func changedPlacements(
        _ delegation: Delegation, visited territory: VisitTerritory
    ) throws(PgError) -> [Int64: (recorded: RecordedVerdict?, isStarted: Bool)] {
        var found: [Int64: (recorded: RecordedVerdict?, isStarted: Bool)] = [:]
        let isBanned = territory.delegations.contains(delegation)
        let places = territory.municipalities.filter { $0.delegation == delegation }.map(\.value)
        for row in try link.run(
            ChangedStatements.placements,
            [.int32(period.number), .int16(delegation.value), .bool(isBanned), .int32s(places.sorted())])
        {
            let recorded = row.optionalText(6).map { rule in
                RecordedVerdict(
                    strategy: row.optionalInt16(2).flatMap(Strategy.init(rawValue:)), tactic: row.optionalText(3),
                    portfolio: row.optionalInt16(4).flatMap(Portfolio.init(rawValue:)),
                    priority: row.optionalInt16(5), rule: rule, exclusion: row.optionalText(7))
            }
            found[row.int64(0)] = (recorded, row.bool(1))
        }
        return found
    }

    /// Gives the accounts of ``changedPlacements(_:visited:)`` as the policy reads them, by number.
    package func readChanged(
        _ delegation: Delegation, _ accounts: [Int64], cut: LocalDate,
        _ body: (Int64, borrowing AccountRow) throws -> Void
    ) throws {
        guard !accounts.isEmpty else { return }
        let numbers = accounts.map(String.init).joined(separator: ",")
        try readCut(delegation, cut: cut, only: "SELECT unnest('{\(numbers)}'::bigint[])", body)
    }
}

private enum ChangedStatements {
    /// $1 period integer
    static let hasNewerCut = """
        SELECT coalesce((SELECT max(imported_at) FROM import WHERE kind = 'cut' AND period = $1)
                        > (SELECT made_at FROM segmentation WHERE period = $1), false)
        """

    /// $1 period integer, $2 delegation smallint; $3 whether all of it is without visits, $4 municipalities that are
    static let placements = """
        WITH started AS (SELECT DISTINCT account_id FROM start WHERE period = $1 AND delegation_id = $2),
        changed AS (
            SELECT account_id FROM stop WHERE delegation_id = $2
             UNION SELECT account_id FROM certificate WHERE delegation_id = $2
             UNION SELECT account_id FROM outcome
                    WHERE delegation_id = $2 AND result IN ('dwelling-irregular', 'dwelling-inhabited')
             UNION SELECT account_id FROM started
             UNION SELECT p.account_id FROM placement p JOIN account a USING (period, delegation_id, account_id)
                    WHERE p.period = $1 AND p.delegation_id = $2 AND p.portfolio = 2
                      AND ($3 OR cardinality($4::integer[]) > 0 AND a.municipality = ANY ($4::integer[])))
        SELECT c.account_id, EXISTS (SELECT FROM started s WHERE s.account_id = c.account_id),
               p.strategy, p.tactic, p.portfolio, p.priority, p.rule, p.exclusion
          FROM changed c
          JOIN account a ON a.period = $1 AND a.delegation_id = $2 AND a.account_id = c.account_id
          LEFT JOIN placement p ON p.period = $1 AND p.delegation_id = $2 AND p.account_id = c.account_id
         ORDER BY c.account_id
        """
}
