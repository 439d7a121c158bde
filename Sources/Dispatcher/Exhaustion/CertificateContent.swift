// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import FoundationEssentials
internal import PgStore

/// What a certificate of exhaustion says (SOL-42), as it is kept: the same content gives the same bytes.
///
/// Nothing about the debtor but the account number. What Reparto is not told is listed under `unknown`.
struct CertificateContent: Decodable {
    struct Clause: Decodable {
        let name: String
        let spanish: String
        let english: String
        let origins: [String]
        /// What the clause read, as the cut writes it.
        let values: [String: String]
    }
    struct Attempts: Decodable {
        let channel: String
        let outcomes: Int64
        let contacts: Int64
        let first: String
        let last: String
    }
    struct Dwelling: Decodable {
        let outcome: Int64
        let result: String
        let branch: String
        let workedAt: String
        let reviewer: String
        let reviewedAt: String
    }

    let folio: String
    let period: String
    let account: Int64
    let delegation: Int64
    let issuedAt: String
    let issuedBy: String
    let policy: String
    let policySHA256: String
    let clauses: [Clause]
    /// Pesos: what was lent, what is owed, what is overdue, the instalment.
    let amounts: [String: String]
    /// Defaults: instalments unpaid, months overdue, days since the oldest one fell due.
    let defaults: [String: Int64]
    /// Solutions applied, each with how often or for how many months.
    let solutions: [String: Int64]
    /// What was tried out of court, by channel.
    let attempts: [Attempts]
    let dwelling: Dwelling?
    let unknown: [String]

    /// The fields that a certificate reads besides those of the clauses.
    static let fields: [AccountField] = [
        .originalAmount, .balance, .overdue, .due, .unpaid, .arrears, .daysLate, .extensionMonths, .fppMonths,
        .restructures, .pensionEnrolments,
    ]

    var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "folio": .string(folio), "period": .string(period), "account": .number(account),
            "delegation": .number(delegation), "issuedAt": .string(issuedAt), "issuedBy": .string(issuedBy),
            "policy": .string(policy), "policySHA256": .string(policySHA256),
            "clauses": .array(clauses.map(\.json)), "amounts": .object(amounts.mapValues(CanonicalJSON.string)),
            "defaults": .object(defaults.mapValues(CanonicalJSON.number)),
            "solutions": .object(solutions.mapValues(CanonicalJSON.number)), "attempts": .array(attempts.map(\.json)),
            "unknown": .array(unknown.map(CanonicalJSON.string)),
        ]
        if let dwelling { members["dwelling"] = dwelling.json }
        return .object(members)
    }

    /// One page for people.
    var lines: [String] {
        var table = TextTable(columns: [.left, .left])
        table.row(["folio", folio])
        table.row(["account", "\(account), delegation \(delegation)"])
        table.row(["issued", "\(issuedAt) by \(issuedBy)"])
        table.row(["policy", policy])
        for clause in clauses {
            let values = clause.values.keys.sorted().map { "\($0) \(clause.values[$0] ?? "")" }
            table.row(["met", "\(clause.spanish) / \(clause.english): \(values.joined(separator: ", "))"])
        }
        for key in amounts.keys.sorted() { table.row([key, "\(amounts[key] ?? "") pesos"]) }
        for key in defaults.keys.sorted() { table.row([key, String(defaults[key] ?? 0)]) }
        for key in solutions.keys.sorted() { table.row([key, String(solutions[key] ?? 0)]) }
        if attempts.isEmpty { table.row(["attempts", "none on record"]) }
        for each in attempts {
            table.row([
                "attempts",
                "\(each.channel): \(each.outcomes), of them \(each.contacts) with contact, \(each.first) to \(each.last)",
            ])
        }
        if let dwelling {
            let branch = dwelling.branch.isEmpty ? "" : ", branch \(dwelling.branch)"
            table.row([
                "dwelling",
                "\(dwelling.result)\(branch), outcome \(dwelling.outcome) of \(dwelling.workedAt), approved by "
                    + "\(dwelling.reviewer) at \(dwelling.reviewedAt)",
            ])
        }
        table.row(["not known", unknown.joined(separator: ", ")])
        return table.lines
    }
}

