// SPDX-License-Identifier: Apache-2.0

import Assignment
import PgStore
import Simulation
import TestSupport
import Testing

/// The same faults as in ``JudgeTests``, planted into a real database behind a client's log that tells the truth.
struct VerificationTests {
    /// The history of ``History/sound()`` as rows: two accounts leased, one reported, one returned.
    private static let sound = """
        INSERT INTO period (period, opened_at) VALUES (202403, '2024-03-01T06:00:00Z');
        INSERT INTO agency (agency_id, name) VALUES (7, 'Cobranza de prueba');
        INSERT INTO agency_instance (agency_id, instance, sequence, seen_at) VALUES (7, 'sim', 1, '2024-03-01T06:00:00Z');
        INSERT INTO contract VALUES (1001, 7, 'C-1', '248/GA/2022-92-140', 8, '{2}', '2023-01-01', '2024-12-31', 'committed', 0,
            'none', 10000, 'f', 'p', '{infonavit-2023}');
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
            VALUES (202403, 'applied', 1, '', '', '2024-03-01T06:00:00Z');
        INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
            SELECT 14, 1001, 2, 1, 2, plan_id FROM plan;
        INSERT INTO quota_history SELECT delegation_id, quota_id, '2024-03-01T06:00:00Z', 2, NULL, plan_id FROM quota;
        INSERT INTO hand SELECT 14, 5, '{1001}', 2, 1, 202403, plan_id, false, 'open', 4, 30, 90, 86400000000, 172800000000, ''
            FROM plan;
        INSERT INTO position SELECT 14, 5, n, 100 + n, 1, 100, 0, 0, 1, 'rest', 5, 1, 1, 14039, 'r' FROM generate_series(1, 4) n;
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
        INSERT INTO lease_grant SELECT 14, 5, 1, 2, quota_id, 1001, 7, instance_id, 1, '', NULL, 2, 200, 2, 200, 2, 'limit', '',
            '2024-03-01T16:00:00Z', '2024-03-31T16:00:00Z', '2024-03-31T16:00:00Z', '2024-05-30T16:00:00Z', 86400000000, 0, 'open'
            FROM quota, agency_instance;
        INSERT INTO outcome SELECT 202403, 14, 7, instance_id, 2, 55, 101, 1, 5, 1, 1001, '2024-03-02T02:00:00Z',
            '2024-03-02T03:00:00Z', 'phone-out', 'direct', 'promise', 31022, '2024-03-11', NULL, NULL, '' FROM agency_instance;
        INSERT INTO ending VALUES (14, 102, 1, 'return', 'unlocatable', '2024-03-02T12:00:00Z', 5, 2, true);
        INSERT INTO request SELECT 14, 7, instance_id, 'RETURN', 3, '', 'OK', '2024-03-02T12:00:00Z' FROM agency_instance;
        UPDATE clock SET virtual_now = '2024-03-05T10:00:00Z';
        """

    private func verdict(after fault: String) async throws -> [String] {
        try await TestDatabase.with { database in
            let link = try database.link()
            try link.script("CREATE TABLE IF NOT EXISTS outcome_202403 PARTITION OF outcome FOR VALUES IN (202403)")
            try link.script(Self.sound)
            if !fault.isEmpty { try link.script(fault) }
            let folder = try TemporaryFolder()
            let log = try FileOutput(path: "\(folder.path)/ACE07.log")
            var lines = [ClientLog.header(agency: try #require(AgencyID(7)), instance: "sim")]
            var operations = try History.sound().operations
            guard case .granted(var told) = operations[0].reply else { return ["no grant"] }
            told.term = try #require(Timestamp(text: "2024-03-31T16:00:00Z"))
            operations[0].reply = .granted(told)
            lines += operations.map(ClientLog.line)
            try log.write(lines.map { $0 + "\n" }.joined().utf8)
            let period = try #require(Period(text: "2024-03"))
            let report = try Verification(database: database.conninfo, logFolder: folder.path, period: period).run {
                _, _ in
            }
            return report.broken.map(\.rawValue)
        }
    }

    @Test func `a sound database and its client's log agree`() async throws {
        #expect(try await verdict(after: "") == [])
    }

    @Test func `a doubled lease in the database is found`() async throws {
        let broken = try await verdict(
            after: """
                UPDATE quota_history SET limit_accounts = 9;
                INSERT INTO position SELECT 14, 5, 5, 101, 2, 100, 0, 0, 1, 'rest', 5, 1, 1, 14039, 'r';
                INSERT INTO deal VALUES (14, 101, 2, 5, 5);
                INSERT INTO lease_grant SELECT 14, 5, 5, 5, quota_id, 1001, 7, instance_id, 9, '', NULL, 1, 100, 3, 300, 2, 'limit', '',
                    '2024-03-03T16:00:00Z', '2024-03-31T16:00:00Z', '2024-03-31T16:00:00Z', '2024-05-30T16:00:00Z', 86400000000, 0,
                    'open' FROM quota, agency_instance;
                """)

        #expect(broken == ["one-holder"])
    }

    @Test func `a lost acknowledged report in the database is found`() async throws {
        #expect(try await verdict(after: "DELETE FROM outcome") == ["nothing-lost"])
    }

    @Test func `a quota exceeded by one in the database is found`() async throws {
        let broken = try await verdict(
            after: """
                INSERT INTO lease_grant SELECT 14, 5, 3, 3, quota_id, 1001, 7, instance_id, 9, '', NULL, 1, 100, 3, 300, 2, 'limit', '',
                    '2024-03-02T11:59:59Z', '2024-03-31T16:00:00Z', '2024-03-31T16:00:00Z', '2024-05-30T16:00:00Z', 86400000000, 0,
                    'open' FROM quota, agency_instance;
                """)

        #expect(broken == ["quotas"])
    }
}
