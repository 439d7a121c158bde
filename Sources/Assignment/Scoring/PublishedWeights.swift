// SPDX-License-Identifier: Apache-2.0

/// The criteria of the three published processes with their points, each adding up to 100.
///
/// Source: IDT-05.
package enum PublishedProcess: String, Sendable, CaseIterable {
    case electronic, ordinary, conciliation

    /// Name and points, in the order of the sheets.
    package var criteria: [(name: String, weight: Int64)] {
        switch self {
        case .electronic:
            [
                ("vencidos", 10), ("tiempo directos", 5), ("respuesta incongruente", 5), ("prórroga", 10),
                ("prórroga vencidos", 15), ("tiempo prórroga", 5), ("prórroga incongruente", 5),
                ("favorables a conciliación", 20), ("favorables a conciliación no conciliados", 15),
                ("no favorables conciliados", 10),
            ]
        case .ordinary:
            [
                ("vencidos", 10), ("tiempo", 10), ("respuesta incongruente", 10), ("prórroga", 15),
                ("prórroga vencidos", 10), ("favorables a conciliación", 20),
                ("favorables a conciliación no conciliados", 15), ("no favorables conciliados", 10),
            ]
        case .conciliation:
            [
                ("diferidos", 20), ("diferidos no conciliados", 20), ("incumplimientos en proceso", 20),
                ("incumplimiento de convenio", 40),
            ]
        }
    }

    /// The process with what an institution has in each criterion.
    ///
    /// - Parameter measures: index and share, in the order of ``criteria``; as many as there are criteria.
    package func process(
        _ measures: [(index: ScoreCriterion.Measure, share: ScoreCriterion.Measure?)]
    ) -> ScoreProcess {
        precondition(measures.count == criteria.count, "a measure for each criterion")
        return ScoreProcess(
            rawValue,
            zip(criteria, measures).map { criterion, measure in
                ScoreCriterion(criterion.name, weight: criterion.weight, index: measure.index, share: measure.share)
            })
    }
}
