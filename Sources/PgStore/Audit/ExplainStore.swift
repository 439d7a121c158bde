// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The records behind a line of a statement, as they are stored.
package struct ExplainStore {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    package struct Fact: Sendable {
        package let id: String
        package let kind: String
        package let on: LocalDate
        package let subject: String?
        package let value: String
        package let minimum: String?
        package let note: String?
        package let file: String
    }

    /// Facts by their numbers, in the order of day and number.
    package func facts(_ ids: [String]) throws(PgError) -> [Fact] {
        try link.run(
            """
            SELECT f.fact_id, f.kind, f.on_date, f.subject, f.value, f.minimum, f.note, i.file_name
            FROM fact f JOIN import i USING (import_id) WHERE f.fact_id = ANY ($1) ORDER BY f.on_date, f.fact_id
            """, [.texts(ids)]
        ).map {
            Fact(
                id: $0.text(0), kind: $0.text(1), on: $0.date(2), subject: $0.optionalText(3), value: $0.text(4),
                minimum: $0.optionalText(5), note: $0.optionalText(6), file: $0.text(7))
        }
    }

    package struct Outcome: Sendable {
        package let row: OutcomeRow
        package let review: RecordedReview?
    }

    /// Outcomes of a period and delegation by their numbers, ascending.
    package func outcomes(_ numbers: [Int64], _ delegation: Delegation, _ period: Period) throws(PgError) -> [Outcome] {
        let reviews = Dictionary(
            try AuditStore(link).reviews(of: numbers, in: [delegation]).map { ($0.outcome, $0) },
            uniquingKeysWith: { $1 })
        return try RecordedRows(link).outcomes(delegation, period, only: numbers)
            .map { Outcome(row: $0.row, review: reviews[$0.row.number]) }
            .sorted { $0.row.number < $1.row.number }
    }
}
