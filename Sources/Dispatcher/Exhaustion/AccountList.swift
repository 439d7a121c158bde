// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The accounts that a CSV file names in its column `account`, such as the list of candidates; other columns are not
/// read.
package enum AccountList {
    /// What a person can have looked at.
    package static let rowsMax = 100_000

    /// - Throws: ``CommandFailure``: usage where there is no such file; findings where it names no accounts.
    package static func read(_ path: String) throws -> [Int64] {
        let file = try InputFile(path)
        var csv = CsvReader()
        var column: Int?
        var accounts: [Int64] = []
        while true {
            switch csv.next() {
            case .row:
                guard let place = column else {
                    column = (0..<min(csv.fieldCount, CsvReader.columnsMax)).first { csv.text($0) == "account" }
                    guard column != nil else { throw unusable(file, csv.line, "the header has no column `account`") }
                    continue
                }
                guard place < csv.fieldCount, let account = Int64(csv.text(place)), AccountID(account) != nil else {
                    throw unusable(file, csv.line, "there is no account number")
                }
                // Nothing tells a missing line end from a file that was cut off, and this takes accounts out of collection.
                guard csv.isEndedByLineBreak else {
                    throw unusable(file, csv.line, "the last line has no line end, so the file may be cut off")
                }
                guard accounts.count < rowsMax else { throw unusable(file, csv.line, "more than \(rowsMax) accounts") }
                accounts.append(account)
            case .malformed(let line, let reason), .cutOff(let line, let reason), .tooLong(let line, let reason):
                throw unusable(file, line, reason)
            case .hungry: try csv.fill { try file.read(into: $0) }
            case .end:
                guard !accounts.isEmpty else { throw unusable(file, csv.line, "it names no account") }
                return accounts
            }
        }
    }

    private static func unusable(_ file: InputFile, _ line: Int, _ reason: String) -> CommandFailure {
        CommandFailure(
            .findings, "\(file.name), line \(line): \(reason)",
            remedy: "Nothing was certified. Give a CSV file with a column `account`.")
    }
}
