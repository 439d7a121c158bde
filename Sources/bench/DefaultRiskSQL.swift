// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The score of ``DefaultRisk`` in a database's integers, step by step as there, so that both come to the same numbers.
///
/// Each level is a list of columns that those before it are known to.
enum DefaultRiskSQL {
    /// - Parameter field: ``AccountField/defaultProbability`` or ``AccountField/expectedLoss``.
    static func levels(_ field: AccountField, cut: LocalDate) -> [String] {
        let (late, most, paid) = (AccountField.daysLate.name, AccountField.maxArrears4M.name, AccountField.paid4M.name)
        let (opened, employed) = (AccountField.openedOn.name, AccountField.affiliatedEmployer.name)
        let days = AccountField.daysInMonth(cut)
        return [
            """
            (greatest(\(late), 0) + \(days - 1)) // \(days) AS risk_late,
            coalesce(\(employed), 0) = 1 AS risk_employed,
            coalesce(greatest(\(cut.daysSince1970) - \(opened), 0) * 400 // 146097, 0) AS risk_years
            """,
            """
            CASE WHEN risk_late < CASE WHEN risk_employed THEN 10 ELSE 5 END
                 THEN CASE WHEN risk_employed THEN 32 ELSE 71 END ELSE 100 END AS risk_severity,
            275520000 + 42190000::BIGINT * risk_late + 16160000::BIGINT * least(greatest(coalesce(\(most), 0), 0), 1000)
                - 20773::BIGINT * least(greatest(coalesce(\(paid), 0), 0), 10000)
                - 6320000::BIGINT * least(risk_years, 1000)
                - CASE WHEN risk_employed THEN 225060000 ELSE 0 END
                - CASE WHEN risk_employed AND coalesce(\(AccountField.issste.name), 0) = 1 THEN 41270000 ELSE 0 END
                AS risk_exponent
            """,
            "least(abs(risk_exponent), 2500000000) * \(one) // 100000000 AS risk_scaled",
            "risk_scaled // \(ln2) AS risk_halvings, risk_scaled % \(ln2) AS risk_rest",
            """
            CASE WHEN abs(risk_exponent) >= 2500000000 THEN 0 ELSE \(series) >> risk_halvings::INTEGER END AS risk_power
            """,
            """
            CASE WHEN risk_late >= 4 OR \(late) > 90 THEN 1000000
                 ELSE (CASE WHEN risk_exponent < 0 THEN risk_power ELSE \(one) END * 1000000
                       + (\(one) + risk_power) // 2) // (\(one) + risk_power) END AS risk_probability
            """,
            field == .defaultProbability
                ? "CASE WHEN \(late) IS NOT NULL THEN risk_probability END AS \(field.name)"
                : """
                CASE WHEN \(late) IS NOT NULL AND balance IS NOT NULL
                     THEN ((greatest(balance, 0)::HUGEINT * risk_probability * risk_severity * 2 + 100000000)
                           // 200000000)::BIGINT END AS \(field.name)
                """,
        ]
    }

    private static let one: Int64 = 1 << 30
    private static let ln2: Int64 = 744_261_118

    /// e to the power of minus the rest, as a series from its last term on.
    private static var series: String {
        var sum = "\(one)"
        for term in stride(from: 11, through: 1, by: -1) { sum = "(\(one) - ((risk_rest * \(sum)) >> 30) // \(term))" }
        return "(\(sum))"
    }
}
