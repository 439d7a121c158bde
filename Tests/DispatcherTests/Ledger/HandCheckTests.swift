// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// Who was dealt and leased which account is held to the ledger: hands, positions, deals, and when grants ended.
struct HandCheckTests {
    /// What somebody with the database's password might change, and what gives it away. Grant 4294967297 is of the first five positions
    /// of hand 1; account 1012 was dealt at position 12 of hand 1, and 2012 at that of hand 2.
    private static let tampering = [
        // Two agencies change accounts, with all that leads to them.
        (
            "UPDATE position SET account_id = 3024 - account_id WHERE position = 12; UPDATE deal SET hand_id = 3 - hand_id WHERE position = 12",
            "hand 1 has other accounts, or in another order, than it was dealt"
        ),
        (
            "UPDATE position SET account_id = 3004 - account_id WHERE position = 2; UPDATE deal SET hand_id = 3 - hand_id WHERE position = 2",
            "grant id=4294967297 leased other accounts than its positions have now"
        ),
        // Within one grant, whose sum has no order.
        (
            "UPDATE position SET account_id = 2003 - account_id WHERE hand_id = 1 AND position < 3; UPDATE deal SET position = 3 - position WHERE hand_id = 1 AND position < 3",
            "hand 1 has other accounts, or in another order, than it was dealt"
        ),
        ("UPDATE position SET epoch = 2 WHERE account_id = 2020", "hand 2 has other accounts"),
        (
            "UPDATE position SET position = 21 WHERE account_id = 1020; UPDATE deal SET position = 21 WHERE account_id = 1020",
            "hand 1 has other accounts, or in another order, than it was dealt"
        ),
        ("DELETE FROM position WHERE hand_id = 2; DELETE FROM deal WHERE hand_id = 2", "hand 2 has other accounts"),
        ("UPDATE deal SET position = 13 WHERE account_id = 1012", "2 deals and positions do not lead to each other"),
        ("DELETE FROM deal WHERE account_id = 1012", "1 deals and positions do not lead to each other"),
        ("INSERT INTO deal VALUES (9, 1012, 2, 1, 12)", "1 deals and positions do not lead to each other"),
        ("UPDATE hand SET contract_ids = '{2}' WHERE hand_id = 1", "hand 1 is stored otherwise than it was recorded"),
        ("UPDATE hand SET strategy = 3 WHERE hand_id = 1", "hand 1 is stored otherwise than it was recorded"),
        ("UPDATE hand SET size = 19 WHERE hand_id = 2", "hand 2 is stored otherwise than it was recorded"),
        ("DELETE FROM hand WHERE hand_id = 2", "hand 2 was recorded, and is gone"),
        ("UPDATE hand SET period = 202404 WHERE hand_id = 1", "hand 1 is of another month, order or opening"),
        (
            "UPDATE hand SET period = 202404; UPDATE plan SET period = 202404",
            "hand 1 is of another month, order or opening"
        ),
        ("UPDATE hand SET opened_at = '2024-04-01' WHERE hand_id = 1", "hand 1 is of another month, order or opening"),
        ("UPDATE hand SET is_front = true WHERE hand_id = 2", "hand 2 is of another month, order or opening"),
        ("UPDATE hand SET digest = sha256(digest) WHERE hand_id = 2", "hand 2 is of another month, order or opening"),
        (
            "INSERT INTO hand SELECT (jsonb_populate_record(NULL::hand, to_jsonb(h) || '{\"hand_id\": 3}')).* FROM hand h WHERE hand_id = 1",
            "hand 3 is there, and was never recorded"
        ),
        // All that was recorded is gone, and what was dealt is there still.
        ("DELETE FROM block WHERE delegation_id = 9", "hand 1 is there, and was never recorded"),
        (
            "UPDATE lease_grant SET outage_us = 1 WHERE hand_id = 2",
            "the outages before grant id=8589934593 are not those that were booked"
        ),
        (
            "UPDATE lease_grant SET state = 'closed', closed_at = '2024-03-20' WHERE hand_id = 1",
            "the end of grant id=4294967297 is stored otherwise than it was swept, or was never recorded"
        ),
        (
            "UPDATE lease_grant SET closed_at = '2024-03-20' WHERE hand_id = 1",
            "the end of grant id=4294967297 is stored otherwise than it was swept, or was never recorded"
        ),
    ]

    private static let swept = [
        (
            "UPDATE lease_grant SET closed_at = closed_at + interval '1 millisecond' WHERE hand_id = 1",
            "the end of grant id=4294967297 is stored otherwise"
        ),
        (
            "UPDATE lease_grant SET closed_at = NULL WHERE hand_id = 1",
            "the end of grant id=4294967297 is stored otherwise"
        ),
        (
            "UPDATE lease_grant SET state = 'open' WHERE hand_id = 2",
            "the end of grant id=8589934593 is stored otherwise"
        ),
        (
            "UPDATE lease_grant SET state = 'open', closed_at = NULL WHERE hand_id = 2",
            "grant id=8589934593 was swept, and is stored as open"
        ),
    ]

