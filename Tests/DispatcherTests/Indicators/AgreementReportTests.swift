// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing
import TestSupport

/// Agreements and promises against payments that are loaded.
struct AgreementReportTests {
    /// Agreements of accounts 1 to 4 in January, of which 4 is rejected; promises of accounts 5 and 6 in January.
    private static let months = """
        INSERT INTO period SELECT p, 'open', '2024-01-01', NULL, NULL FROM generate_series(202401, 202407) p;
        CREATE TABLE outcome_202401 PARTITION OF outcome FOR VALUES IN (202401);
        INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
        VALUES ('payments', 202401, 'f', '', 1, 0, '2024-01-31');
        INSERT INTO outcome
        SELECT 202401, 9, 7, 1, n, n, n, 1, 1, 1, 12, '2024-01-10T16:00:00Z', '2024-01-10T17:00:00Z', 'mediation-session',
            'direct', CASE WHEN n < 5 THEN 'agreement-signed' ELSE 'promise' END, 10000,
            CASE WHEN n >= 5 THEN '2024-01-20'::date END, NULL, NULL, ''
        FROM generate_series(1, 6) n;
        INSERT INTO review SELECT 202401, 9, n, CASE WHEN n = 4 THEN 'rejected' ELSE 'approved' END, 'r', 's', '2024-01-31'
        FROM generate_series(1, 4) n;
        INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, import_id)
        VALUES
            (202401, '1a', 9, 1, '2024-01-15', 100, 'borrower', NULL, 1), (202402, '1b', 9, 1, '2024-02-15', 100, 'borrower', NULL, 1),
            (202403, '1c', 9, 1, '2024-03-15', 100, 'borrower', NULL, 1),
            (202401, '2a', 9, 2, '2024-01-15', 100, 'borrower', NULL, 1), (202402, '2b', 9, 2, '2024-02-15', 100, 'borrower', NULL, 1),
            (202403, '2r', 9, 2, '2024-03-20', 100, 'borrower', '2b', 1),
            (202401, '5a', 9, 5, '2024-01-12', 4000, 'borrower', NULL, 1), (202401, '5b', 9, 5, '2024-01-20', 6000, 'borrower', NULL, 1),
            (202401, '6a', 9, 6, '2024-01-09', 9000, 'borrower', NULL, 1), (202401, '6b', 9, 6, '2024-01-21', 10000, 'borrower', NULL, 1);
        """

    /// The agreements' hands and accounts: account 2 in another strategy and tactic, 3 later by two months and first dealt in December.
    private static let dealt = """
        INSERT INTO period SELECT 202312, 'closed', '2023-12-01', NULL, NULL;
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
        VALUES (202401, 'applied', 1, '', '', '2024-01-01');
        INSERT INTO hand
        SELECT 9, h, '{12}', CASE h WHEN 2 THEN 2 ELSE 4 END, 1, CASE h WHEN 3 THEN 202312 ELSE 202401 END, 1, false, 'open', 1, 30, 60,
            0, 0, ''
        FROM generate_series(1, 3) h;
        INSERT INTO position
        SELECT 9, CASE n WHEN 2 THEN 2 ELSE 1 END, n, n, 1, 0, 0, 0, 1, CASE n WHEN 2 THEN 'signed' ELSE 'rest' END, 1, 0, 0, 9001, ''
        FROM generate_series(1, 3) n;
        UPDATE outcome SET hand_id = CASE outcome_id WHEN 2 THEN 2 ELSE 1 END, position = outcome_id WHERE outcome_id <= 3;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
        INSERT INTO deal VALUES (9, 3, 2, 3, 1);
        CREATE TABLE account_202401 PARTITION OF account FOR VALUES IN (202401);
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments, restructures,
            restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed, payment_probability_bp, cofinanced,
            has_phone, has_email, has_address, reference)
        SELECT 202401, 9, n, n, 9001, 1, 2, 1, 1, 1, 1, 1, 1, 10000, 2, 2, CASE n WHEN 3 THEN 95 ELSE 45 END, 0, 0, 0, false, false, true,
            0, false, 0, false, true, true, true, 'r'
        FROM generate_series(1, 3) n;
        """

