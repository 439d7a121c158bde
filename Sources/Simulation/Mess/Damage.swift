// SPDX-License-Identifier: Apache-2.0

/// What people and spreadsheets do to one row of a good file. Each kind is one fault, for one finding of an import.
package enum Damage: String, CaseIterable, Sendable {
    case wrongEncoding = "wrong-encoding"
    case twiceEncoded = "twice-encoded"
    case duplicate
    case duplicateElsewhere = "duplicate-elsewhere"
    case impossibleDate = "impossible-date"
    case futureDate = "future-date"
    case localDate = "local-date"
    case serialDate = "serial-date"
    case scientific
    case thousands
    case decimalComma = "decimal-comma"
    case currencySign = "currency-sign"
    case errorValue = "error-value"
    case lostZero = "lost-zero"
    case capitals
    case trailingSpace = "trailing-space"
    case otherLanguage = "other-language"
    case negative
    case empty
    case missingField = "missing-field"
    case extraField = "extra-field"
    case strayQuote = "stray-quote"
    case wrongDelegation = "wrong-delegation"
    case totalsRow = "totals-row"

    var meaning: String {
        switch self {
        case .wrongEncoding: "a byte of Windows-1252 in a file of UTF-8"
        case .twiceEncoded: "UTF-8 that was taken for Windows-1252 and encoded again"
        case .duplicate: "the same row again"
        case .duplicateElsewhere: "the same account again, in another delegation"
        case .impossibleDate: "the 30th of February"
        case .futureDate: "a day of next year"
        case .localDate: "a date as 28/02/2024"
        case .serialDate: "a date as a spreadsheet's number of days"
        case .scientific: "an account as 1.00E+09"
        case .thousands: "an amount with separators of thousands"
        case .decimalComma: "an amount with a decimal comma"
        case .currencySign: "an amount with a currency sign"
        case .errorValue: "#REF! of a broken formula"
        case .lostZero: "a municipality that lost its leading zero"
        case .capitals: "a word in capitals"
        case .trailingSpace: "a word with a space behind it"
        case .otherLanguage: "SI for yes"
        case .negative: "a negative amount"
        case .empty: "nothing where something has to be"
        case .missingField: "a row with a field too few"
        case .extraField: "a row with a field too many"
        case .strayQuote: "a quote inside a field"
        case .wrongDelegation: "a municipality of another delegation"
        case .totalsRow: "a spreadsheet's row of totals"
        }
    }

    /// The column that an import names; empty for the row as a whole.
    var column: String {
        switch self {
        case .wrongEncoding, .twiceEncoded: "reference"
        case .duplicate, .duplicateElsewhere, .scientific, .totalsRow: "account"
        case .impossibleDate, .futureDate, .localDate, .serialDate: "last_payment_on"
        case .thousands, .decimalComma, .currencySign, .errorValue: "balance"
        case .lostZero, .wrongDelegation: "municipality"
        case .capitals, .trailingSpace: "accounting"
        case .otherLanguage: "signed"
        case .negative: "due"
        case .empty: "regime"
        case .missingField, .extraField, .strayQuote: ""
        }
    }

    /// The damaged row, or the row and what is put behind it, and which of them an import has to find: of duplicates both, because nobody
    /// knows which of them is meant. `nil` where this row does not lend itself to it.
    ///
    /// - Parameters:
    ///   - row: the fields of a good row, which have no quotes.
    ///   - file: what it is a row of.
    func rows(
        of row: [UInt8], in file: MessFile = .cut, _ random: inout SplitMix64
    ) -> (rows: [[UInt8]], damaged: [Int])? {
        var fields = row.split(separator: 0x2C, omittingEmptySubsequences: false).map { Array($0) }
        guard fields.count == file.header.count, let column = file.column(self) else { return nil }
        func put(_ column: String, _ text: String) {
            if let index = file.header.firstIndex(of: column) { fields[index] = Array(text.utf8) }
        }
        func joined() -> [UInt8] { Array(fields.joined(separator: [0x2C])) }
        func text(_ column: String) -> String {
            file.header.firstIndex(of: column).map { String(decoding: fields[$0], as: UTF8.self) } ?? ""
        }
        switch self {
        case .wrongEncoding:
            guard let index = file.header.firstIndex(of: column) else { return nil }
            fields[index].append(0xD1)
        case .twiceEncoded: put(column, "\(text(column))Ã‘")
        case .duplicate: return ([row, row], [0, 1])
        case .duplicateElsewhere:
            let other = text("delegation") == "9" ? 14 : 9
            put("delegation", "\(other)")
            put("municipality", other == 9 ? "09007" : "14039")
            return ([row, joined()], [0, 1])
        case .impossibleDate: put(column, "2024-02-30")
        case .futureDate: put(column, "2099-01-01")
        case .localDate: put(column, "28/02/2024")
        case .serialDate: put(column, "45350")
        case .scientific: put(column, "1.00E+09")
        case .thousands: put(column, "\"329,000.00\"")
        case .decimalComma: put(column, "\"329000,00\"")
        case .currencySign: put(column, "$329000.00")
        case .errorValue: put(column, "#REF!")
        case .lostZero:
            guard text(column).hasPrefix("0") else { return nil }
            put(column, String(text(column).dropFirst()))
        case .capitals: put(column, text(column).uppercased())
        case .trailingSpace: put(column, text(column) + " ")
        case .otherLanguage: put(column, random.chance(5_000) ? "SI" : "Sí")
        case .negative: put(column, "-\(text(column))")
        case .empty: put(column, "")
        case .missingField: fields.removeLast()
        case .extraField: fields.append([])
        case .strayQuote: put(file.word, "AB\"12")
        case .wrongDelegation: put(column, text("delegation") == "9" ? "14039" : "09007")
        case .totalsRow:
            return ([row, Array("TOTAL\(String(repeating: ",", count: fields.count - 1))".utf8)], [1])
        }
        return ([joined()], [0])
    }
}
