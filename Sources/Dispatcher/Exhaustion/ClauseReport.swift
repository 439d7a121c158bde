// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Which accounts of a cut meet all clauses of one of a policy's lists, and which miss one. Changes nothing (SOL-40,
/// SOL-44, SOL-45).
package struct ClauseReport {
    /// How many accounts the screen shows; the file has all.
    package static let shownMax = 20

    package struct Row: Encodable, Sendable {
        package let account: Int64
        package let delegation: Int16
        /// Whether all clauses are met.
        package let isCandidate: Bool
        /// The names of those that are missing.
        package let missing: [String]
        /// What the clauses read, as the cut writes it.
        package let values: [String: String]
        /// Of a valid certificate.
        package let folio: String?
        /// Why the period's placements exclude it from collection; `nil` where they do not.
        package let excluded: String?
    }

    package struct Totals: Encodable, Sendable {
        package fileprivate(set) var accounts: Int64 = 0
        /// Of them without a certificate yet.
        package fileprivate(set) var candidates: Int64 = 0
        package fileprivate(set) var certified: Int64 = 0
        /// Accounts that miss exactly one clause.
        package fileprivate(set) var nearMisses: Int64 = 0
    }

    private let link: PgLink
    private let period: Period
    private let subject: ClauseSheet.Subject
    private let includesNear: Bool
    private let sheet: ClauseSheet
    private let policy: Policy

    /// - Parameters:
    ///   - includesNear: whether accounts that miss exactly one clause are listed too.
    ///   - path: a policy to try; without one the policy that placed the period.
    /// - Throws: ``CommandFailure`` (usage) where the period is not segmented or the policy has no such clauses.
    package init(
        _ link: PgLink, period: Period, subject: ClauseSheet.Subject, includesNear: Bool = false, policy path: String?
    ) throws {
        self.link = link
        self.period = period
        self.subject = subject
        self.includesNear = includesNear
        let file = if let path { try PolicyFile(path: path) } else { try PlanDraft.placements(link, period: period).1 }
        self.policy = try file.policy(for: period)
        self.sheet = try ClauseSheet.required(subject, of: policy, period: period)
    }

    /// Gives each listed account, by delegation and number.
    package func scan(_ body: (Row) throws -> Void) throws -> Totals {
        try link.snapshotOrFailure(period) {
            try SegmentationStore(link, period: period).requireCut()
            let folios = subject == .exhaustion ? try ExhaustionStore(link, period: period).valid() : [:]
            let scan = ClauseScan(sheet, cut: SegmentationRun.cutDay(period), includesNear: includesNear)
            let result = try scan.run(link, period: period)
            var totals = Totals()
            totals.accounts = result.accounts
            totals.nearMisses = result.nearMisses
            for delegation in Delegation.all {
                let list = result.lists[Int(delegation.value)]
                let excluded = try ExhaustionStore(link, period: period).exclusions(delegation, list.accounts)
                for place in list.order {
                    let row = row(list, place, delegation, folios, excluded)
                    if row.isCandidate, row.folio == nil { totals.candidates += 1 }
                    if row.isCandidate, row.folio != nil { totals.certified += 1 }
                    try body(row)
                }
            }
            return totals
        }
    }

    private func row(
        _ list: ClauseScan.List, _ place: Int, _ delegation: Delegation, _ folios: [Int64: String],
        _ excluded: [Int64: String]
    ) -> Row {
        let (account, missing) = (list.accounts[place], list.missing[place])
        var values: [String: String] = [:]
        for (number, field) in sheet.shown.enumerated() {
            let value = list.values[place * sheet.shown.count + number]
            values[field.name] = field.plainText(value == AccountRow.missing ? nil : value)
        }
        return Row(
            account: account, delegation: delegation.value, isCandidate: missing == ClauseScan.List.none,
            missing: missing == ClauseScan.List.none ? [] : [sheet.clauses[Int(missing)].name], values: values,
            folio: folios[account], excluded: excluded[account])
    }

    // MARK: - Printing

    /// The first accounts as a table, what the clauses are, and the totals.
    package func lines() throws -> [String] {
        var rows: [Row] = []
        var listed = 0
        let totals = try scan { row in
            listed += 1
            if rows.count < Self.shownMax { rows.append(row) }
        }
        var lines = sheet.clauses.map { clause in
            "\(clause.name): \(clause.title.english) (\(clause.origins.joined(separator: ", ")))"
        }
        lines.append("")
        if !rows.isEmpty {
            var table = TextTable(columns: header.map { $0 == "account" || $0 == "delegation" ? .right : .left })
            table.row(header)
            for row in rows { table.row(fields(row)) }
            lines += table.lines + [""]
        }
        if listed > rows.count {
            lines.append("the first \(rows.count) are shown, --csv FILE has all \(Console.grouped(listed))")
        }
        return lines + summary(totals)
    }

    private func summary(_ totals: Totals) -> [String] {
        let certified = totals.certified > 0 ? ", \(Console.grouped(Int(totals.certified))) certified already" : ""
        return [
            "\(period), \(subject.rawValue) by policy \(policy.name) \(policy.version): "
                + "\(Console.grouped(Int(totals.candidates))) candidates\(certified), "
                + "\(Console.grouped(Int(totals.nearMisses))) miss one clause, of "
                + "\(Console.grouped(Int(totals.accounts))) accounts"
        ]
    }

    /// Writes all of them as CSV; `-` is standard output.
    ///
    /// - Returns: how many accounts it lists.
    package func write(to path: String) throws -> Int {
        var listed = 0
        try OutputFile.writing(path) { file in
            try file.write(header.joined(separator: ","))
            _ = try scan { row in
                listed += 1
                try file.write(fields(row).joined(separator: ","))
            }
        }
        return listed
    }

    private var header: [String] {
        ["account", "delegation"] + sheet.clauses.map { "clause.\($0.name)" } + sheet.shown.map(\.name)
            + ["excluded"] + (subject == .exhaustion ? ["folio"] : [])
    }

    private func fields(_ row: Row) -> [String] {
        [String(row.account), String(row.delegation)]
            + sheet.clauses.map { row.missing.contains($0.name) ? "missing" : "met" }
            + sheet.shown.map { row.values[$0.name] ?? "" } + [row.excluded ?? ""]
            + (subject == .exhaustion ? [row.folio ?? ""] : [])
    }

    private struct Document: Encodable {
        struct Clause: Encodable {
            let name: String
            let spanish: String
            let english: String
            let origins: [String]
        }
        let period: String
        let subject: String
        let policy: String
        let clauses: [Clause]
        let totals: Totals
        let accounts: [Row]
    }

    package func json() throws -> String {
        var rows: [Row] = []
        let totals = try scan { rows.append($0) }
        return try JSONText.of(
            Document(
                period: period.description, subject: subject.rawValue, policy: "\(policy.name) \(policy.version)",
                clauses: sheet.clauses.map {
                    Document.Clause(
                        name: $0.name, spanish: $0.title.spanish, english: $0.title.english, origins: $0.origins)
                }, totals: totals, accounts: rows))
    }
}

