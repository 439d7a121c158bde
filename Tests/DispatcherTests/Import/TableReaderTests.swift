// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct TableReaderTests {
    @Test func `columns may stand in any order`() throws {
        let table = try Table(.zones, "delegation,zone\n14,9\n")

        #expect(table.numbers == [[9, 14]])
        #expect(table.bad.isEmpty)
    }

    @Test func `values come out in the units of the tables`() throws {
        let table = try Table(
            .payments, "payment,account,delegation,paid_on,amount,origin,reverses\nP-1,77,14,2024-03-05,12.5,fpp,\n")

        #expect(table.numbers == [[0, 77, 14, 19_787, 1_250, 3 * 0, 0]])
    }

    @Test(arguments: [
        ("1234567890.12", Int64(123_456_789_012)), ("0", 0), ("7", 700), ("0.5", 50), ("0.05", 5),
    ])
    func `pesos become centavos exactly`(text: String, centavos: Int64) throws {
        #expect(try Table.cut(["balance": text]).number("balance") == centavos)
    }

    @Test(arguments: [
        ("-5", "is negative; it must be 0.00 to 99999999999.99, two decimals at most"),
        ("1.234", "is not an amount in pesos with a point and two decimals at most, without separators"),
        ("1,000", "is not an amount in pesos with a point and two decimals at most, without separators"),
        ("$5", "is not an amount in pesos with a point and two decimals at most, without separators"),
        (".5", "is not an amount in pesos with a point and two decimals at most, without separators"),
        ("5.", "is not an amount in pesos with a point and two decimals at most, without separators"),
        ("-", "is not an amount in pesos with a point and two decimals at most, without separators"),
        ("100000000000", "is out of range; it must be 0.00 to 99999999999.99, two decimals at most"),
        ("", "is empty"),
    ])
    func `an amount that is none is refused`(text: String, reason: String) throws {
        #expect(
            try Table.cut(["balance": text]).bad == [BadValue(line: 2, column: "balance", value: text, reason: reason)])
    }

    @Test(arguments: [
        ("delegation", "33", "no such delegation; they are numbered 1 to 32"),
        ("delegation", "0", "no such delegation; they are numbered 1 to 32"),
        ("delegation", "x", "is not a whole number in plain digits"),
        ("delegation", "014", "is not a whole number in plain digits, without leading zeros"),
        ("account", "0", "is out of range; it must be 1 to 9999999999"),
        ("account", "12345678901234567890", "is not a whole number in plain digits"),
        (
            "municipality", "1403",
            "is no municipality key; it must be five digits: state 01 to 32, municipality 001 to 999"
        ),
        (
            "municipality", "33001",
            "is no municipality key; it must be five digits: state 01 to 32, municipality 001 to 999"
        ),
        ("municipality", "09002", "lies in another delegation, 9"),
        ("regime", "REB", "is none of `REA`, `ROA`, `RE`; did you mean `REA`?"),
        ("currency", "dollars", "is none of `pesos`, `vsm`"),
        ("signed", "true", "is neither `yes` nor `no`"),
        ("arrears", "1000", "is out of range; it must be 0 to 999"),
        ("arrears", "-1", "is out of range; it must be 0 to 999"),
        ("lawsuit_on", "2024-02-30", "is not a day as 2024-03-31"),
        ("lawsuit_on", "29/02/2024", "is not a day as 2024-03-31"),
        ("last_payment_on", "2024-04-01", "lies in the future; the latest day is 2024-03-31"),
        ("payment_probability", "100.01", "is out of range; it must be 0.00 to 100.00, two decimals at most"),
        ("instalment_drop", "half", "is not a percent with a point and two decimals at most, without separators"),
        ("reference", "12 34", "must be 1 to 40 of letters, digits, `-`, `_`, `.`, `/`, `:`"),
        ("reference", "", "is empty"),
    ])
    func `a value that its column cannot take is refused`(column: String, text: String, reason: String) throws {
        #expect(try Table.cut([column: text]).bad == [BadValue(line: 2, column: column, value: text, reason: reason)])
    }

    @Test(arguments: ["extension_until", "fpp_until", "disaster_until"])
    func `a last day may lie ahead`(column: String) throws {
        #expect(try Table.cut([column: "2025-01-31"]).bad.isEmpty)
    }

    @Test func `empty is null where it is allowed`() throws {
        #expect(try Table.cut(["debtor": "", "lawsuit_on": ""]).bad.isEmpty)
    }

    @Test func `every bad value of a row is told`() throws {
        let columns = try Table.cut(["balance": "-1", "delegation": "40", "signed": "si"]).bad.map(\.column)

        #expect(columns == ["delegation", "balance", "signed"])
    }

    @Test func `a value is shown to forty characters and without control characters`() {
        let long = BadValue(line: 1, column: "", value: String(repeating: "x", count: 50), reason: "")

        #expect(long.value == String(repeating: "x", count: 39) + "…")
        #expect(BadValue(line: 1, column: "", value: "a\nb\u{1B}[2J", reason: "").value == "a·b·[2J")
    }

    @Test func `a row with too few fields is bad, the others are not`() throws {
        let table = try Table(.zones, "zone,delegation\n1\n2,3\n")

        #expect(table.bad == [BadValue(line: 2, column: "", value: "", reason: "the row has 1 fields, the header 2")])
        #expect(table.numbers == [[2, 3]])
    }

    @Test func `bytes that are not UTF-8 are told with their line`() throws {
        var bytes = Array("agency,key_name,public_key,expires_on\nACE07,".utf8)
        bytes += [0xF1] + Array("x,\(Table.key),\n".utf8)

        #expect(try Table(.keys, bytes: bytes).bad.map(\.reason) == ["is not valid UTF-8"])
        #expect(try Table(.keys, bytes: bytes).bad.map(\.line) == [2])
    }

    @Test(arguments: [
        ("zone\n1\n", "the header is wrong: missing: `delegation`"),
        ("zona,delegation\n", "the header is wrong: `zona` is unknown (did you mean `zone`?); missing: `zone`"),
        ("zone,delegation,colour\n", "the header is wrong: `colour` is unknown"),
        ("zone,delegation,zone\n", "the header is wrong: `zone` is there twice"),
        ("zone;delegation\n", "the header is wrong: columns are separated by commas, not by `;`"),
        ("zone\tdelegation\n", "the header is wrong: columns are separated by commas, not by tabs"),
        ("zone,,delegation\n", "the header is wrong: column 2 has no name"),
        ("Zone,delegation\n", "the header is wrong: `Zone` is unknown (did you mean `zone`?); missing: `zone`"),
        ("zone,delegation\n", "the file has a header and no rows"),
        ("", "the file is empty"),
        ("zone,delegation\n1,2\n3", "the file is cut off: the row has 1 fields, the header 2"),
        ("zone,delegation\n1,2\n1,3", "the last line has no line end, so the file may be cut off inside it"),
        ("zone,delegation\n1,\"2\"", "the last line has no line end, so the file may be cut off inside it"),
        ("zone,delegation\r\n1,2\r", "the last line has no line end, so the file may be cut off inside it"),
        ("zone,delegation\n1,2,3", "the last line has no line end, so the file may be cut off inside it"),
        ("zone,delegation\n1,\"2", "the file is cut off: a quoted field begins here and is never closed"),
    ])
    func `a file of which nothing can be taken says why`(text: String, reason: String) throws {
        let unreadable = try #require(throws: TableReader.Unreadable.self) { try Table(.zones, text) }

        #expect(unreadable.reason == reason)
    }

    @Test(arguments: [
        ("fee,FEE-11,dual.visit,-5", "value -5: is not pesos, not negative"),
        ("fee,FEE-11,dual.visit,x", "value x: is not pesos, not negative"),
        ("fee,FEE-11,dual.fax,5", "parameter dual.fax: is no service; they are written as `administrative.phone`"),
        (
            "fee,FEE-12,dual.visit,5",
            "rule FEE-12: is no rule of fees; they are `FEE-11`, `FEE-01` to `FEE-05`, `FEE-10`, `AGY-15`, "
                + "`GAP-late-payment` and `AMB-09` to `AMB-11`"
        ),
        ("penalty,PEN-XX,rate,5", "rule PEN-XX: is no rule of penalties"),
        (
            "penalty,PEN-05,ratio,5",
            "parameter ratio: is no parameter of PEN-05, which has `over`, `rate`, `sample`, `threshold`"
        ),
        ("penalty,PEN-05,over,all", "value all: is not reviewed or submitted"),
        ("penalty,IVA,penalties,never", "value never: is not yes or no"),
        ("fee,AMB-09,base,owed", "value owed: is not overdue or paid"),
        ("fee,AMB-11,range,top", "parameter range: is no parameter of AMB-11, which has `above`, `fraction`"),
        ("penalty,PEN-05,rate,101", "value 101: is not a percent from 0 to 100"),
        ("penalty,PEN-01,telephone,-1", "value -1: is not pesos, not negative"),
        ("penalty,PEN-08,months,0", "value 0: is not a count from 1 to 1000"),
        ("penalty,PEN-02,aggregation,worst", "value worst: is not any or mean"),
        ("penalty,IVA,rate,high", "value high: is not a percent from 0 to 100"),
    ])
    func `a schedule's value is one that the close can read`(columns: String, reason: String) throws {
        let header = "schedule,effective_on,kind,rule,parameter,value\n"
        let table = try Table(.schedules, header + "s-1,2024-03-01,\(columns)\n")

        #expect(table.bad.map { "\($0.column) \($0.value): \($0.reason)" } == [reason])
    }

    @Test(arguments: [
        ("staffing,,,12", "portfolio: is empty; staffing is of one portfolio"),
        ("staffing,telephone,,-2", "value: is not a number of advisers, 0 to 100000"),
        ("visit,,absent,yes", "subject: of a visit must be `adviser-absent`, `office-closed` or `ok`"),
        ("visit,,ok,maybe", "value: of a visit says whether notice was given, `yes` or `no`"),
        ("quality,home-visit,,80", "portfolio: of a quality score must be `telephone`"),
        ("quality,telephone,,101", "value: is not a percent from 0 to 100"),
        ("improvement,,huge,yes", "subject: of an improvement must be `low`, `medium` or `high`"),
        ("requirement,,,", "value: of a requirement says whether it was met, `yes` or `no`"),
        (
            "goal,,visits,",
            "subject: of a goal must be `worked`, `contacted`, `promises` or `agreements`, or that with `:tactic`, "
                + "or `recovered`"
        ),
    ])
    func `a fact says what its kind needs`(columns: String, reason: String) throws {
        let header = "fact,contract,delegation,on_date,minimum,weight,note,supersedes,kind,portfolio,subject,value\n"
        let table = try Table(.facts, header + "F-1,31,14,2024-03-29,10,1,,,\(columns)\n")

        #expect(table.bad.map { "\($0.column): \($0.reason)" } == [reason])
    }

    @Test(arguments: [
        "staffing,telephone,,12", "visit,,office-closed,no", "quality,telephone,,79.5", "improvement,,high,no",
        "requirement,,,yes", "goal,,worked:rest,", "goal,,promises,120",
    ])
    func `a fact that says what its kind needs is good`(columns: String) throws {
        let header = "fact,contract,delegation,on_date,minimum,weight,note,supersedes,kind,portfolio,subject,value\n"

        #expect(try Table(.facts, header + "F-1,31,14,2024-03-29,10,1,,,\(columns)\n").bad.isEmpty)
    }
}

