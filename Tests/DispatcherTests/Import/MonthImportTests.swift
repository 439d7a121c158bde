// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

struct MonthImportTests {
    private static let payments = "payment,account,delegation,paid_on,amount,origin,reverses\n"
    private static let paid = payments + "P-1,77,14,2024-03-05,12.50,borrower,\n"

    @Test func `payments are added once`() async throws {
        try await ImportSite.with { site in
            try site.load(.payments, Self.paid)
            let report = try site.load(.payments, Self.paid + "P-2,77,14,2024-03-06,1,fpp,\n")

            #expect(report.lines.contains("  payments added: 1"))
            #expect(report.lines.contains("  payments already there: 1"))
            #expect(try site.count("payment WHERE period = 202403 AND amount = 1250 AND origin = 'borrower'") == 1)
        }
    }

    @Test func `payments on accounts that no cut has there are taken and told`() async throws {
        try await ImportSite.with { site in
            try site.load(
                .cut,
                CutText.file([["account": "77"], ["account": "78", "delegation": "15", "municipality": "15033"]]))
            let rows = (1...12).map { "Q-\($0),79,14,2024-03-05,1,borrower,\n" }.joined()
            let report = try site.load(.payments, Self.paid + "P-0,78,14,2024-03-05,1,borrower,\n" + rows)

            #expect(report.result == .imported)
            #expect(report.lines.contains("  payments on accounts that no cut has there: 13"))
            #expect(report.warnings.count == 10)
            #expect(
                report.lines.contains(
                    "warning: payments.csv:3: account `78`: the account is in delegation 15 by the cut"))
            #expect(
                report.lines.contains("warning: payments.csv:4: account `79`: the account is in no cut that is loaded"))
            #expect(try report.json().contains("\"payments on accounts that no cut has there\" : 13"))
        }
    }

    @Test(arguments: [
        (
            "P-1,77,14,2024-03-05,99,borrower,",
            "payment: the payment is loaded already, with other content; it takes a number of its own"
        ),
        (
            "P-2,77,14,2024-03-05,1,borrower,P-9",
            "reverses: there is no such payment, neither loaded nor good in this file"
        ),
        ("P-2,78,14,2024-03-05,1,borrower,P-1", "reverses: that payment is of another account"),
        ("P-2,77,14,2024-03-05,1,borrower,P-2", "reverses: is the payment itself"),
        (
            "P-2,77,14,2024-03-05,0,borrower,",
            "amount: is out of range; it must be 0.01 to 99999999999.99, two decimals at most"
        ),
        ("P-2,77,14,2024-04-02,1,borrower,", "paid_on: lies in the future; the latest day is 2024-03-31"),
        ("P-2,77,14,2024-03-05,1,heir,", "origin: is none of `borrower`, `employer`, `fpp`, `subaccount`"),
    ])
    func `a payment that cannot be is refused`(row: String, reason: String) async throws {
        try await ImportSite.with { site in
            try site.load(.payments, Self.paid)
            let report = try site.load(.payments, Self.payments + row + "\n")

            #expect(report.badValues.map { "\($0.column): \($0.reason)" } == [reason])
        }
    }

    @Test func `a payment may take back one of the same file or of an earlier one`() async throws {
        try await ImportSite.with { site in
            try site.load(.payments, Self.paid)
            let rows =
                "P-3,77,14,2024-03-07,2,borrower,P-2\nP-2,77,14,2024-03-06,2,borrower,\n"
                + "P-4,77,14,2024-03-07,12.50,borrower,P-1\n"

            #expect(try site.load(.payments, Self.payments + rows).result == .imported)
        }
    }

    /// On its day is not before it, also where both stand in one file.
    @Test func `a payment is taken back on its day at the earliest`() async throws {
        try await ImportSite.with { site in
            let payment = "P-2,77,14,2024-03-06,2,borrower,\n"
            let early = try site.load(.payments, Self.payments + payment + "P-3,77,14,2024-03-05,2,borrower,P-2\n")
            let same = try site.load(.payments, Self.payments + payment + "P-3,77,14,2024-03-06,2,borrower,P-2\n")

            #expect(early.badValues.map(\.column) == ["paid_on"])
            #expect(same.result == .imported)
        }
    }

    @Test func `the first file of a month says that it opens it`() async throws {
        try await ImportSite.with { site in
            let told =
                "  2024-05 is a new month: nothing was imported for it before; it is open until `dispatcherd close`"
            let may = try #require(Period(text: "2024-05"))
            let first = try site.load(.payments, Self.paid, period: may)
            let second = try site.load(.payments, Self.paid + "P-2,77,14,2024-03-06,1,fpp,\n", period: may)

            #expect(first.lines.contains(told) && first.opensPeriod)
            #expect(!second.lines.contains(told) && !second.opensPeriod)
        }
    }

    @Test func `a payment that takes back a bad one is bad`() async throws {
        try await ImportSite.with { site in
            let rows =
                "P-3,77,14,2024-03-07,2,borrower,P-2\nP-2,77,14,2024-03-06,2,borrower,P-1\n"
                + "P-5,77,14,2024-03-06,2,borrower,\n"
            let report = try site.load(.payments, Self.payments + rows, acceptsGood: true)

            #expect(report.rowsGood == 1)
            #expect(try site.count("payment WHERE payment_id = 'P-5'") == 1)
        }
    }

    @Test(arguments: [true, false])
    func `a last line without its end is not taken, be it good or not`(isGood: Bool) async throws {
        try await ImportSite.with { site in
            let cut = Self.paid + "P-2,77,14,2024-03-06,1,fpp,\(isGood ? "P-1" : "P-9")"
            let failure = try #require(throws: CommandFailure.self) {
                try site.load(.payments, cut, acceptsGood: true)
            }

            #expect(failure.exit == .findings)
            #expect(
                failure.found
                    == "payments.csv, line 3: the last line has no line end, so the file may be cut off inside it")
            #expect(failure.remedy.contains("add a newline at its end"))
            #expect(try site.count("payment") == 0)
        }
    }

    @Test func `what takes a payment back is in no feed of before that payment's own`() async throws {
        try await ImportSite.with { site in
            let april = ImportSite.march.advanced(byMonths: 1)
            try site.load(.payments, Self.paid, period: april)
            let row = "P-2,77,14,2024-03-31,12.50,borrower,P-1\n"
            let report = try site.load(.payments, Self.payments + row)
            #expect(
                report.badValues.map { "\($0.column) \($0.value): \($0.reason)" } == [
                    "reverses P-1: that payment is of the feed of 2024-04; what takes it back is of that month or a later one"
                ])
            #expect(try site.count("payment") == 1)
            try site.load(.payments, Self.payments + row, period: april)
            #expect(try site.count("payment") == 2)
        }
    }

    @Test(arguments: [
        ("P-3,77,14,2024-03-07,12.50,borrower,P-1", "reverses P-1: that payment is taken back already, by P-2"),
        (
            "P-3,77,14,2024-03-07,12.50,borrower,P-2",
            "reverses P-2: that payment takes one back itself; only payments are taken back"
        ),
        (
            "P-3,77,14,2024-03-07,2.01,fpp,P-9",
            "amount 2.01: is more than the payment that it takes back, 2"
        ),
        (
            "P-3,77,14,2024-03-05,2,fpp,P-9",
            "paid_on 2024-03-05: is before the payment that it takes back, of 2024-03-06"
        ),
        (
            "P-3,78,14,2024-03-07,2,fpp,P-9",
            "reverses P-9: that payment is of another account"
        ),
        (
            "P-3,77,14,2024-03-07,2,employer,P-9",
            "origin employer: that payment is of origin fpp; what takes it back is of the same"
        ),
    ])
    func `a payment is taken back once, as what it was, not before its day, and for no more than it was`(
        row: String, reason: String
    )
        async throws
    {
        try await ImportSite.with { site in
            let loaded = Self.paid + "P-2,77,14,2024-03-06,12.50,borrower,P-1\nP-9,77,14,2024-03-06,2,fpp,\n"
            try site.load(.payments, loaded)
            let report = try site.load(.payments, Self.payments + row + "\n")
            let again = try site.load(.payments, loaded + "P-8,77,14,2024-03-06,2,fpp,\n")

            #expect(report.badValues.map { "\($0.column) \($0.value): \($0.reason)" } == [reason])
            #expect(again.result == .imported)
        }
    }

    @Test func `a payment is taken back by a row of the delegation to which its debtor moved`() async throws {
        try await ImportSite.with { site in
            try site.load(.payments, Self.paid)
            let report = try site.load(.payments, Self.payments + "P-2,77,9,2024-03-07,12.50,borrower,P-1\n")

            #expect(report.badValues.isEmpty)
            #expect(try site.count("payment") == 2)
        }
    }

    @Test func `of two that take the same payment back in one file none is taken`() async throws {
        try await ImportSite.with { site in
            let rows = "P-2,77,14,2024-03-06,1,borrower,P-1\nP-3,77,14,2024-03-06,1,borrower,P-1\n"
            let report = try site.load(.payments, Self.paid + rows, acceptsGood: true)

            #expect(report.badValues.map(\.line) == [3, 4])
            #expect(try site.count("payment") == 1)
        }
    }

    @Test func `duplicate payments are told with both lines`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(.payments, Self.paid + "P-1,77,14,2024-03-05,12.50,borrower,\n")

            #expect(
                report.badValues.map(\.reason) == [
                    "the same payment is in line 3 too", "the same payment is in line 2 too",
                ])
        }
    }

    @Test func `facts are added with empty values for what is computed`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let goal = [
                "fact": "F-2", "kind": "goal", "portfolio": "", "subject": "worked:rest", "value": "", "minimum": "80",
                "weight": "1",
            ]
            try site.load(.facts, ExampleText.file(.facts, [[:], goal]))

            #expect(try site.count("fact WHERE kind = 'staffing' AND portfolio = 1 AND value = '12'") == 1)
            #expect(
                try site.count("fact WHERE kind = 'goal' AND subject = 'worked:rest' AND value = '' AND minimum = '80'")
                    == 1)
        }
    }

    @Test(arguments: [
        (["contract": "32"], "contract: there is no such contract; import contracts first"),
        (["delegation": "9"], "delegation: contract 31 does not work in that delegation"),
        (["fact": "F-2", "on_date": "2024-02-29"], "on_date: lies before the period"),
        (["supersedes": "F-0"], "supersedes: there is no such fact, neither loaded nor good in this file"),
        (
            ["fact": "F-2", "kind": "requirement", "portfolio": "", "value": "yes", "supersedes": "F-1"],
            "supersedes: that fact is of another kind, contract or delegation"
        ),
        (
            ["fact": "F-1", "value": "13"],
            "fact: the fact is loaded already, with other content; a correction is a new fact that supersedes it"
        ),
        (
            ["kind": "stafing"],
            "kind: is none of `staffing`, `visit`, `quality`, `goal`, `improvement`, `requirement`, `complaint`, `mediation`; "
                + "did you mean `staffing`?"
        ),
    ])
    func `a fact that cannot be is refused`(changes: [String: String], reason: String) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(.facts, ExampleText.file(.facts, [["fact": "F-1"]]))
            let report = try site.load(.facts, ExampleText.file(.facts, [changes]))

            #expect(report.badValues.map { "\($0.column): \($0.reason)" } == [reason])
        }
    }

    @Test(
        arguments: [
            (
                [["fact": "F-3", "value": "14", "supersedes": "F-1"]],
                "that fact is corrected already, by F-2; a further correction is of that one"
            ),
            ([["fact": "F-3", "value": "14", "supersedes": "F-2"]], nil),
            ([["fact": "F-2", "value": "13", "supersedes": "F-1"]], nil),
            (
                [
                    ["fact": "F-3", "value": "14", "supersedes": "F-2"],
                    ["fact": "F-4", "value": "15", "supersedes": "F-2"],
                ],
                "what corrects the same fact is in line 3 too"
            ),
        ] as [([[String: String]], String?)])
    func `a fact is corrected once`(rows: [[String: String]], reason: String?) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(.facts, ExampleText.file(.facts, [["fact": "F-1"]]))
            try site.load(.facts, ExampleText.file(.facts, [["fact": "F-2", "value": "13", "supersedes": "F-1"]]))
            let report = try site.load(.facts, ExampleText.file(.facts, rows))

            #expect(report.badValues.first.map { "\($0.column): \($0.reason)" } == reason.map { "supersedes: \($0)" })
        }
    }

    /// F-1 is loaded: telephone advisers of a day.
    @Test(
        arguments: [
            ([["fact": "F-2", "value": "13"]], [], ["2: F-1"]),
            ([["fact": "F-2", "value": "13", "supersedes": "F-1"]], [], []),
            ([["fact": "F-1"], ["fact": "F-2", "value": "13", "supersedes": "F-1"]], [], []),
            ([["fact": "F-2", "value": "13", "portfolio": "home-visit"]], [], []),
            ([["fact": "F-2", "value": "13", "on_date": "2024-03-28"]], [], []),
            ([["fact": "F-2", "value": "13", "delegation": "15"]], [], []),
            ([["fact": "F-2", "value": "13"], ["fact": "F-3", "value": "14"]], ["2: line 3", "3: line 2"], []),
            ([["fact": "F-2", "value": "13"], ["fact": "F-3", "value": "14", "supersedes": "F-2"]], [], ["3: F-1"]),
            (
                [["fact": "F-2", "value": "13", "supersedes": "F-1"], ["fact": "F-3", "value": "14"]],
                ["2: line 3", "3: line 2"], []
            ),
            ([["fact": "F-1"]], [], []),
        ] as [([[String: String]], [String], [String])])
    func `a second staffing report of a day is told, and two in one file are refused (PEN-01)`(
        rows: [[String: String]], refused: [String], warned: [String]
    ) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(.facts, ExampleText.file(.facts, [["fact": "F-1"]]))
            let report = try site.load(
                .facts, ExampleText.file(.facts, rows + [["fact": "F-9", "on_date": "2024-03-01"]]))
            func told(_ values: [BadValue], _ word: String) -> [String] {
                values.map { value in
                    let words = value.reason.split(separator: " ").map(String.init)
                    let place = words.firstIndex(of: word).map { words[$0 + 1] } ?? "?"
                    return "\(value.line): \(word == "line" ? "line " : "")\(place)"
                }
            }

            #expect(told(report.badValues, "line") == refused)
            #expect(told(report.warnings, "fact") == warned)
            #expect(
                report.badValues.allSatisfy { $0.column == "on_date" }
                    && report.warnings.allSatisfy { $0.column == "on_date" })
            #expect(report.result == (refused.isEmpty ? .imported : .refused))
            #expect(report.lines.contains("  staffing reports beside one of the same day: 1") == !warned.isEmpty)
        }
    }

    @Test func `a fact of an earlier month is not corrected in a later one`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(.facts, ExampleText.file(.facts, [["fact": "F-1"]]))
            try site.link.script(
                "INSERT INTO period VALUES (202402, 'open', now(), NULL, NULL); UPDATE fact SET period = 202402")
            let report = try site.load(
                .facts, ExampleText.file(.facts, [["fact": "F-2", "value": "13", "supersedes": "F-1"]]))

            #expect(
                report.badValues.map { "\($0.column): \($0.reason)" } == [
                    "supersedes: that fact is of another period; what is wrong in it is put right by a credit or a debit"
                ])
        }
    }

    @Test(arguments: ["2024-03-01", "2024-03-29"]) func `a fact is of a day of its month`(day: String) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            #expect(
                try site.load(.facts, ExampleText.file(.facts, [["fact": "F-1", "on_date": day]])).result == .imported)
        }
    }

    @Test func `a fact may correct one of the same file`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let rows = [["fact": "F-2", "value": "13", "supersedes": "F-1"], ["fact": "F-1"]]

            #expect(try site.load(.facts, ExampleText.file(.facts, rows)).result == .imported)
        }
    }

    /// F-0 is loaded, and corrects none of them.
    @Test(arguments: [
        (["F-2": "F-1", "F-1": "F-2"], [2, 3]), (["F-1": "F-3", "F-2": "F-1", "F-3": "F-2"], [2, 3, 4]),
        (["F-1": "F-0", "F-2": "F-1", "F-3": "F-2"], []), (["F-1": "", "F-2": "F-3", "F-3": "F-2"], [3, 4]),
    ])
    func `facts that correct one another in a ring are refused`(rows: [String: String], refused: [Int]) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(.facts, ExampleText.file(.facts, [["fact": "F-0", "on_date": "2024-03-01"]]))
            let file = rows.sorted { $0.key < $1.key }.map { fact, former in
                ["fact": fact, "supersedes": former, "on_date": "2024-03-0\(fact.last ?? "9")"]
            }
            let report = try site.load(.facts, ExampleText.file(.facts, file), acceptsGood: true)

            #expect(report.badValues.map(\.line) == refused)
            #expect(
                report.badValues.allSatisfy {
                    $0.column == "supersedes"
                        && $0.reason == "the facts correct one another in a ring, so that none of them would stand"
                })
            #expect(try site.count("fact") == Int64(1 + rows.count - refused.count))
        }
    }

    /// The second of two goals is loaded already.
    @Test func `a goal that asks for nothing is told when it is imported (PEN-02)`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            func goal(_ fact: String, _ minimum: String, _ weight: String, _ former: String = "") -> [String: String] {
                [
                    "fact": fact, "kind": "goal", "delegation": "14", "on_date": "2024-03-01", "portfolio": "",
                    "subject": "worked", "value": "", "minimum": minimum, "weight": weight, "note": "n",
                    "supersedes": former,
                ]
            }
            let first = try site.load(
                .facts, ExampleText.file(.facts, [goal("G-1", "10", "1"), goal("G-2", "0.0", "1")]))
            #expect(first.warnings.map { "\($0.line) \($0.column) \($0.value)" } == ["3 minimum 0.0"])
            let rows = [
                goal("G-2", "0.0", "1"), goal("G-3", "10", "0", "G-1"), goal("G-4", "0", "1", "G-2"),
                goal("G-5", "5", "1", "G-4"),
            ]
            let report = try site.load(.facts, ExampleText.file(.facts, rows))
            #expect(report.result == .imported)
            #expect(report.lines.contains("  goals that ask for nothing: 1"))
            #expect(
                report.lines.contains(
                    "warning: facts.csv:3: weight `0`: the goal asks for nothing, so that neither PEN-02 nor PEN-22 judges it"
                ))
        }
    }

    /// Contract 31 leased its first account in delegation 14 at that time; it leased none in 15.
    @Test(arguments: [("14", "", true), ("14", "the quota rose", false), ("15", "", false)])
    func `a goal that comes after the contract's first grant there needs a reason, and the statement shows it`(
        delegation: String, note: String, isRefused: Bool
    ) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.link.script(
                """
                INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                VALUES (202403, 'applied', 1, '', '', '2024-03-01');
                INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state, size,
                    term_days, ceiling_days, grace_us, late_report_us, digest)
                VALUES (14, 1, '{31}', 2, 1, 202403, 1, false, 'open', 1, 30, 60, 0, 0, '');
                INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id, agency_id,
                    instance_id, key, request_hash, accounts, exposure, total_accounts, total_exposure, left_accounts, stop,
                    held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us)
                VALUES (14, 1, 1, 1, 1, 31, 7, 1, 1, '', 1, 0, 1, 0, 0, 'limit', '', '2024-03-05T15:00:00Z', '2024-04-05',
                    '2024-04-05', '2024-05-05', 0, 0);
                """)
            let goal = [
                "fact": "G-1", "kind": "goal", "delegation": delegation, "on_date": "2024-03-29", "portfolio": "",
                "subject": "worked", "value": "", "minimum": "10", "weight": "1", "note": note, "supersedes": "",
            ]
            let report = try site.load(.facts, ExampleText.file(.facts, [goal]))

            #expect(report.result == (isRefused ? .refused : .imported))
            #expect(
                report.badValues.map { "\($0.column): \($0.reason)" }
                    == (isRefused
                        ? [
                            "note: is empty, and the goal comes after the contract's first grant there, which froze its plan at "
                                + "2024-03-05T15:00:00Z; say why"
                        ] : []))
            if !isRefused {
                let body = try #require(
                    try MonthClosing(site.link, period: ImportSite.march).preview().statements.first
                ).body
                #expect(body.contains("before no goal; changed because: \(note).") == (delegation == "14"))
            }
        }
    }
}
