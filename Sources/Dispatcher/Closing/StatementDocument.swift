// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import FoundationEssentials

/// A statement as it was kept, read back for its CSV and its page. What is shown is what was closed, not a new sum.
struct StatementDocument: Decodable {
    struct Totals: Decodable {
        let fees: String
        let penalties: String
        let taxOnFees: String
        let taxOnPenalties: String
        let payable: String
    }

    struct Base: Decodable {
        let count: Int64?
        let unit: String?
        let pesos: String?
    }

    struct Rate: Decodable {
        let pesos: String?
        let percent: String?
    }

    struct Line: Decodable {
        let kind: String
        let rule: String
        let schedule: String
        let subject: String
        let clause: String
        let base: Base
        let rate: Rate
        let amount: String
        let facts: [String]
        let records: [Int64]
        let arithmetic: String
        /// Those that were closed before there was any have none.
        let arithmeticInEnglish: String?

        /// Of a credit: whether it is by an objection, and so about the month itself.
        var isObjection: Bool { clause.contains("objeción") }
    }

    struct Indicators: Decodable {
        let assigned: Int64
        let dealt: [String: Int64]
        let withdrawn: [String: Int64]
        let recalled: [String: Int64]
        let excluded: [String: Int64]
        /// Those that were closed before reviews confirmed any have none.
        let unlocatable: [String: Int64]?
        let pulled: Int64
        let worked: Int64
        let contacted: Int64
        let promises: Int64
        let agreements: Int64
        let outcomes: Int64
        let validOutcomes: Int64
        let pendingOutcomes: Int64
        let returned: [String: Int64]
        let recovered: String
        let recoveredFromBorrowers: String
    }

    struct Band: Decodable {
        let band: String
        let assigned: String
        let recovered: String
        let percent: Int64
        let minimum: Int64
    }

    struct Section: Decodable {
        let delegation: Int?
        let delegationName: String?
        let indicators: Indicators?
        /// Only where the contract pays by bands.
        let bands: [Band]?
        let lines: [Line]
        let notes: [String]
        /// Those that were closed before there were any have none.
        let notesInEnglish: [String]?
        let totals: Totals

        /// What is billed for work there: fees without the penalties of earlier months that are given back, which count with them.
        var pay: Cents {
            lines.filter { $0.kind == StatementLine.Kind.credit.rawValue && PenaltyRule(rawValue: $0.rule) != nil }
                .reduce(Cents(pesos: totals.fees) ?? .zero) { $0 - (Cents(pesos: $1.amount) ?? .zero) }
        }
    }

    let period: String
    let contract: Int
    let agency: String
    let agencyName: String
    let number: String
    let tender: String
    let feeSchedule: String
    let penaltySchedule: String
    let sections: [Section]
    let totals: Totals

    init(_ body: String) throws {
        self = try JSONDecoder().decode(StatementDocument.self, from: Data(body.utf8))
    }
}
