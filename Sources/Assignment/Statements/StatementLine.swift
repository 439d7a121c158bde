// SPDX-License-Identifier: Apache-2.0

/// One peso figure of a statement with all that it takes to check it by hand.
package struct StatementLine: Equatable, Sendable {
    /// What the amount does to what the contract is paid. Amounts themselves are not negative.
    package enum Kind: String, Sendable {
        case fee, penalty
        /// What a limit takes from the fees, and from the penalties.
        case feeCut = "fee-cut"
        case penaltyCap = "penalty-cap"
        /// What two persons agreed on: a penalty that is not charged, and what an earlier month owes either side.
        case waiver, credit, debit
        case taxOnFees = "tax-on-fees"
        case taxOnPenalties = "tax-on-penalties"

        /// The total that the amount is a part of, and whether it lowers it.
        package var part: (total: StatementTotals.Part, isLowering: Bool) {
            switch self {
            case .fee, .credit: (.fees, false)
            case .feeCut: (.fees, true)
            case .penalty, .debit: (.penalties, false)
            case .penaltyCap, .waiver: (.penalties, true)
            case .taxOnFees: (.taxOnFees, false)
            case .taxOnPenalties: (.taxOnPenalties, false)
            }
        }

        /// Whether the amount is taken from what the contract is paid.
        package var isTaken: Bool {
            switch part.total {
            case .fees, .taxOnFees: part.isLowering
            case .penalties, .taxOnPenalties: !part.isLowering
            }
        }
    }

    package enum Base: Equatable, Sendable {
        case count(Int64, of: String)
        case amount(Cents)
    }

    package enum Rate: Equatable, Sendable {
        case price(Cents)
        case percent(BasisPoints)
    }

    package let kind: Kind
    /// The rule of the catalogue: `FEE-11`, `PEN-02`, `IVA`.
    package let rule: String
    package let schedule: ScheduleVersion
    /// What of: the service, or the portfolio; empty where the rule alone says it.
    package let subject: String
    /// The clause in Spanish, as the agency reads it.
    package let clause: String
    package let base: Base
    package let rate: Rate
    package let amount: Cents
    /// The supervision facts, and for recidivism the earlier breaches (`2024-01/PEN-02`), ascending.
    package let facts: [String]
    /// The outcomes, ascending.
    package let records: [Int64]
    /// The sum in words and figures, in Spanish and in English.
    package let arithmetic: StatementNote

    package init(
        kind: Kind, rule: String, schedule: ScheduleVersion, subject: String, clause: String, base: Base, rate: Rate,
        amount: Cents, facts: [String], records: [Int64], arithmetic: StatementNote
    ) {
        self.kind = kind
        self.rule = rule
        self.schedule = schedule
        self.subject = subject
        self.clause = clause
        self.base = base
        self.rate = rate
        self.amount = amount
        self.facts = facts
        self.records = records
        self.arithmetic = arithmetic
    }

    /// The same charge where its amount is told elsewhere.
    var ofNothing: StatementLine {
        StatementLine(
            kind: kind, rule: rule, schedule: schedule, subject: subject, clause: clause, base: base, rate: rate,
            amount: .zero, facts: facts, records: records, arithmetic: arithmetic)
    }
}

extension [StatementLine] {
    /// What is given back here of penalties of earlier months; it counts with the fees, and is no pay.
    var creditedPenalties: Cents {
        filter { $0.kind == .credit && PenaltyRule(rawValue: $0.rule) != nil }.reduce(Cents.zero) { $0 + $1.amount }
    }

    /// Fees that debits take back.
    var debitedFees: Cents {
        filter { $0.kind == .debit && PenaltyRule(rawValue: $0.rule) == nil }.reduce(Cents.zero) { $0 + $1.amount }
    }
}

/// The sums of a section or of a whole statement. What is payable can be negative: then the agency owes.
package struct StatementTotals: Equatable, Sendable {
    package enum Part: String, Sendable {
        case fees, penalties
        case taxOnFees = "tax-on-fees"
        case taxOnPenalties = "tax-on-penalties"
    }

    package private(set) var fees = Cents.zero
    package private(set) var penalties = Cents.zero
    package private(set) var taxOnFees = Cents.zero
    package private(set) var taxOnPenalties = Cents.zero

    package init() {}

    package init(of lines: [StatementLine]) {
        for line in lines {
            let (part, isLowering) = line.kind.part
            let amount = isLowering ? -line.amount : line.amount
            switch part {
            case .fees: fees += amount
            case .penalties: penalties += amount
            case .taxOnFees: taxOnFees += amount
            case .taxOnPenalties: taxOnPenalties += amount
            }
        }
    }

    package var payable: Cents { fees + taxOnFees - penalties - taxOnPenalties }

    package static func + (left: StatementTotals, right: StatementTotals) -> StatementTotals {
        var sum = left
        sum.fees += right.fees
        sum.penalties += right.penalties
        sum.taxOnFees += right.taxOnFees
        sum.taxOnPenalties += right.taxOnPenalties
        return sum
    }
}