extension CertificateContent {
    /// What is known of an account that meets all clauses.
    init(
        _ folio: Folio, _ candidate: ExhaustionCandidate, sheet: ClauseSheet, policy: Policy, policyDigest: [UInt8],
        by: String, at now: Timestamp
    ) {
        func amount(_ field: AccountField) -> String { field.plainText(candidate.values[field] ?? 0) }
        func number(_ field: AccountField) -> Int64 { candidate.values[field] ?? 0 }
        self.init(
            folio: folio.description, period: folio.period.description, account: candidate.account,
            delegation: Int64(candidate.delegation.value), issuedAt: now.description, issuedBy: by,
            policy: "\(policy.name) \(policy.version)", policySHA256: LedgerTree.hex(policyDigest),
            clauses: sheet.clauses.map { clause in
                let read = Set(clause.when.fields.flatMap(\.inputs))
                return Clause(
                    name: clause.name, spanish: clause.title.spanish, english: clause.title.english,
                    origins: clause.origins,
                    values: Dictionary(
                        uniqueKeysWithValues: read.map { ($0.name, $0.plainText(candidate.values[$0])) }))
            },
            amounts: [
                "original": amount(.originalAmount), "balance": amount(.balance), "overdue": amount(.overdue),
                "instalment": amount(.due),
            ],
            defaults: [
                "unpaidInstalments": number(.unpaid), "monthsOverdue": number(.arrears), "daysLate": number(.daysLate),
            ],
            solutions: [
                "extensionMonths": number(.extensionMonths), "paymentProtectionMonths": number(.fppMonths),
                "restructures": number(.restructures), "pensionEnrolments": number(.pensionEnrolments),
                "agreementsSigned": candidate.history.agreements,
            ],
            attempts: candidate.history.attempts.map {
                Attempts(
                    channel: $0.channel, outcomes: $0.outcomes, contacts: $0.contacts, first: $0.first.description,
                    last: $0.last.description)
            },
            dwelling: candidate.history.dwelling.map {
                Dwelling(
                    outcome: $0.outcome, result: $0.result, branch: $0.branch ?? "",
                    workedAt: $0.workedAt.description, reviewer: $0.reviewer, reviewedAt: $0.reviewedAt.description)
            },
            unknown: ["collectionExpenses", "costOfRestructures", "monthsToPayoff"])
    }

    /// - Parameter body: as ``json`` wrote it.
    init(body: String) throws(CommandFailure) {
        do {
            self = try JSONDecoder().decode(CertificateContent.self, from: Data(body.utf8))
        } catch {
            throw CommandFailure(
                .environment, "this version cannot read that certificate", remedy: "--json prints it as it is kept.")
        }
    }
}

extension CertificateContent.Clause {
    fileprivate var json: CanonicalJSON {
        .object([
            "name": .string(name), "spanish": .string(spanish), "english": .string(english),
            "origins": .array(origins.map(CanonicalJSON.string)),
            "values": .object(values.mapValues(CanonicalJSON.string)),
        ])
    }
}

extension CertificateContent.Attempts {
    fileprivate var json: CanonicalJSON {
        .object([
            "channel": .string(channel), "outcomes": .number(outcomes), "contacts": .number(contacts),
            "first": .string(first), "last": .string(last),
        ])
    }
}

extension CertificateContent.Dwelling {
    fileprivate var json: CanonicalJSON {
        .object([
            "outcome": .number(outcome), "result": .string(result), "branch": .string(branch),
            "workedAt": .string(workedAt), "reviewer": .string(reviewer), "reviewedAt": .string(reviewedAt),
        ])
    }
}
