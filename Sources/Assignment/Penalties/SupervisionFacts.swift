// SPDX-License-Identifier: Apache-2.0

/// How heavily a breached commitment of an improvement plan weighs (AMB-07).
package enum Impact: String, Sendable, CaseIterable, Comparable {
    case low, medium, high

    package var spanish: String {
        switch self {
        case .low: "bajo"
        case .medium: "medio"
        case .high: "alto"
        }
    }

    package static func < (left: Impact, right: Impact) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// One goal of a work plan (WP-01, WP-02). All figures in the same fixed fraction of one, such as ten-thousandths:
/// only their ratios decide.
package struct Goal: Equatable, Sendable {
    package let fact: String
    package let indicator: String
    package let achieved: Int64
    package let minimum: Int64
    package let weight: Int64
    /// Whether what was reached is counted from the work, and so grows with the month.
    package let isCounted: Bool
    /// Whether it asks for nothing as it was set: its minimum, before the institution took accounts away, or its weight is zero.
    package let isIdle: Bool

    package init(
        fact: String, indicator: String, achieved: Int64, minimum: Int64, weight: Int64, isCounted: Bool = false,
        isIdle: Bool? = nil
    ) {
        self.isCounted = isCounted
        self.isIdle = isIdle ?? (minimum == 0 || weight == 0)
        self.fact = fact
        self.indicator = indicator
        self.achieved = achieved
        self.minimum = minimum
        self.weight = weight
    }

    /// Whether it is pesos that are to be reached, not accounts.
    package var isMoney: Bool { indicator == WorkGoal.Indicator.recovered.rawValue }
}

/// What a statement tells of a goal beside its figures.
package enum GoalNote: Equatable, Sendable {
    /// The institution took accounts away, and the minimum fell in proportion. In ten-thousandths.
    case prorated(fact: String, subject: String, minimum: Int64, left: Int64, dealt: Int64, taken: Int64)
    /// The goal came or changed after the plan was frozen. Minimums and weights in ten-thousandths; those of before are `nil` where there was
    /// no goal.
    case changed(
        fact: String, subject: String, minimum: Int64, former: Int64?, weight: Int64, formerWeight: Int64?,
        reason: String)

    package var fact: String {
        switch self {
        case .prorated(let fact, _, _, _, _, _), .changed(let fact, _, _, _, _, _, _): fact
        }
    }

    package var note: StatementNote {
        switch self {
        case .prorated(let fact, let subject, let minimum, let left, let dealt, let taken):
            let sum =
                "\(scaledText(minimum)) × \(grouped(dealt - taken)) ÷ \(grouped(dealt)) = \(scaledText(left))"
            return StatementNote(
                spanish:
                    "Meta \(fact) (\(subject)): mínimo \(sum), porque el Instituto retiró o excluyó \(counted(taken, "cuenta", "cuentas")).",
                english:
                    "Goal \(fact) (\(subject)): minimum \(sum), because the institution took back or excluded "
                    + "\(counted(taken, "account", "accounts")).")
        case .changed(let fact, let subject, let minimum, let former, let weight, let formerWeight, let reason):
            let now = scaledText(minimum)
            let weights = formerWeight.flatMap { $0 == weight ? nil : (scaledText(weight), scaledText($0)) }
            return StatementNote(
                spanish:
                    "Meta \(fact) (\(subject)): mínimo \(now), antes \(former.map(scaledText) ?? "sin meta"); "
                    + (weights.map { "peso \($0.0), antes \($0.1); " } ?? "") + "cambió con motivo: \(reason).",
                english:
                    "Goal \(fact) (\(subject)): minimum \(now), before \(former.map(scaledText) ?? "no goal"); "
                    + (weights.map { "weight \($0.0), before \($0.1); " } ?? "") + "changed because: \(reason).")
        }
    }
}

/// Advisers present at the end of the month, of one portfolio (AMB-18).
package struct Staffing: Equatable, Sendable {
    package let fact: String
    package let present: Int64

    package init(fact: String, present: Int64) {
        self.fact = fact
        self.present = present
    }
}

/// A supervision visit that found an adviser missing or an office closed.
package struct Visit: Equatable, Sendable {
    package enum Finding: String, Sendable { case adviserAbsent = "adviser-absent", officeClosed = "office-closed", ok }
    package let fact: String
    package let finding: Finding
    package let wasAnnounced: Bool

    package init(fact: String, finding: Finding, wasAnnounced: Bool) {
        self.fact = fact
        self.finding = finding
        self.wasAnnounced = wasAnnounced
    }

    /// Prior notice excuses a closed office, not an absent adviser (PEN-03 as printed).
    package var isBreach: Bool {
        switch finding {
        case .adviserAbsent: true
        case .officeClosed: !wasAnnounced
        case .ok: false
        }
    }
}

/// A commitment of an improvement plan that was judged in the month, or is due by its end (WP-04).
package struct Commitment: Equatable, Sendable {
    package let fact: String
    package let impact: Impact
    /// `nil`: it is due, and nobody said yet. Then nothing is charged: a penalty needs a fact.
    package let isMet: Bool?
    /// The day on which it was judged, or is due.
    package let on: LocalDate

    package init(fact: String, impact: Impact, isMet: Bool?, on day: LocalDate) {
        self.fact = fact
        self.impact = impact
        self.isMet = isMet
        self.on = day
    }
}

/// A quality score of the telephone channel, in hundredths of one percent.
package struct QualityScore: Equatable, Sendable {
    package let fact: String
    package let score: BasisPoints
    package let weight: Int64

    package init(fact: String, score: BasisPoints, weight: Int64) {
        self.fact = fact
        self.score = score
        self.weight = weight
    }
}

/// A requirement of the preventive supervision (AGY-17).
package struct Requirement: Equatable, Sendable {
    package let fact: String
    package let isMet: Bool

    package init(fact: String, isMet: Bool) {
        self.fact = fact
        self.isMet = isMet
    }
}

/// A breach of the work plan or the improvement plan in an earlier statement.
package struct EarlierBreach: Equatable, Sendable {
    package let period: Period
    package let rule: PenaltyRule

    package init(period: Period, rule: PenaltyRule) {
        self.period = period
        self.rule = rule
    }

    var reference: String { "\(period)/\(rule.rawValue)" }
}
