// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// The month that the transcripts of docs/protocol.md take place in: ACE07 with contract 31 in delegation 14, where three accounts
/// are dealt to it and three to ACE08. One of them it had before, under epoch 6.
enum TranscriptMonth {
    /// The secret of RFC 8032's first example, which the document names.
    static let secret: [UInt8] =
        HexBytes(hex: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")?.bytes ?? []
    static let cipher = ContactCipher(bytes: [UInt8](repeating: 7, count: 32))
    static let start = "2024-03-04T15:00:00Z"

    static func key() throws -> AgencyPrivateKey { try #require(AgencyPrivateKey(bytes: secret)) }

    static func make(_ link: PgLink) throws {
        try link.script(institution)
        for agency in [7, 8] as [Int32] {
            try link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES ($1, 'k', $2, now_instant())",
                [.int32(agency), .bytes(try key().publicKey)])
        }
        try link.script(dealt)
        try loadContact(link)
    }

    private static func loadContact(_ link: PgLink) throws {
        let path = FileManager.default.temporaryDirectory.path() + "/contacts-\(UInt64.random(in: 0...UInt64.max)).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let csv =
            "account,delegation,name,phone_1,phone_2,phone_3,email,address\n"
            + "1900012345,14,Ana Torres,+52 33 1234 5678,,,,\n"
        try Data(csv.utf8).write(to: URL(filePath: path))
        _ = try ContactImport(file: path, cipher: cipher).run(on: link)
    }

    private static let institution = """
        UPDATE clock SET virtual_now = '2024-02-01T15:00:00Z';
        INSERT INTO period (period, state, opened_at, closed_at) VALUES (202402, 'closed', now_instant(), now_instant());
        UPDATE clock SET virtual_now = '\(start)';
        INSERT INTO period (period, opened_at) VALUES (202403, now_instant());
        CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
        CREATE TABLE placement_202403 PARTITION OF placement FOR VALUES IN (202403);
        INSERT INTO agency (agency_id, name) VALUES (7, 'Acme'), (8, 'Other');
        INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
               capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule, penalty_schedule, rule_packs)
        SELECT c, a, 'n', 't', 9, s, '2024-01-01', '2024-12-31', 'committed', 0, 'none', 0, 'f', 'p', '{infonavit-2023}'
          FROM (VALUES (31, 7, '{2,4}'::smallint[]), (32, 7, '{1}'), (41, 8, '{2}')) AS v (c, a, s);
        INSERT INTO contract_capacity VALUES (31, 14, 1, 2, 200), (32, 9, 1, 2, 200), (41, 14, 1, 2, 200);
        INSERT INTO policy VALUES ('\\x01', 'infonavit', '2023', '2023-01-01', '', now_instant());
        INSERT INTO segmentation VALUES (202403, 'infonavit', '2023', '\\x01', '\\x', 6, 6, 0, '\\x', now_instant());
        INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
        VALUES (202402, 'applied', 1, '\\x', '\\x', now_instant()), (202403, 'applied', 1, '\\x', '\\x', now_instant());
        INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
        VALUES (14, 31, 2, 1, 10, 2), (14, 41, 2, 1, 10, 2);
        """

    private static let dealt = """
        INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
               size, term_days, ceiling_days, grace_us, late_report_us, digest)
        SELECT 14, h, ARRAY[c], 2, 1, p, g, false, s, n, 30, 60, 86400000000, 172800000000, '\\x'
          FROM (VALUES (1, 31, 202402, 1, 'closed', 1), (3, 31, 202403, 2, 'open', 3), (4, 41, 202403, 2, 'open', 3))
            AS v (h, c, p, g, s, n);
        INSERT INTO position
        SELECT 14, h, n, a, e, o, 0, 0, 1, 'containment', 2, d, o, 14039, 'R-' || a
          FROM (VALUES (1, 1, 1900012345, 6, 431022, 912087), (3, 1, 1900012345, 7, 431022, 912087),
                       (3, 2, 1900077120, 3, 295000, 590000), (3, 3, 1900088001, 1, 100000, 100000),
                       (4, 1, 1900090001, 1, 100000, 100000), (4, 2, 1900090002, 1, 100000, 100000),
                       (4, 3, 1900090003, 1, 100000, 100000)) AS v (h, n, a, e, d, o);
        INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
        INSERT INTO placement (period, delegation_id, account_id, strategy, tactic, portfolio, priority, rule)
        SELECT 202403, 14, account_id, 2, 'containment', 1, 1, 'SEG-06' FROM position WHERE hand_id > 1;
        INSERT INTO lease_grant (delegation_id, hand_id, first_position, last_position, quota_id, contract_id,
               agency_id, instance_id, key, request_hash, skipped, accounts, exposure, total_accounts, total_exposure,
               left_accounts, stop, held_digest, granted_at, granted_term, term, ceiling, grace_us, outage_us, state, closed_at)
        SELECT 14, 1, 1, 1, 1, 31, 7, 0, 1, '\\x', NULL, 1, 912087, 1, 912087, 0, 'limit', '\\x', '2024-02-01T15:00:00Z',
               '2024-02-28T06:00:00Z', '2024-02-28T06:00:00Z', '2024-02-28T06:00:00Z', 0, 0, 'closed', '2024-02-28T06:00:00Z';
        UPDATE quota SET released_accounts = 1, released_exposure = 912087 WHERE contract_id = 31;
        SELECT setval('outcome_number', 55119), setval('evidence_number', 1206);
        """
}