extension ClauseSheet {
    /// The sheet of a policy that must have one, for the cut of a period.
    static func required(_ subject: Subject, of policy: Policy, period: Period) throws(CommandFailure) -> ClauseSheet {
        guard let sheet = ClauseSheet(subject, of: policy, cut: SegmentationRun.cutDay(period)) else {
            throw CommandFailure(
                .usage, "policy \(policy.name) \(policy.version) has no clauses of \(subject.rawValue)",
                remedy: "Add them to its section `exhaustion`, or try a policy that has them with --policy FILE.")
        }
        return sheet
    }

    func missing(_ met: [Bool]) -> [String] { zip(clauses, met).filter { !$0.1 }.map(\.0.name) }
}

extension AccountField {
    /// A value as the cut writes it; empty where it is missing.
    func plainText(_ value: Int64?) -> String {
        guard let value else { return "" }
        switch kind {
        case .number: return String(value)
        // Two decimals, of a share between two basis points the lower one; of a probability all four.
        case .money, .percent: return exactPercent(value) ?? Cents(value / numbersPerBasisPoint).description
        case .date: return Int32(exactly: value).map { LocalDate(daysSince1970: $0).description } ?? ""
        case .flag: return value == 0 ? "no" : "yes"
        case .code(let words):
            let index = Int(value) - 1
            return words.indices.contains(index) ? words[index] : ""
        }
    }
}
