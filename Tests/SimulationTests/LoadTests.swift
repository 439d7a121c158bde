// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Logging
import PgStore
import Simulation
import TestSupport
import Testing

struct LoadTests {
    @Test(arguments: [true, false])
    func `every account that a load leases is reported, and what it counts is in the tables`(isPaired: Bool)
        async throws
    {
        try await Site.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.isPaired = isPaired
            let report = try await LoadRun(settings).run { _ in }

            let leased = try site.number("SELECT sum(accounts)::bigint FROM lease_grant")
            let outcomes = try site.number("SELECT count(*) FROM outcome")
            #expect(report.accounts > 0)
            #expect(report.report.count > 0)
            #expect(report.refusals.isEmpty)
            #expect(report.lostConnections.isEmpty)
            // Before and after the measurement there are more; the last pull of each connection is not reported.
            #expect(report.accounts <= leased)
            #expect(outcomes >= report.report.count)
            #expect(leased - outcomes <= Int64(settings.connections * settings.batch))
            #expect(report.lease.p50 <= report.lease.p99 && report.lease.p99 <= report.lease.max)
        }
    }

    @Test func `an open loop pulls no more often than pulls arrive`() async throws {
        try await Site.with(handSize: 100_000) { site in
            var settings = site.settings
            settings.arrival = .open(pullsPerSecond: 50)
            settings.duration = .seconds(2)
            let report = try await LoadRun(settings).run { _ in }

            // A busy machine serves fewer in the time; a closed loop would make thousands.
            #expect((1...120).contains(report.lease.count))
            #expect(report.pullsPerSecond == 50)
        }
    }

    @Test func `a load that has nothing left to pull says so`() async throws {
        try await Site.with(handSize: 20) { site in
            let failure = await #expect(throws: SimulationFailure.self) {
                try await LoadRun(site.settings).run { _ in }
            }

            #expect(failure?.exit == .findings)
            #expect(failure?.found.contains("ran dry") == true)
        }
    }

    @Test func `a daemon that is not there is an error with a remedy`() async throws {
        try await Site.with(handSize: 20) { site in
            var settings = site.settings
            settings.addresses = [LoadAddress(host: "127.0.0.1", port: 1)]
            let failure = await #expect(throws: SimulationFailure.self) { try await LoadRun(settings).run { _ in } }

            #expect(failure?.exit == .environment)
            #expect(failure?.remedy.contains("dispatcherd serve") == true)
        }
    }
}

/// A node with one contract of agency ACE01 in delegation 9, and the files of a portfolio that go with it.
private struct Site {
    let database: TestDatabase
    let settings: LoadSettings

    static func with(handSize: Int32, _ body: (Site) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let secret = [UInt8](repeating: 7, count: 32)
            let key = try #require(AgencyPrivateKey(bytes: secret))
            try deal(handSize, key, try database.link())
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            var served = DispatcherNode.Settings(server: AgentServerSettings(node: "test"))
            served.server.limits.draining = .milliseconds(50)
            let node = try await DispatcherNode(conninfo: database.conninfo, settings: served, logger: logger).start()
            do {
                let folder = try TemporaryFolder()
                try FileManager.default.createDirectory(
                    atPath: folder.path + "/keys", withIntermediateDirectories: true)
                try write(Data(secret).base64EncodedString() + "\n", to: folder.path + "/keys/ACE01.key")
                try write(
                    """
                    contract,agency,delegation,strategies,telephone_advisers,home_visit_advisers
                    1,ACE01,9,administrative,1,0

                    """, to: folder.path + "/contracts.csv")
                var settings = LoadSettings(
                    addresses: [LoadAddress(host: "127.0.0.1", port: node.port)], keysFolder: folder.path + "/keys",
                    contractsPath: folder.path + "/contracts.csv")
                settings.connections = 3
                settings.batch = 5
                settings.warmUp = .milliseconds(100)
                settings.duration = .milliseconds(1_500)
                try await body(Site(database: database, settings: settings))
                withExtendedLifetime(folder) {}
            } catch {
                await node.stop()
                throw error
            }
            await node.stop()
        }
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
}
