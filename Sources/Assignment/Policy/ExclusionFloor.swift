// SPDX-License-Identifier: Apache-2.0

/// What keeps an account out of collection whatever a policy says, and what it is expected to say.
///
/// A lawsuit that is filed, a credit that is paid off or released by the insurance of death or disability: such an account is
/// never leased, also where a policy forgets its exclusion.
/// - Source: ASG-10, SEG-09, SOL-17; what is only expected: SOL-01…05, FIN-20.
package enum ExclusionFloor {
    /// Exclusions that every policy has behind its own ones, each where its own do not take all of those accounts.
    package static let always = [
        exclusion(
            "lawsuit", "Demanda presentada", "Lawsuit filed", ["ASG-10", "SEG-09"], .isKnown(.lawsuitOn)),
        exclusion(
            "liquidated", "Crédito liquidado", "Paid off", ["ASG-10", "SOL-17"], situation("liquidated")),
        exclusion(
            "insured", "Liberado por el autoseguro", "Released by the insurance of death or disability",
            ["ASG-10", "SOL-17"], situation("insured")),
    ]

    /// Exclusions that a policy is expected to have; without them such accounts are collected.
    package static let expected = [
        exclusion(
            "extension", "Prórroga activa", "Extension active", ["ASG-10", "SOL-04"], running(.extensionUntil)),
        exclusion(
            "fpp", "Fondo de Protección de Pagos activo", "Payment protection active", ["ASG-10", "SOL-04"],
            running(.fppUntil)),
        exclusion(
            "disaster", "Suspensión por siniestro", "Suspended after a disaster", ["ASG-10", "SOL-03"],
            running(.disasterUntil)),
        exclusion("dispute", "Aclaración abierta", "Dispute open", ["FIN-20"], .isKnown(.disputeOn)),
    ]

    /// Those of a list of which some account may meet none of the exclusions; see ``ConditionSpace`` for what can be proved.
    package static func uncovered(
        _ floor: [Exclusion], by exclusions: [Exclusion], relief: [Relief]
    ) -> [Exclusion] {
        let taken = exclusions.compactMap { ConditionSpace($0.when, relief: relief) }
        return floor.filter { ConditionSpace($0.when, relief: relief)?.cover(taken) == nil }
    }

    private static func exclusion(
        _ reason: String, _ spanish: String, _ english: String, _ origins: [String], _ when: Condition
    ) -> Exclusion {
        Exclusion(
            reason: reason, title: Title(spanish: spanish, english: english), origins: origins, when: when, until: nil)
    }

    private static func running(_ field: AccountField) -> Condition {
        .range(field, atLeast: .cut(days: 0), atMost: nil)
    }

    /// A code is the place of its word, from 1 on.
    private static func situation(_ word: String) -> Condition {
        guard case .code(let words) = AccountField.situation.kind, let place = words.firstIndex(of: word) else {
            return .isKnown(.situation)
        }
        return .oneOf(.situation, [Int64(place) + 1])
    }
}
