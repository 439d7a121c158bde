// SPDX-License-Identifier: Apache-2.0

/// A file whose rows are damaged, and which of its columns lends itself to which damage.
struct MessFile: Sendable {
    let header: [String]
    /// The column that a stray quote gets into.
    let word: String
    private let columns: [Damage: String]

    /// `nil`: nobody does that to this file.
    func column(_ damage: Damage) -> String? { columns[damage] }

    static let cut = MessFile(
        header: CutWriter.header, word: "reference",
        columns: Dictionary(uniqueKeysWithValues: Damage.allCases.map { ($0, $0.column) }))
    static let stops = MessFile(header: StopMaker.header, word: "reason", date: "from_on")
    static let starts = MessFile(header: StartMaker.header, word: "reason", date: "on_date")
    static let payments = MessFile(header: FeedMaker.header, word: "origin", date: "paid_on", amount: "amount")

    private init(header: [String], word: String, columns: [Damage: String]) {
        self.header = header
        self.word = word
        self.columns = columns
    }

    /// A file of the month: an account, a date, a word of a list, and perhaps an amount.
    private init(header: [String], word: String, date: String, amount: String? = nil) {
        var columns: [Damage: String] = [.scientific: "account", .totalsRow: "account"]
        for damage: Damage in [.impossibleDate, .futureDate, .localDate, .serialDate] { columns[damage] = date }
        for damage: Damage in [.wrongEncoding, .capitals, .trailingSpace, .empty] { columns[damage] = word }
        for damage: Damage in [.missingField, .extraField, .strayQuote] { columns[damage] = "" }
        if let amount {
            for damage: Damage in [.thousands, .decimalComma, .currencySign, .errorValue, .negative] {
                columns[damage] = amount
            }
        }
        self.init(header: header, word: word, columns: columns)
    }
}
