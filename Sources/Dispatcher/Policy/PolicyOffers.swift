// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Which accounts of a month may be offered which solution, and by which clause: as recorded when the month was placed, and
/// for whoever started later, when that was. Changes nothing.
///
/// An account with nothing to collect has no record; what it may be offered, `policy explain` tells.
/// - Source: SOL-01…12, SOL-16, FIN-06, FIN-08…11, STR-06.
package struct PolicyOffers: Encodable {
    /// Which of them are asked for.
    package struct Asked: Sendable {
        package var solution: String?
        package var delegation: Int16?
        package var contract: Int32?
        /// How many accounts the screen and the JSON show; the file has all.
        package var limit = 20

        package init() {}
    }

    package struct Total: Encodable, Sendable {
        package let solution: String
        package let title: String
        package let titulo: String
        package let origins: [String]
        /// Accounts that may be offered it, and those of them that are excluded from collection.
        package fileprivate(set) var accounts: Int64 = 0
        package fileprivate(set) var excluded: Int64 = 0
    }

    /// One account and one solution.
    package struct Row: Encodable, Sendable, Hashable {
        package let delegation: Int16
        package let account: Int64
        package let solution: String
        package let origins: [String]
        /// Of its placement: `dual.rest`, `exclusion.lawsuit`.
        package let rule: String
        /// Who has it; absent where nobody does.
        package let contract: Int32?
    }

    static let header = "delegation,account,solution,clause,rule,contract"

    package let period: String
    package let policy: String
    package let version: String
    /// By solution, in the policy's order.
    package private(set) var solutions: [Total]
    /// Accounts with at least one of them.
    package private(set) var accounts: Int64 = 0
    /// The first offers, by delegation, account and the policy's order.
    package private(set) var offers: [Row] = []
    /// How many offers there are.
    package private(set) var count: Int64 = 0
    private let file: String?

    private enum CodingKeys: String, CodingKey { case period, policy, version, solutions, accounts, offers, count }

    /// - Parameter csv: a file for all of them; `-` is standard output.
    /// - Throws: ``CommandFailure`` (usage) where the month has no placements, or its policy no such solution.
    package init(_ link: PgLink, period: Period, asked: Asked = Asked(), csv: String? = nil) throws {
        let delegations = try asked.delegation.map { [try Words.delegation($0)] } ?? Delegation.all
        let book = try OfferBook(link, period: period)
        let bits = try Self.bits(book, asked.solution)
        self.period = period.description
        self.policy = book.policy.name
        self.version = book.policy.version
        self.file = csv
        self.solutions = book.solutions.map {
            Total(solution: $0.solution, title: $0.title, titulo: $0.titulo, origins: $0.origins)
        }
        defer { if let name = asked.solution { self.solutions.removeAll { $0.solution != name } } }
        guard let csv else {
            try read(link, period, book, delegations, asked, bits: bits, nil)
            return
        }
        try OutputFile.writing(csv) { file in
            try file.write(Self.header)
            try read(link, period, book, delegations, asked, bits: bits, file)
        }
    }

    private mutating func read(
        _ link: PgLink, _ period: Period, _ book: OfferBook, _ delegations: [Delegation], _ asked: Asked, bits: UInt64,
        _ file: OutputFile?
    ) throws {
        try link.snapshotOrFailure(period) {
            let store = OfferStore(link, period: period)
            for delegation in delegations {
                try store.each(delegation, bits: bits, contract: asked.contract) { account in
                    try take(account, delegation, book, limit: asked.limit, bits: bits, file)
                }
            }
        }
    }

    private mutating func take(
        _ account: OfferStore.Account, _ delegation: Delegation, _ book: OfferBook, limit: Int, bits: UInt64,
        _ file: OutputFile?
    ) throws {
        accounts += 1
        for index in book.solutions.indices where account.offers & bits & 1 << UInt64(index) != 0 {
            count += 1
            solutions[index].accounts += 1
            if account.isExcluded { solutions[index].excluded += 1 }
            guard offers.count < limit || file != nil else { continue }
            let row = Row(
                delegation: delegation.value, account: account.account, solution: book.solutions[index].solution,
                origins: book.solutions[index].origins, rule: account.rule, contract: account.contract)
            if offers.count < limit { offers.append(row) }
            // None of these can hold a comma or a quote: numbers, catalogue IDs and the policy's own names.
            try file?.write(Self.fields(row).joined(separator: ","))
        }
    }

    /// The bits of what is asked for.
    private static func bits(_ book: OfferBook, _ name: String?) throws -> UInt64 {
        guard let name else { return .max }
        let names = book.solutions.map(\.solution)
        guard let index = names.firstIndex(of: name) else {
            let meant = nearestName(to: name, among: names).map { "Did you mean \($0)? " } ?? ""
            throw CommandFailure(
                .usage, "policy \(book.policy.name) \(book.policy.version) has no solution '\(name)'",
                remedy: names.isEmpty ? "It offers none." : "\(meant)It has \(names.joined(separator: ", ")).")
        }
        return 1 << UInt64(index)
    }

    private static func fields(_ row: Row) -> [String] {
        [
            String(row.delegation), String(row.account), row.solution, row.origins.joined(separator: " "), row.rule,
            row.contract.map(String.init) ?? "",
        ]
    }

    // MARK: - For people

    /// The solutions with their counts, then the first accounts.
    package var lines: [String] {
        var lines = ["\(period) by policy \(policy) \(version)", ""]
        guard !solutions.isEmpty else { return lines + ["the policy offers no solution"] }
        var totals = TextTable(columns: [.left, .right, .right, .left, .left])
        totals.row(["solution", "accounts", "of them excluded", "clause", ""])
        for row in solutions {
            totals.row([
                row.solution, Figure.grouped(row.accounts), Figure.grouped(row.excluded),
                row.origins.joined(separator: " "), row.title,
            ])
        }
        lines += totals.lines
        if !offers.isEmpty {
            var table = TextTable(columns: [.right, .right, .left, .left, .left, .right])
            table.row(Self.header.split(separator: ",").map(String.init))
            for row in offers { table.row(Self.fields(row)) }
            lines += [""] + table.lines
        }
        lines.append("")
        let shown = count > offers.count ? "; the first \(offers.count) are shown, --csv FILE has all" : ""
        lines.append(
            "\(Figure.grouped(count)) offers to \(Figure.grouped(accounts)) accounts\(file == nil ? shown : "")")
        if let file { lines.append("all of them are in \(file)") }
        lines.append("accounts with nothing to collect are not on record: 'policy explain' tells of one")
        return lines
    }
}
