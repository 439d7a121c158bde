// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Logging
import PgStore
import Simulation
import Synchronization
import TestSupport
import Testing

/// Set by one task and read by another.
final class LoadFlag: Sendable {
    private let state = Mutex(false)
    private let (events, event) = AsyncStream.makeStream(of: Void.self)
    var isSet: Bool { state.withLock { $0 } }

    func set() {
        state.withLock { $0 = true }
        event.finish()
    }

    /// Returns once it is set, or the task is cancelled.
    func wait() async { for await _ in events {} }
}

/// Keeps a node's transactions waiting. Taken and released one after the other, never at once.
final class LoadHold: @unchecked Sendable {
    private var link: PgLink?
    private(set) var failure: (any Error)?

    func take(_ database: TestDatabase) {
        do {
            link = try database.link()
            try link?.script("BEGIN; LOCK TABLE lease_grant IN ACCESS EXCLUSIVE MODE")
        } catch {
            failure = error
        }
    }

    func release() {
        do { try link?.script("ROLLBACK") } catch { failure = error }
    }
}

/// A node with one contract of agency ACE01 in delegation 9, and the files of a portfolio that go with it.
struct LoadSite {
    let database: TestDatabase
    let settings: LoadSettings

    static func with(
        handSize: Int32, otherHand: Int32? = nil, tls: ServerTLS? = nil, idle: Duration? = nil,
        cipher: ContactCipher? = nil,
        _ body: (LoadSite) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let secret = [UInt8](repeating: 7, count: 32)
            let key = try #require(AgencyPrivateKey(bytes: secret))
            try deal(handSize, key, try database.link())
            if let otherHand { try dealOther(otherHand, key, try database.link()) }
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            var server = AgentServerSettings(node: "test")
            server.limits.draining = .milliseconds(50)
            server.tls = tls
            if let idle { server.limits.idle = idle }
            var nodeSettings = DispatcherNode.Settings(server: server)
            nodeSettings.contactCipher = cipher
            let node = try await DispatcherNode(
                conninfo: database.conninfo, settings: nodeSettings, logger: logger
            ).start()
            do {
                let folder = try TemporaryFolder()
                try FileManager.default.createDirectory(
                    atPath: folder.path + "/keys", withIntermediateDirectories: true)
                try write(Data(secret).base64EncodedString() + "\n", to: folder.path + "/keys/ACE01.key")
                if otherHand != nil {
                    try write(Data(secret).base64EncodedString() + "\n", to: folder.path + "/keys/ACE02.key")
                }
                try write(
                    """
                    contract,agency,delegation,strategies,telephone_advisers,home_visit_advisers
                    1,ACE01,9,administrative,1,0
                    \(otherHand == nil ? "" : "2,ACE02,9,administrative,1,0\n")
                    """, to: folder.path + "/contracts.csv")
                var settings = LoadSettings(
                    addresses: [LoadAddress(host: "127.0.0.1", port: node.port)], keysFolder: folder.path + "/keys",
                    contractsPath: folder.path + "/contracts.csv")
                settings.connections = 3
                settings.leaseSizes = LoadMix(5)
                settings.warmUp = .milliseconds(100)
                settings.duration = .milliseconds(1_500)
                try await body(LoadSite(database: database, settings: settings))
                withExtendedLifetime(folder) {}
            } catch {
                await node.stop()
                throw error
            }
            await node.stop()
        }
    }

    /// Of the same database.
    func secondNode(port: Int = 0) async throws -> DispatcherNode.Running {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var server = AgentServerSettings(node: "second")
        server.port = port
        server.limits.draining = .milliseconds(50)
        return try await DispatcherNode(conninfo: database.conninfo, settings: .init(server: server), logger: logger)
            .start()
    }

    func number(_ sql: String) throws -> Int64 { try #require(try database.link().run(sql).first).int64(0) }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private static func deal(_ handSize: Int32, _ key: AgencyPrivateKey, _ link: PgLink) throws {
        try link.script(
            """
            UPDATE clock SET virtual_now = '2024-03-04T15:00:00Z';
            INSERT INTO period (period, opened_at) VALUES (202403, now_instant());
            CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
            INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
            VALUES (202403, 'applied', 1, '', '', now_instant());
            INSERT INTO agency (agency_id, name) VALUES (1, 'agency');
            INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
                   capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule, penalty_schedule, rule_packs)
            VALUES (1, 1, 'n', 't', 1, '{2}', '2024-01-01', '2024-12-31', 'committed', 0, 'none', 0, 'f', 'p', '{}');
            INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
            VALUES (9, 1, 2, 1, 1000000, 1);
            INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                   size, term_days, ceiling_days, grace_us, late_report_us, digest)
            VALUES (9, 1, '{1}', 2, 1, 202403, 1, false, 'open', \(handSize), 30, 60, 86400000000, 172800000000, '');
            INSERT INTO position SELECT 9, 1, i, 1000000 + i, 1, 10000, 0, 0, 1, 'containment', 2, 431022, 912087, 9010, 'r'
              FROM generate_series(1, \(handSize)) i;
            INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position;
            """)
        try link.run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (1, 'k', $1, now_instant())",
            [.bytes(key.publicKey)])
    }

    /// A second agency of delegation 9, with a contract and a hand of its own.
    private static func dealOther(_ handSize: Int32, _ key: AgencyPrivateKey, _ link: PgLink) throws {
        try link.script(
            """
            INSERT INTO agency (agency_id, name) VALUES (2, 'other');
            INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
                   capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule, penalty_schedule, rule_packs)
            VALUES (2, 2, 'm', 't', 1, '{2}', '2024-01-01', '2024-12-31', 'committed', 0, 'none', 0, 'f', 'p', '{}');
            INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, plan_id)
            VALUES (9, 2, 2, 1, 1000000, 1);
            INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                   size, term_days, ceiling_days, grace_us, late_report_us, digest)
            VALUES (9, 2, '{2}', 2, 1, 202403, 1, false, 'open', \(handSize), 30, 60, 86400000000, 172800000000, '');
            INSERT INTO position SELECT 9, 2, i, 5000000 + i, 1, 10000, 0, 0, 1, 'containment', 2, 431022, 912087, 9010, 'r'
              FROM generate_series(1, \(handSize)) i;
            INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position WHERE hand_id = 2;
            """)
        try link.run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (2, 'k', $1, now_instant())",
            [.bytes(key.publicKey)])
    }
}
