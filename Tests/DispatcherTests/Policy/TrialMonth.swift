// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// What the commands of a manager are tried on: a random cut, and policies beside the shipped one.
extension PlannedMonth {
    /// `count` accounts in each of the delegations 9 and 14, every column that rules read drawn by `seed`.
    func addRandomCut(seed: Int32, count: Int32 = 300) throws {
        let partition = "account_\(Self.march.number)"
        try link.script(
            """
            CREATE TABLE \(partition) (LIKE account INCLUDING ALL);
            ALTER TABLE \(partition) ADD PRIMARY KEY (delegation_id, account_id);
            ALTER TABLE account ATTACH PARTITION \(partition) FOR VALUES IN (\(Self.march.number));
            SELECT setseed(\(seed) / 1000.0)
            """)
        let date = { (share: String, days: Int) in
            "CASE WHEN random() < \(share) THEN date '2024-02-29' - (random() * \(days))::integer END"
        }
        try link.run(
            """
            INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book,
                                 currency, original_amount, balance, due, overdue, unpaid, arrears, days_late,
                                 extension_until, extension_months, fpp_until, disaster_until, job_lost_on, last_payment_on,
                                 incomplete_payments, restructures, restructure_in_cure, judicial_on, suit_profiled,
                                 lawsuit_on, dispute_on, agreement_available, instalment_drop_bp, signed,
                                 payment_probability_bp, cofinanced, has_phone, has_email, has_address, reference,
                                 continuous_payments, bimester_paid_bp, pension_resolution, pension_enrolments, fpp_months)
            SELECT $1, d, d * 100000 + n, n, d * 1000 + 1, 1 + (random() * 2)::integer, 1 + (random() < 0.3)::integer,
                   1 + (random() < 0.05)::integer + (random() < 0.02)::integer, 1 + (random() * 5)::integer,
                   1 + (random() < 0.3)::integer, 45000000, (random() * 90000000)::bigint, 330000,
                   (random() * 9000000)::bigint, (random() * 14)::integer, (random() * 14)::integer, (random() * 400)::integer,
                   CASE WHEN random() < 0.1 THEN date '2024-02-29' + (random() * 90)::integer - 30 END,
                   (random() * 12)::integer, CASE WHEN random() < 0.05 THEN date '2024-04-30' END,
                   CASE WHEN random() < 0.02 THEN date '2024-03-31' END, \(date("0.2", 120)), \(date("0.7", 400)),
                   (random() < 0.2)::integer, 0, random() < 0.05, \(date("0.3", 1500)), random() < 0.2,
                   \(date("0.03", 300)), \(date("0.03", 300)), random() < 0.5, (random() * 10000)::integer,
                   random() < 0.1, (random() * 10000)::integer, random() < 0.1, random() < 0.8, random() < 0.5,
                   random() < 0.9, 'R' || n, (random() * 6)::integer, (random() * 10000)::integer, random() < 0.2,
                   (random() * 4)::integer, (random() * 8)::integer
              FROM (VALUES (9::smallint), (14::smallint)) AS v (d), generate_series(1, $2) AS n
            """, [.int32(Self.march.number), .int32(count)])
    }

    /// The shipped policy with words of its text replaced, under a version of its own.
    func variant(_ changes: [(String, String)]) throws -> PolicyFile {
        var text = policy.text
        for (old, new) in changes {
            precondition(text.contains(old), "the shipped policy has no '\(old)'")
            text = text.replacing(old, with: new)
        }
        return try PolicyFile(text: text)
    }

    func segment(by policy: PolicyFile) throws {
        _ = try SegmentationRun(link, period: Self.march, policy: policy).run()
    }

    func diff(
        _ old: PolicyChoice.Wish, _ new: PolicyChoice.Wish, _ asked: PolicyDiff.Asked = .init()
    ) throws -> PolicyDiffReport {
        try PolicyDiff(link, period: Self.march, old: old, new: new).run(asked)
    }

    func whatIf(_ policy: PolicyFile) throws -> WhatIfReport {
        try PolicyWhatIf(link, period: Self.march, policy: .file(policy)).run()
    }

    func explain(_ account: Int64, _ policy: PolicyChoice.Wish = .applied) throws -> ExplainReport {
        let account = try #require(AccountID(account))
        return try PolicyExplain(link, period: Self.march, policy: policy).run(account)
    }

    /// What one rule has in the placements now: accounts, overdue, balance, the amounts as pesos.
    func placed() throws -> [String: [String]] {
        let rows = try link.run(
            """
            SELECT coalesce(p.rule, 'none'), count(*)::text, round(sum(a.overdue) / 100.0, 2)::text,
                   round(sum(a.balance) / 100.0, 2)::text
              FROM account a
              LEFT JOIN placement p ON p.period = a.period AND p.delegation_id = a.delegation_id
                                   AND p.account_id = a.account_id
             GROUP BY 1
            """)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.text(0), [$0.text(1), $0.text(2), $0.text(3)]) })
    }
}
