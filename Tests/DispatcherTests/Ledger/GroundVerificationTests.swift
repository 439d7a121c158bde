// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// The month's cut and what its contracts say, which statements rest on and no record says.
struct GroundVerificationTests {
    private let period = ProvenMonth.period

    /// A cut of what was dealt, and of one account in another delegation.
    private static let cut = """
        CREATE TABLE account_202403 PARTITION OF account FOR VALUES IN (202403);
        INSERT INTO account (period, delegation_id, account_id, line, municipality, regime, accounting, situation, book, currency,
            original_amount, balance, due, overdue, unpaid, arrears, days_late, extension_months, incomplete_payments, restructures,
            restructure_in_cure, suit_profiled, agreement_available, instalment_drop_bp, signed, payment_probability_bp, cofinanced,
            has_phone, has_email, has_address, reference)
        SELECT 202403, delegation_id, account_id, account_id, 9001, 1, 2, 1, 1, 1, 1, 500, due, overdue, 2, 2, 45, 0, 0, 0, false, false,
            true, 0, false, 0, false, true, true, true, 'r'
        FROM (SELECT delegation_id, account_id, due, overdue FROM position UNION ALL SELECT 10, 9999, 1, 1) dealt;
        """

    private static let cutOf9 = "cut delegation=9 is not the one that was signed, or is gone"
    private static let changes = [
        ("UPDATE account SET days_late = 61 WHERE account_id = 1001", cutOf9),
        ("UPDATE account SET overdue = overdue + 1 WHERE account_id = 1001", cutOf9),
        (
            "UPDATE account SET due = due + 1 WHERE account_id = 1001",
            "1 positions have other amounts than their month's cut"
        ),
        ("UPDATE account SET balance = 1 WHERE account_id = 1001", cutOf9),
        ("DELETE FROM account WHERE account_id = 1001", cutOf9),
        // Where nothing was dealt, too.
        ("UPDATE account SET account_id = 9998 WHERE account_id = 9999", "cut delegation=10 is not the one"),
        (
            "UPDATE position SET overdue = overdue + 1 WHERE account_id = 1001",
            "1 positions have other amounts than their month's cut"
        ),
        (
            "UPDATE outcome SET position = position + 1 WHERE account_id = 1001",
            "1 outcomes name another hand or place in it than their account was dealt in"
        ),
        (
            "UPDATE contract SET bond = bond + 1 WHERE contract_id = 1",
            "contract contract=1 is not the one that was signed"
        ),
        ("UPDATE contract SET tender = 'other' WHERE contract_id = 2", "contract contract=2 is not the one"),
        ("UPDATE agency SET name = 'other' WHERE agency_id = 2", "contract contract=2 is not the one"),
        (
            "UPDATE contract_capacity SET accounts_per_adviser = 7 WHERE contract_id = 1",
            "contract contract=1 is not the one"
        ),
        (
            "INSERT INTO contract_term SELECT contract_id, 202403, number, tender, starts_on, ends_on, bond + 1, fee_schedule, penalty_schedule, rule_packs, spent_on FROM contract WHERE contract_id = 1",
            "contract contract=1 is not the one"
        ),
    ]

    @Test func `the cut and the contracts of a signed month are found where they are changed`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script(Self.cut)
            let key = try SigningKey(file: month.folder + "/first.key")
            _ = try RootSigning(month.link).sign(period, with: key)
            while try ProofStore(month.link).unchained(period.advanced(byMonths: 1)) > 0 {
                try Sequencer.run(month.link)
            }
            func findings(sample: Int? = nil) throws -> [String] {
                try LedgerVerification(month.link).runInSnapshot(sample: sample, seed: 3).findings.map(\.found)
            }
            #expect(try findings() == [])
            #expect(try findings(sample: 1) == [])
            for (change, finding) in Self.changes {
                try month.link.script("BEGIN; \(change)")
                let found = try findings()
                try month.link.script("ROLLBACK")

                #expect(found.contains { $0.contains(finding) }, "\(change): \(found)")
            }
            // What holds from a later month on, what a budget ends and where a contract works besides changes no month of before.
            for change in [
                """
                INSERT INTO contract_term SELECT contract_id, 202401, number, tender, starts_on, ends_on, bond, fee_schedule,
                    penalty_schedule, rule_packs, spent_on FROM contract;
                UPDATE contract SET bond = bond + 1
                """, "UPDATE contract SET ends_on = '2024-04-20'",
                "INSERT INTO contract_capacity VALUES (1, 10, 1, 3, 50)",
            ] {
                try month.link.script("BEGIN; \(change)")
                let found = try findings()
                try month.link.script("ROLLBACK")

                #expect(found == [], "\(change)")
            }
        }
    }

    @Test func `a root that was signed before there were cuts and contracts in it has none to compare`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let link = month.link
            try link.script(Self.cut)
            let key = try SigningKey(file: month.folder + "/first.key")
            let whole = try PeriodRoot(ProofStore(link), period: period)
            let old = PeriodRoot(leaves: whole.leaves.filter { !$0.hasPrefix("cut ") && !$0.hasPrefix("contract ") })
            #expect(whole.leaves.count == old.leaves.count + 4)
            let now = try link.readNow()
            let message = old.message(period: period, previous: nil, signedAt: now, key: key.id)
            let row = PeriodRootRow(
                period: period, leaves: old.leaves, root: old.hash, message: message, key: key.id,
                signature: try key.sign(message))
            try ProofStore(link).add(row, number: 1)
            try link.insertBlocks(LedgerBlock.seal([.root(row, at: now)]))
            while try ProofStore(link).unchained(period.advanced(byMonths: 1)) > 0 { try Sequencer.run(link) }

            #expect(try month.verify().findings == [])
            try link.script("UPDATE contract SET bond = bond + 1; UPDATE account SET days_late = 61")
            #expect(try month.verify().findings == [])
        }
    }
}
