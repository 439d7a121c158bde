// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import Logging
import PgStore
import TestSupport
import Testing

/// A dealt period in a database of its own: agencies ACE01… with one contract and one hand each in delegation 9, and a node that
/// serves it. Accounts are numbered hand × 1000 + position; every exposure is 100.00.
struct DealtMonth: Sendable {
    static let delegation = Delegation.all[8]
    let database: TestDatabase
    let node: DispatcherNode.Running
    let keys: [AgencyPrivateKey]

    struct Shape: Sendable {
        var agencies = 2
        var handSize = 20
        var limitAccounts: Int64 = 1_000
        var limitExposure: Int64?
        var termDays = 30
        var contractEnds = "2024-12-31"
    }

    /// Sets the month up, runs `body`, and stops the node.
    static func with(
        _ shape: Shape = Shape(), pace: Upkeep.Pace = Upkeep.Pace(), cipher: ContactCipher? = nil,
        attempts: AttemptLimits = AttemptLimits(), engine: LeaseEngine.Limits = LeaseEngine.Limits(),
        _ body: (DealtMonth) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let keys = (0..<shape.agencies).map { _ in AgencyPrivateKey() }
            try deal(shape, keys, database)
            let node = try await startNode(database, pace, cipher: cipher, attempts: attempts, engine: engine)
            do {
                try await body(DealtMonth(database: database, node: node, keys: keys))
            } catch {
                await node.stop()
                throw error
            }
            await node.stop()
        }
    }

    /// Serves the month to `serving`, and runs `body` when the node is gone: it does by itself what it does when it starts, however late
    /// a busy machine lets it.
    ///
    /// - Parameter changes: SQL, before the node starts.
    static func after<Value>(
        _ shape: Shape = Shape(), pace: Upkeep.Pace, changes: String = "",
        serving: (DealtMonth) async throws -> Value, _ body: (DealtMonth, Value) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let keys = (0..<shape.agencies).map { _ in AgencyPrivateKey() }
            try deal(shape, keys, database)
            try database.link().script(changes)
            let month = DealtMonth(database: database, node: try await startNode(database, pace), keys: keys)
            let value: Value
            do { value = try await serving(month) } catch {
                await month.node.stop()
                throw error
            }
            await month.node.stop()
            try await body(month, value)
        }
    }

    static func startNode(
        _ database: TestDatabase, _ pace: Upkeep.Pace = Upkeep.Pace(), cipher: ContactCipher? = nil,
        attempts: AttemptLimits = AttemptLimits(), engine: LeaseEngine.Limits = LeaseEngine.Limits(),
        prepares: Bool = true, port: Int = 0, instancesMax: Int = 10_000, answerWait: Duration = .seconds(10)
    ) async throws -> DispatcherNode.Running {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var server = AgentServerSettings(node: "test")
        // Clients that a test leaves behind are not waited for.
        server.limits.draining = .milliseconds(50)
        server.port = port
        var settings = DispatcherNode.Settings(server: server)
        settings.pace = pace
        settings.contactCipher = cipher
        settings.attempts = attempts
        settings.engine = engine
        settings.instancesMax = instancesMax
        settings.preparesStatements = prepares
        settings.answerWait = answerWait
        return try await DispatcherNode(conninfo: database.conninfo, settings: settings, logger: logger).start()
    }

    func connect(
        _ agency: Int, instance: String = "one", sequence: Int64 = 1, to node: DispatcherNode.Running? = nil
    ) async throws -> AgentConnection {
        try await AgentConnection.connect(
            AgentConnectionSettings(
                port: (node ?? self.node).port, agency: try #require(AgencyID(Int32(agency))),
                instance: try #require(Token(instance)), sequence: sequence, privateKey: keys[agency - 1]))
    }

    func number(_ sql: String) throws -> Int64 { try #require(try database.link().run(sql).first).int64(0) }

    func setClock(_ text: String) throws { try database.link().script("UPDATE clock SET virtual_now = '\(text)'") }

    static func deal(_ shape: Shape, _ keys: [AgencyPrivateKey], _ database: TestDatabase) throws {
        let link = try database.link()
        try link.script(
            """
            UPDATE clock SET virtual_now = '2024-03-04T15:00:00Z';
            INSERT INTO period (period, opened_at) VALUES (202403, now_instant());
            CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403);
            INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
            VALUES (202403, 'applied', 1, '', '', now_instant());
            """)
        for (index, key) in keys.enumerated() {
            let agency = Int32(index + 1)
            try link.run("INSERT INTO agency (agency_id, name) VALUES ($1, 'agency')", [.int32(agency)])
            try link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES ($1, 'k', $2, now_instant())",
                [.int32(agency), .bytes(key.publicKey)])
            try link.run(
                """
                INSERT INTO contract (contract_id, agency_id, number, tender, zone_id, strategies, starts_on, ends_on,
                       capacity_basis, bond, exposure_basis, exposure_factor_bp, fee_schedule, penalty_schedule, rule_packs)
                VALUES ($1, $1, 'n', 't', 1, '{2}', '2024-01-01', $2::text::date, 'committed', 0, 'none', 0, 'f', 'p', '{}')
                """, [.int32(agency), .text(shape.contractEnds)])
            try link.run(
                """
                INSERT INTO quota (delegation_id, contract_id, strategy, portfolio, limit_accounts, limit_exposure, plan_id)
                VALUES (9, $1, 2, 1, $2, $3, 1)
                """, [.int32(agency), .int64(shape.limitAccounts), .optional(shape.limitExposure)])
            try link.run("INSERT INTO contract_capacity VALUES ($1, 9, 1, 10, 100)", [.int32(agency)])
            try dealHand(agency, shape, link)
        }
    }

    private static func dealHand(_ hand: Int32, _ shape: Shape, _ link: PgLink) throws {
        try link.run(
            """
            INSERT INTO hand (delegation_id, hand_id, contract_ids, strategy, portfolio, period, plan_id, is_front, state,
                   size, term_days, ceiling_days, grace_us, late_report_us, digest)
            VALUES (9, $1, ARRAY[$1], 2, 1, 202403, 1, false, 'open', $2, $3, 60, 86400000000, 172800000000, '')
            """, [.int32(hand), .int32(Int32(shape.handSize)), .int32(Int32(shape.termDays))])
        try link.run(
            """
            INSERT INTO position SELECT 9, $1, i, $1::bigint * 1000 + i, 1, 10000, 0, 0, 1, 'containment', 2, 431022, 912087,
                   9010, 'ref' || i FROM generate_series(1, $2::int) i
            """, [.int32(hand), .int32(Int32(shape.handSize))])
        try link.run(
            "INSERT INTO deal SELECT delegation_id, account_id, epoch, hand_id, position FROM position WHERE hand_id = $1",
            [.int32(hand)])
    }
}

extension DealtMonth {
    static func lease(_ key: Int64, max: Int = 5) -> LeaseRequest {
        LeaseRequest(key: key, delegation: delegation, strategy: .administrative, max: max)
    }

    static func report(
        _ key: Int64, _ account: LeasedAccount, at: String = "2024-03-04T15:00:00Z", result: OutcomeResult = .noAnswer
    ) throws -> ReportRequest {
        ReportRequest(
            key: key, delegation: delegation, account: account.account, epoch: account.epoch,
            at: try #require(Timestamp(text: at)), channel: .phoneOut, contact: .nobody, result: result)
    }

    static func giveBack(_ key: Int64, _ account: LeasedAccount) -> ReturnRequest {
        ReturnRequest(
            key: key, delegation: delegation, account: account.account, epoch: account.epoch, reason: .unlocatable)
    }
}