    private func compare(_ changes: [(String, String)], _ month: ProvenMonth) throws {
        for (change, finding) in changes {
            try month.link.script("BEGIN; SET LOCAL session_replication_role = replica")
            try month.link.script(change)
            let found = try LedgerVerification(month.link).runInSnapshot(sample: nil, seed: 0).findings
            #expect(found.contains { $0.found.contains(finding) }, "\(change): \(found.map(\.found))")
            try month.link.script("ROLLBACK")
        }
    }

    @Test func `accounts that change hands behind the ledger's back are found`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            #expect(try month.verify().findings == [])
            try compare(Self.tampering, month)
        }
    }

    /// A copy of hand 1 without its accounts, in a state, of a delegation.
    private static func copy(_ state: String, delegation: Int) -> String {
        """
        INSERT INTO hand SELECT (jsonb_populate_record(NULL::hand, to_jsonb(h)
            || '{"hand_id": 3, "size": 0, "delegation_id": \(delegation), "state": "\(state)"}')).* FROM hand h WHERE hand_id = 1
        """
    }

    @Test(arguments: [("inactive", 0), ("open", 1), ("closed", 1)])
    func `a hand that was never put in force needs no record`(state: String, count: Int) async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script(Self.copy(state, delegation: 9))
            let found = try month.verify().findings.map(\.found)

            #expect(found == Array(repeating: "hand 3 is there, and was never recorded", count: count))
        }
    }

    /// Delegation 10 has a hand and not one block.
    @Test func `a sample looks at its own delegations alone, also where every record is gone`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script(Self.copy("open", delegation: 10))
            let verification = LedgerVerification(month.link)
            let seeds = try (0..<20 as Range<UInt64>).map { ($0, try verification.delegations(sample: 1, seed: $0)) }
            for delegation in [9, 10] as [Int16] {
                let seed = try #require(seeds.first { $0.1 == [delegation] }).0
                let found = try verification.run(sample: 1, seed: seed).findings

                #expect(found.map(\.place) == (delegation == 10 ? ["delegation 10"] : []), "seed \(seed)")
            }
            #expect(try verification.run().findings.map(\.place) == ["delegation 10"])
        }
    }

    @Test func `a grant ends when its sweep says, and no other time`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-20T06:00:00Z'")
            _ = try Sweep.run(month.link)
            #expect(try month.link.run("SELECT count(*) FROM lease_grant WHERE state = 'closed'")[0].int64(0) == 2)
            #expect(try month.verify().findings == [])
            try compare(Self.swept, month)
        }
    }

    /// Two hours were booked on March 3, one more on March 5; both grants are of March 4.
    @Test(
        arguments: [
            (7_200_000_000, true), (0, false), (7_199_999_999, false), (7_200_000_001, false), (10_800_000_000, false),
        ] as [(Int64, Bool)])
    func `a grant counts the outages that were booked before it`(counted: Int64, isRight: Bool) async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script(
                """
                UPDATE clock SET virtual_now = NULL;
                INSERT INTO outage (from_at, booked_at, microseconds, total_us) VALUES
                    ('2024-03-03T10:00:00Z', '2024-03-03T12:00:00Z', 7200000000, 7200000000),
                    ('2024-03-05T10:00:00Z', '2024-03-05T11:00:00Z', 3600000000, 10800000000);
                UPDATE lease_grant SET outage_us = \(counted);
                """)
            let found = try month.verify().findings.map(\.found).filter { $0.contains("outages before grant") }

            #expect(found.count == (isRight ? 0 : 2))
        }
    }

    /// A database that served in real time and was down for two hours, where nothing was dealt yet, may be given a virtual clock.
    @Test(
        arguments: [(7_200_000_000, true, true), (7_200_000_001, true, false), (7_200_000_000, false, false)]
            as [(Int64, Bool, Bool)])
    func `a grant of a virtual clock counts what was booked in real time, whatever day that was`(
        counted: Int64, isVirtual: Bool, isRight: Bool
    ) async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script(
                """
                INSERT INTO outage (from_at, booked_at, microseconds, total_us)
                VALUES ('2026-01-03T10:00:00Z', '2026-01-03T12:00:00Z', 7200000000, 7200000000);
                UPDATE lease_grant SET outage_us = \(counted);
                \(isVirtual ? "" : "UPDATE clock SET virtual_now = NULL;")
                """)
            let found = try month.verify().findings.map(\.found).filter { $0.contains("outages before grant") }

            #expect(found.count == (isRight ? 0 : 2))
        }
    }
}
