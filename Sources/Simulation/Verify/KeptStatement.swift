// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import FoundationEssentials

/// One contract's month as it is kept, in its own words: amounts are texts until they are calculated with.
package struct KeptStatement: Sendable, Decodable {
    package struct Line: Sendable, Decodable {
        package struct Base: Sendable, Decodable {
            /// Of one thing, or else an amount.
            package var count: Int64?
            package var pesos: String?
        }
        package struct Rate: Sendable, Decodable {
            package var pesos: String?
            package var percent: String?
        }
        package var kind: String
        package var rule: String
        package var subject: String
        package var base: Base
        package var rate: Rate
        package var amount: String
        package var records: [Int64]
        package var facts: [String]?
    }

    package struct Totals: Sendable, Decodable {
        package var fees: String
        package var penalties: String
        package var taxOnFees: String
        package var taxOnPenalties: String
        package var payable: String
    }

    package struct Section: Sendable, Decodable {
        /// `nil`: charges on the whole invoice.
        package var delegation: Int16?
        package var lines: [Line]
        package var totals: Totals
    }

    package var sections: [Section]
    package var totals: Totals
    package private(set) var period: Int32 = 0
    package private(set) var contract: Int32 = 0

    /// Whether its text is the one that its row's digest is of.
    package var isItsDigest = true

    private enum CodingKeys: CodingKey { case sections, totals }

    /// - Parameters:
    ///   - period: of its row, as 202403; what the text says of it is not asked.
    ///   - text: its JSON.
    package init(period: Int32, contract: Int32, _ text: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        self.period = period
        self.contract = contract
    }

    /// The first of its delegations, for what is of the whole.
    package var firstDelegation: Delegation? {
        sections.lazy.compactMap { $0.delegation.flatMap { Delegation($0) } }.first
    }
}

extension [KeptStatement] {
    /// The lines of all of them by delegation.
    package var lines: [Delegation: [History.StatementLine]] {
        var lines: [Delegation: [History.StatementLine]] = [:]
        for statement in self {
            for section in statement.sections {
                guard let delegation = section.delegation.flatMap({ Delegation($0) }) else { continue }
                lines[delegation, default: []] += section.lines.map { $0.line(of: statement) }
            }
        }
        return lines
    }

    /// Those on whole invoices, which may name records of any delegation.
    package var wholeLines: [(delegation: Delegation, line: History.StatementLine)] {
        flatMap { statement in
            statement.sections.filter { $0.delegation == nil }.flatMap(\.lines).compactMap { line in
                statement.firstDelegation.map { ($0, line.line(of: statement)) }
            }
        }
    }
}

extension KeptStatement.Line {
    fileprivate func line(of statement: KeptStatement) -> History.StatementLine {
        History.StatementLine(
            period: statement.period, contract: statement.contract, rule: rule, subject: subject, isFee: kind == "fee",
            amount: amount, records: records, facts: facts ?? [], base: base.pesos)
    }
}
