// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What the text of a column may be, how it is stored, and how it is described to people: said once.
package enum ColumnType: Sendable, Equatable {
    case account
    case delegation
    case zone
    case municipality
    case agency
    case contract
    case integer(ClosedRange<Int64>, unit: String, storage: Storage)
    /// Pesos with at most two decimals; the range is in centavos.
    case money(ClosedRange<Int64>)
    /// A percent with at most two decimals; the range is in basis points.
    case percent(ClosedRange<Int64>)
    case yesNo
    /// A day that may lie ahead.
    case date
    /// A day that something has happened on: not after the period, nor after the database's today.
    case pastDate
    /// One word of a list, stored as its place in the list, from 1.
    case code([String])
    /// One word of a list, stored as it is.
    case word([String])
    /// Words of a list with semicolons between them, none twice, stored as they are.
    case words([String])
    case text(TextShape, max: Int)

    package enum Storage: Sendable { case int16, int32, int64, bool, date, text }

    /// Which characters a text may have.
    package enum TextShape: Sendable {
        /// Any line of text.
        case line
        /// Letters and digits of ASCII, and `-`, `_`, `.`, `/`, `:`.
        case identifier
        /// A decimal number, `yes`, `no` or a word: what a fact or a schedule says.
        case value
        /// Base64 of 32 bytes.
        case key
    }

    package var storage: Storage {
        switch self {
        case .account: .int64
        case .delegation, .zone, .code: .int16
        case .municipality, .agency, .contract, .percent: .int32
        case .integer(_, _, let storage): storage
        case .money: .int64
        case .yesNo: .bool
        case .date, .pastDate: .date
        case .word, .words, .text: .text
        }
    }

    /// The name of the type as the documentation has it.
    package var label: String {
        switch self {
        case .account, .delegation, .zone, .contract, .integer: "integer"
        case .municipality: "municipality key"
        case .agency: "agency"
        case .money: "money"
        case .percent: "percent"
        case .yesNo: "yes or no"
        case .date, .pastDate: "date"
        case .code, .word: "word"
        case .words: "words"
        case .text(.key, _): "Base64"
        case .text: "text"
        }
    }

    package var unit: String {
        switch self {
        case .integer(_, let unit, _): unit
        case .money: "pesos"
        case .percent: "%"
        case .date, .pastDate: "day"
        case .account, .delegation, .zone, .municipality, .agency, .contract, .yesNo, .code, .word, .words, .text:
            ""
        }
    }

    /// What is allowed, for people.
    package var range: String {
        switch self {
        case .account: "\(AccountID.range.lowerBound) to \(AccountID.range.upperBound)"
        case .delegation: "\(Delegation.range.lowerBound) to \(Delegation.range.upperBound)"
        case .zone: "\(Zone.range.lowerBound) to \(Zone.range.upperBound)"
        case .municipality: "five digits: state 01 to 32, municipality 001 to 999"
        case .agency: "ACE01 to ACE\(AgencyID.range.upperBound)"
        case .contract: "\(ContractID.range.lowerBound) to \(ContractID.range.upperBound)"
        case .integer(let range, _, _): "\(range.lowerBound) to \(range.upperBound)"
        case .money(let range): "\(Cents(range.lowerBound)) to \(Cents(range.upperBound)), two decimals at most"
        case .percent(let range): "\(Cents(range.lowerBound)) to \(Cents(range.upperBound)), two decimals at most"
        case .yesNo: "`yes`, `no`"
        case .date: "1900-01-01 to 2199-12-31"
        case .pastDate: "from 1900-01-01, not after the period nor after today"
        case .code(let words), .word(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .words(let words):
            "one or more of " + words.map { "`\($0)`" }.joined(separator: ", ") + ", separated by `;`"
        case .text(.line, let max): "1 to \(max) characters"
        case .text(.identifier, let max): "1 to \(max) of letters, digits, `-`, `_`, `.`, `/`, `:`"
        case .text(.value, _): "a number, `yes`, `no` or a word"
        case .text(.key, _): "44 characters for 32 bytes"
        }
    }
}