    private func with(_ body: (PgLink) throws -> Void) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script(Self.months)
            try body(link)
        }
    }

    @Test func `a cohort has its rates over what is known, and a reversal breaks what its payment kept`() async throws {
        try await with { link in
            let january = try #require(Period(text: "2024-01"))
            let february = try #require(try AgreementReport(link, through: january.advanced(byMonths: 1)).cohorts.first)
            let march = try #require(try AgreementReport(link, through: january.advanced(byMonths: 2)).cohorts.first)

            #expect(february.agreements == 3 && february.signedIn == january)
            #expect(february.states == [.inCure: 2, .broken: 1])
            #expect(february.second.percent == "66.67" && february.third.count == 0 && february.third.known == 1)
            // Of the third payment only what broke is known, which is no rate.
            #expect(february.third.percent == nil && february.cured.percent == nil)
            // The payment of February of account 2 is taken back in March's feed.
            #expect(march.states == [.cured: 1, .broken: 2])
            #expect(march.cured.percent == "33.33" && march.maintained.known == 2)
        }
    }

    @Test func `what a late feed brings changes no rate that was shown, of its close or of a later one (IND-13)`()
        async throws
    {
        try await with { link in
            let january = try #require(Period(text: "2024-01"))
            func report(_ months: Int) throws -> AgreementReport {
                try AgreementReport(link, through: january.advanced(byMonths: months))
            }
            let shown = try (0...3).map { try report($0).json }
            let second = try #require(try report(1).cohorts.first).second
            // Account 3 paid in all months, and so did employers of 2: it comes with April's feed, and February is over with its own.
            try link.script(
                """
                INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, import_id)
                SELECT 202404, a || '-' || m, 9, a, make_date(2024, m, 20), 100, CASE a WHEN 2 THEN 'employer' ELSE 'borrower' END,
                    NULL, 1
                FROM unnest('{2,3}'::int[]) a, generate_series(1, 3) m
                """)

            #expect(try (0...2).map { try report($0).json } == Array(shown.prefix(3)))
            for months in 3...6 {
                let cohort = try #require(try report(months).cohorts.first)
                // Account 2 had paid in time, and its payment was taken back; it was paid anew in no feed of then.
                #expect(cohort.second.count == second.count - 1 && cohort.second.known == 3)
                #expect(cohort.cured.count == 1)
            }
            #expect(try report(3).json == shown[3])
        }
    }

    /// Debtors move to delegation 14 in the month of their first payment: all later rows, those that take back too, have that one.
    @Test func `an agreement goes on where its debtor moves to (SOL-14, IND-13)`() async throws {
        try await with { link in
            try link.script(Self.brought)
            let january = try #require(Period(text: "2024-01"))
            func told() throws -> [String] {
                try (0...6).map { try AgreementReport(link, through: january.advanced(byMonths: $0)).json }
            }
            let before = try told()
            let promises = try promises(link)
            try link.script("UPDATE payment SET delegation_id = 14 WHERE paid_on > '2024-01-15'")

            #expect(try told() == before)
            #expect(before[2].contains(#""cured":1"#))
            // Account 5 kept its promise of 100.00 by 60.00 that it paid from 14.
            #expect(try self.promises(link) == promises)
            #expect(promises == [1, 1, 0])
        }
    }

    private func promises(_ link: PgLink) throws -> [Int] {
        let report = try PromiseReport(
            link, period: try #require(Period(text: "2024-01")), graceDays: 0,
            today: try #require(LocalDate(text: "2024-02-01")))
        return PromiseVerdict.allCases.map(report.count)
    }

    /// Account 1 signs on 10 January in delegation 9, and on 12 January with contract 13 in 14, where its debtor lives by then.
    @Test func `an account that signs in two delegations in a month signed once, the first time (IND-13)`() async throws
    {
        try await with { link in
            try link.script(
                """
                INSERT INTO outcome
                SELECT 202401, 14, 8, 1, 7, 7, 1, 1, 1, 1, 13, '2024-01-12T16:00:00Z', '2024-01-12T17:00:00Z', 'mediation-session',
                    'direct', 'agreement-signed', 10000, NULL, NULL, NULL, '';
                INSERT INTO review VALUES (202401, 14, 7, 'approved', 'r', 's', '2024-01-31');
                """)
            let january = try #require(Period(text: "2024-01"))
            func counts() throws -> [String] {
                try AgreementReport(link, through: january, by: .contractDelegation).cohorts
                    .map { "\($0.key): \($0.agreements)" }
            }

            #expect(try counts() == ["12/9: 3"])
            // Where the first one was rejected, the other one is it.
            try link.script("UPDATE review SET decision = 'rejected' WHERE delegation_id = 9 AND outcome_id = 1")
            #expect(try counts() == ["12/9: 2", "13/14: 1"])
        }
    }

    @Test func `cohorts are told apart by contract, agency and delegation, and sessions are counted`() async throws {
        try await with { link in
            try link.script(
                """
                UPDATE outcome SET contract_id = 13 WHERE outcome_id = 2;
                INSERT INTO outcome
                SELECT 202401, 9, 7, 1, n, n, n, 1, 1, 1, 12, '2024-01-11T16:00:00Z', '2024-01-11T17:00:00Z', 'mediation-session',
                    'direct', (ARRAY['session-scheduled', 'session-held', 'no-show', 'no-show'])[n - 6], NULL, NULL,
                    CASE WHEN n = 10 THEN '{HRS-01}'::text[] END, NULL, ''
                FROM generate_series(7, 10) n
                """)
            let january = try #require(Period(text: "2024-01"))
            func counts(_ cut: IndicatorCut) throws -> [String] {
                try AgreementReport(link, through: january, by: cut).cohorts.map { "\($0.key): \($0.agreements)" }
            }

            #expect(try counts(.total) == ["all: 3"])
            #expect(try counts(.contract) == ["12: 2", "13: 1"])
            #expect(try counts(.delegation) == ["9: 3"])
            #expect(try counts(.contractDelegation) == ["12/9: 2", "13/9: 1"])
            #expect(try counts(.strategy) == ["unknown: 3"])
            try link.script(
                """
                UPDATE outcome SET delegation_id = 10 WHERE outcome_id = 3;
                UPDATE review SET delegation_id = 10 WHERE outcome_id = 3
                """)
            #expect(try counts(.contractDelegation) == ["12/9: 1", "12/10: 1", "13/9: 1"])
            try link.script(
                """
                UPDATE outcome SET delegation_id = 9 WHERE outcome_id = 3;
                UPDATE review SET delegation_id = 9 WHERE outcome_id = 3
                """)
            try link.script(Self.dealt)
            #expect(try counts(.strategy) == ["administrative: 1", "mediation: 2"])
            #expect(try counts(.tactic) == ["rest: 2", "signed: 1"])
            #expect(try counts(.band) == ["31–60: 2", "91–120: 1"])
            #expect(try counts(.vintage) == ["2023-12: 1", "2024-01: 2"])
            // Rejected agreements and marked no-shows are no valid work.
            #expect(
                try AgreementStore(link).sessions(january)
                    == [
                        // The promises of accounts 5 and 6 were given in sessions.
                        AgreementStore.Sessions(contract: 12, counts: [1, 5, 1, 0, 2]),
                        AgreementStore.Sessions(contract: 13, counts: [0, 1, 0, 0, 1]),
                    ])
            #expect(try SessionReport(link, period: january).lines.last?.hasSuffix("50.00") == true)
        }
    }

    @Test(
        arguments: [
            ("mediation-session", "agreement-refused", [0, 1, 0, 1, 0]),
            ("mediation-session", "refusal", [0, 1, 0, 0, 0]), ("mediation-session", "promise", [0, 1, 0, 0, 0]),
            ("mediation-session", "session-held", [0, 1, 0, 0, 0]),
            ("mediation-session", "no-show", [0, 0, 1, 0, 0]), ("mediation-session", "no-answer", [0, 0, 1, 0, 0]),
            ("mediation-session", "session-scheduled", [1, 0, 0, 0, 0]),
            ("phone-out", "session-scheduled", [1, 0, 0, 0, 0]),
            ("mediation-invitation", "session-scheduled", [1, 0, 0, 0, 0]),
            // A dictum, like an agreement, counts once it is approved.
            ("mediation-session", "dwelling-inhabited", []),
            ("phone-out", "agreement-refused", []), ("phone-out", "refusal", []), ("visit", "session-held", []),
            ("phone-out", "no-show", []), ("mediation-invitation", "no-answer", []),
        ] as [(String, String, [Int64])])
    func `a session is one by its channel, and held unless only scheduled or missed, as it bills (IND-12, FEE-11)`(
        channel: String, result: String, counts: [Int64]
    ) async throws {
        try await with { link in
            try link.run(
                "UPDATE outcome SET channel = $1, result = $2, contract_id = 14 WHERE outcome_id = 5",
                [.text(channel), .text(result)])
            let sessions = try AgreementStore(link).sessions(try #require(Period(text: "2024-01")))

            #expect(sessions.filter { $0.contract == 14 }.flatMap(\.counts) == counts)
            #expect(sessions.filter { $0.contract == 12 }.flatMap(\.counts) == [0, 4, 0, 0, 3])
        }
    }

    /// An opening of February: signed in October with two and four payments kept, of which the second pays through an employer, and in
    /// January and February.
    private static let brought = """
        INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
        VALUES ('opening', 202402, 'o', '', 4, 0, '2024-02-01');
        INSERT INTO agency (agency_id, name) VALUES (7, 'Siete');
        INSERT INTO contract
        SELECT c, 7, 'N-' || c, 't', 1, '{2,3}', '2023-01-01', '2024-12-31', 'committed', 0, 'none', 10000, 'fees', 'fines', '{}'
        FROM generate_series(12, 13) c;
        INSERT INTO opening_agreement
        VALUES (9, 31, 12, '2023-10-05', 2, 2), (9, 32, 12, '2023-10-06', 4, 2), (9, 33, 13, '2024-01-07', 0, 2),
            (9, 34, 13, '2024-02-08', 1, 2);
        CREATE TABLE account_202402 PARTITION OF account FOR VALUES IN (202402);
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments, restructures,
            restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed, payment_probability_bp, cofinanced,
            has_phone, has_email, has_address, reference)
        SELECT 202402, 9, n, n, 9001, CASE n WHEN 32 THEN 2 ELSE 1 END, 2, 1, 1, 1, 1, 1, 1, 10000, 2, 2, 45, 0, 0, 0, true, false,
            true, 0, false, 0, false, true, true, true, 'r'
        FROM generate_series(31, 34) n;
        INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, reverses, import_id)
        SELECT 202400 + m, a || '-' || m, 9, a, make_date(2024, m, 20), 100, CASE a WHEN 32 THEN 'employer' ELSE 'borrower' END,
            NULL, 1
        FROM (VALUES (31, 2), (31, 3), (31, 4), (31, 5), (32, 3), (33, 1), (34, 2), (34, 3), (34, 4)) v (a, m);
        """

    @Test func `agreements that an opening brought are followed by themselves, and in no rate (IND-13)`() async throws {
        try await with { link in
            let january = try #require(Period(text: "2024-01"))
            func report(_ months: Int, by cut: IndicatorCut = .total) throws -> AgreementReport {
                try AgreementReport(link, through: january.advanced(byMonths: months), by: cut)
            }
            let own = try (0...5).map { try report($0).cohorts }
            try link.script(Self.brought)
            func states(_ months: Int) throws -> [String] {
                try report(months, by: .contract).broughtCohorts.map { cohort in
                    let states = AgreementCourse.State.allCases.filter { cohort.states[$0] != nil }
                    return "\(cohort.signedIn) \(cohort.key) "
                        + states.map { "\($0.rawValue) \(cohort.states[$0, default: 0])" }.joined(separator: " ")
                }
            }

            #expect(try (0...5).map { try report($0).cohorts } == own)
            #expect(try states(0).isEmpty)
            // Two payments were kept and February is the third; an employer has paid it with January, and four are a cure.
            #expect(try states(1) == ["2023-10 12 cured 2", "2024-01 13 broken 1", "2024-02 13 in-cure 1"])
            // What was kept before the month of the signature was not: February is the first payment, and April the third.
            #expect(
                try states(2) == ["2023-10 12 cured 1 maintained 1", "2024-01 13 broken 1", "2024-02 13 in-cure 1"])
            #expect(try states(3) == ["2023-10 12 cured 1 maintained 1", "2024-01 13 broken 1", "2024-02 13 cured 1"])
            #expect(try states(4) == ["2023-10 12 maintained 2", "2024-01 13 broken 1", "2024-02 13 cured 1"])

            let file = "/tmp/agreements-\(UInt64.random(in: 0...UInt64.max)).csv"
            defer { try? FileManager.default.removeItem(atPath: file) }
            func written(from first: Period?) throws -> [Substring] {
                _ = try report(2).write(to: file, from: first)
                return try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").dropFirst(1).filter {
                    $0.hasPrefix(",")
                }
            }
            #expect(
                try written(from: nil).first
                    == ",9,31,12,2023-10-05,cured,2024-02 2024-03,ACE07,unknown,unknown,31–60,unknown,,,,")
            #expect(try written(from: nil).count == 4 && written(from: january).isEmpty)
            let lines = try report(2).lines
            #expect(lines.contains { $0.hasPrefix("brought by an opening") } && lines.count == 8)
            #expect(try report(2).json.contains(#""source":"opening""#))
        }
    }

    @Test(arguments: [(AgreementCourse.Bimester.calendar, 3, 4), (.signature, 3, 5), (.calendar, 2, 6)])
    func `cohorts by agency agree with plain SQL (IND-13, AMB-22)`(
        bimester: AgreementCourse.Bimester, curePayments: Int, seed: Int
    ) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.run("SELECT setseed($1::int / 1000.0)", [.int32(Int32(seed))])
            try link.script(AgreementOracle.months)
            var known = 0
            for through in [202402, 202403, 202404, 202407] as [Int32] {
                let report = try AgreementReport(
                    link, through: try #require(Period(number: through)), by: .agency, bimester: bimester,
                    curePayments: curePayments)
                let rows = report.cohorts.map { cohort in
                    let shares = [cohort.second, cohort.third, cohort.cured, cohort.maintained]
                    known += Int(shares.reduce(0) { $0 + $1.count })
                    return "\(cohort.signedIn.number) \(cohort.key) \(cohort.agreements) "
                        + shares.map { "\($0.count)/\($0.known)" }.joined(separator: " ")
                }

                #expect(
                    try rows
                        == AgreementOracle.cohorts(
                            link, through: through, byCalendar: bimester == .calendar, cure: curePayments),
                    "through \(through)")
            }
            #expect(known > 20)
        }
    }

    @Test(arguments: [202403, 202404, 202407] as [Int32])
    func `the month's figures by every cut are the cohorts that are known, as plain SQL counts them (IND-13)`(
        through: Int32
    ) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.run("SELECT setseed(0.007)", [])
            try link.script(AgreementOracle.months + AgreementOracle.dealt + ClosingFixture.schedules)
            let period = try #require(Period(number: through))
            let total = try AgreementReport(link, through: period).cohorts
            func known(_ share: (AgreementReport.Cohort) -> AgreementReport.IndicatorShare) -> Set<Period> {
                Set(total.filter { share($0).percent != nil }.map(\.signedIn))
            }
            for cut in IndicatorCut.allCases {
                let rows = try IndicatorReport(link, period: period).rows(by: cut)
                let told = rows.flatMap { row in
                    row.figures.filter { Indicator.ofAgreements.contains($0.indicator) && $0.denominator != 0 }
                        .map { "\(row.key) \($0.indicator.rawValue) \($0.numerator) \($0.denominator)" }
                }.sorted()
                let shown = try AgreementReport(link, through: period, by: cut).cohorts
                var sums: [String: (count: Int64, known: Int64)] = [:]
                for (name, share) in [
                    ("second", { $0.second }), ("third", { $0.third }), ("cure", { $0.cured }),
                    ("maintenance", { $0.maintained }),
                ] as [(String, (AgreementReport.Cohort) -> AgreementReport.IndicatorShare)] {
                    for cohort in shown where known(share).contains(cohort.signedIn) {
                        sums["\(cohort.key) IND-13/\(name)", default: (0, 0)].count += share(cohort).count
                        sums["\(cohort.key) IND-13/\(name)", default: (0, 0)].known += share(cohort).known
                    }
                }

                #expect(told == sums.map { "\($0.key) \($0.value.count) \($0.value.known)" }.sorted(), "\(cut)")
                #expect(try told == AgreementOracle.figures(link, through: through, by: cut), "\(cut)")
                #expect(told.count >= (through == 202407 ? 4 : 1) && Set(rows.map(\.key)).count == rows.count)
            }
        }
    }

    @Test func `a month's figures are of agreements of twelve months, and their file has those (IND-13)`() async throws
    {
        try await with { link in
            try link.script(Self.dealt)
            let january = try #require(Period(text: "2024-01"))
            func report(_ months: Int) throws -> AgreementReport {
                try AgreementReport(link, through: january.advanced(byMonths: months))
            }
            #expect(
                try report(11).figures(by: .total)["all"] == [
                    IndicatorFigure(.secondPayment, 1, over: 3), IndicatorFigure(.thirdPayment, 1, over: 3),
                    IndicatorFigure(.agreementCured, 1, over: 3), IndicatorFigure(.agreementMaintained, 0, over: 3),
                ])
            #expect(try report(12).figures(by: .total).isEmpty)
            // In February only the second payment is known, and of what comes later only what broke.
            #expect(
                try report(1).figures(by: .total)["all"]?.filter { $0.denominator != 0 }
                    == [IndicatorFigure(.secondPayment, 2, over: 3)])
            let file = "/tmp/agreements-\(UInt64.random(in: 0...UInt64.max)).csv"
            defer { try? FileManager.default.removeItem(atPath: file) }
            func written(_ months: Int) throws -> [String] {
                let report = try report(months)
                let count = try report.write(to: file, from: report.figuresFrom)
                let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
                #expect(lines.first == AgreementReport.header && lines.count == count + 1)
                return Array(lines.dropFirst())
            }
            #expect(
                try written(2) == [
                    "1,9,1,12,2024-01-10,cured,2024-01 2024-02 2024-03,unknown,mediation,rest,31–60,2024-01,true,true,true,",
                    "2,9,2,12,2024-01-10,broken,2024-01,unknown,administrative,signed,31–60,2024-01,false,false,false,false",
                    "3,9,3,12,2024-01-10,broken,,unknown,mediation,rest,91–120,2023-12,false,false,false,false",
                ])
            #expect(try written(12).isEmpty)
        }
    }

    @Test(arguments: [(0, [1, 1, 0]), (1, [2, 0, 0])])
    func `promises are kept by what came between their day and the promised one`(grace: Int, counts: [Int]) async throws
    {
        try await with { link in
            let report = try PromiseReport(
                link, period: try #require(Period(text: "2024-01")), graceDays: grace,
                today: try #require(LocalDate(text: "2024-02-01")))

            #expect(PromiseVerdict.allCases.map(report.count) == counts)
        }
    }
}