/// A text read as one kind of file, in a period that ends on 2024-03-31.
struct Table {
    static let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    let format: TableFormat
    var numbers: [[Int64]] = []
    var bad: [BadValue] = []

    private static let noCheck: TableReader.RowCheck = { _ in [] }

    init(_ format: TableFormat, _ text: String) throws { try self.init(format, bytes: Array(text.utf8)) }

    init(_ format: TableFormat, bytes: [UInt8]) throws {
        self.format = format
        let kind = ImportKind(rawValue: format.name)
        var reader = TableReader(
            format, latestDay: LocalDate(text: "2024-03-31") ?? LocalDate(daysSince1970: 0),
            rowCheck: kind.map(\.rowCheck) ?? Self.noCheck)
        var rest = bytes[...]
        while true {
            switch try reader.next() {
            case .hungry:
                reader.fill { room in
                    let part = rest.prefix(room.count)
                    room.copyBytes(from: part)
                    rest = rest.dropFirst(part.count)
                    return part.count
                }
            case .row: numbers.append(format.columns.indices.map { reader.number($0) })
            case .bad(let values): bad += values
            case .end: return
            }
        }
    }

    /// A cut of one good account, but for `changes`.
    static func cut(_ changes: [String: String]) throws -> Table { try Table(.cut, CutText.file([changes])) }

    func number(_ column: String) -> Int64? {
        format.index(of: column).flatMap { index in numbers.first?[index] }
    }
}

/// Cuts as text: the examples of the formats, with what a test changes.
enum CutText {
    static func file(_ rows: [[String: String]]) -> String {
        let columns = TableFormat.cut.columns
        let header = columns.map(\.name).joined(separator: ",")
        let lines = rows.map { changes in
            columns.map { column in
                let text = changes[column.name] ?? column.example
                return text.contains(",") ? "\"\(text)\"" : text
            }.joined(separator: ",")
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }
}
