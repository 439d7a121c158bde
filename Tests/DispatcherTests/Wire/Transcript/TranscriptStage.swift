// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import Logging
import PgStore
import TestSupport
import Testing

/// One node over a copy of the month, and what happens around a session: each remark that begins with `!` in a transcript is done
/// here with the operator's own means.
final class TranscriptStage {
    struct Unknown: Error { let remark: String }

    let node: DispatcherNode.Running
    private let database: TestDatabase
    private let folder: String
    private var stop: Task<Void, Never>?
    private var blocker: PgLink?
    private var crowd: [Task<ReplyCode?, any Error>] = []
    private var sequence: Int64 = 1

    init(_ database: TestDatabase, for transcript: [String]) async throws {
        self.database = database
        folder = FileManager.default.temporaryDirectory.path() + "/transcript-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var logger = Logger(label: "transcript")
        logger.logLevel = .critical
        var server = AgentServerSettings(node: "mx-1")
        server.seed = { SessionSeed(nonce: (0..<32).map(UInt8.init), session: "9f2c41d7") }
        // Where the document lets ten seconds pass, the test lets a tenth of one.
        if transcript.contains(where: { $0.hasPrefix("~") }) { server.limits.authentication = .milliseconds(100) }
        var settings = DispatcherNode.Settings(server: server)
        settings.pace = DealtMonth.quickPace
        settings.pace.clock = .milliseconds(20)
        let hasKey = !transcript.contains("! the node has no key to the data")
        settings.contactCipher = hasKey ? TranscriptMonth.cipher : nil
        if transcript.contains("! the queue is full") { settings.engine.queueMax = 1 }
        node = try await DispatcherNode(conninfo: database.conninfo, settings: settings, logger: logger).start()
    }

    func end() async {
        try? blocker?.script("ROLLBACK")
        for task in crowd { _ = try? await task.value }
        if let stop { await stop.value } else { await node.stop() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func happens(_ remark: String) async throws {
        let link = try database.link()
        switch remark {
        case "the debtor pays": try pay(link)
        case "the connection is cut, and the debtor pays meanwhile":
            // Said while nobody was there: the next file counts as pushed before it is loaded.
            try link.script("INSERT INTO announced_import SELECT coalesce(max(import_id), 0) + 1 FROM import")
            try pay(link)
        case "the payment is taken back": try takeBack(link)
        case "an hour passes": try setClock(link, "2024-03-04T16:00:00Z")
        case "the term is near": try setClock(link, "2024-04-01T06:00:00Z")
        case "the term passes": try setClock(link, "2024-04-04T07:00:00Z")
        case "ninety days pass after the end of the grant": try setClock(link, "2024-07-04T07:00:00Z")
        case "the institution pauses the strategy": _ = try order().set(link)
        case "the institution resumes it": _ = try order().lift(link)
        case "a recall is noticed": try notice(link)
        case "a lawsuit is filed": try sue(link)
        case "the key is revoked":
            _ = try AgencyKeyring(link, by: "ana").revoke(try #require(AgencyID(7)), name: "k")
        case "the institution terminates the agency":
            _ = try AgencyOrder(
                .terminate, agency: "ACE07", strategy: nil, band: nil, motive: "breach", recallOn: nil, by: "ana"
            ).run(on: link, isPreview: false, asJSON: false)
        case "the database is put back from a backup":
            try link.script("UPDATE clock SET restored_at = clock_timestamp()")
        case "the institution has recovered it": try link.finishRecovery()
        case "the agency has as many installations as it may have":
            try link.script(
                """
                INSERT INTO agency_instance (agency_id, instance, sequence, seen_at)
                SELECT 7, 'mty-' || 1000 + n, 1, now_instant() FROM generate_series(1, 10000) n
                """)
        case "the node is told to stop": stop = Task { [node] in await node.stop() }
        // The node was started so.
        case "the node has no key to the data": break
        case "the queue is full": try await fillQueue()
        case "answers take their time": try block()
        case "the queue is empty again": try await release()
        case "too many failed from this address": try await failOften()
        case "60000 payments come in while nobody reads": try await flood(link)
        default: throw Unknown(remark: remark)
        }
    }

    private func setClock(_ link: PgLink, _ text: String) throws {
        try link.script("UPDATE clock SET virtual_now = '\(text)'")
    }

    private func load(_ kind: ImportKind, _ text: String, _ link: PgLink) throws {
        let path = "\(folder)/\(kind.rawValue).csv"
        try Data(text.utf8).write(to: URL(filePath: path))
        let report = try ImportRun(kind, path: path, period: ImportSite.march).run(on: link)
        #expect(report.failure == nil)
    }

    private func pay(_ link: PgLink) throws {
        try load(
            .payments,
            ExampleText.file(
                .payments,
                [["account": "1900012345", "delegation": "14", "paid_on": "2024-03-04", "amount": "4310.22"]]), link)
    }

    private func takeBack(_ link: PgLink) throws {
        try load(
            .payments,
            ExampleText.file(
                .payments,
                [
                    [
                        "payment": "R-1", "account": "1900012345", "delegation": "14", "paid_on": "2024-03-04",
                        "amount": "4310.22", "reverses": "P-20240305-000117",
                    ]
                ]), link)
    }

    private func sue(_ link: PgLink) throws {
        // Stops are of accounts of a cut.
        try ImportSite(link: link, folder: "").addCutOfOne()
        try link.script("UPDATE account SET delegation_id = 14, account_id = 1900012345 WHERE period = 202403")
        try load(
            .stops, "account,delegation,reason,from_on,until_on\n1900012345,14,lawsuit,2024-03-04,\n", link)
    }

    private func order() throws -> PauseOrder {
        try PauseOrder(strategy: "administrative", delegation: 14, agency: "ACE07", reason: "audit", until: nil)
    }

    private func notice(_ link: PgLink) throws {
        let lease = LeaseKey(
            delegation: try #require(Delegation(14)), account: try #require(AccountID(1_900_012_345)),
            epoch: try #require(Epoch(7)))
        let finalAt = try #require(Timestamp(text: "2024-03-20T06:00:00Z"))
        #expect(try Recalls.notice(link, [lease], reason: "over-limit", finalAt: finalAt, by: "test").count == 1)
    }

    // MARK: A busy node

    /// Holds what every group has to lock, so that the one under way waits.
    private func block() throws {
        let link = try database.link("blocker")
        try link.script("BEGIN; SELECT 1 FROM hand FOR UPDATE; SELECT 1 FROM lease_grant FOR UPDATE")
        blocker = link
    }

    /// One request of others waits at the database; of two more one waits in the queue, which holds no more, and one is refused.
    private func fillQueue() async throws {
        try block()
        let agent = try await connect(8, "crowd")
        let (codes, answered) = AsyncStream<ReplyCode?>.makeStream()
        let delegation = try #require(Delegation(14))
        func ask(_ key: Int64) {
            let request = LeaseRequest(key: key, delegation: delegation, strategy: .administrative, max: 1)
            crowd.append(
                Task {
                    let code = try await agent.lease(request).code
                    answered.yield(code)
                    return code
                })
        }
        ask(1)
        let link = try database.link("watcher")
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while try link.run(waiting)[0].int64(0) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        ask(2)
        ask(3)
        for await code in codes where code == .busy { return }
    }

    private func release() async throws {
        try blocker?.script("ROLLBACK")
        for task in crowd { _ = try await task.value }
        crowd = []
    }

    private func failOften() async throws {
        while true {
            do {
                _ = try await connect(7, "stranger", key: AgencyPrivateKey())
            } catch AgentConnectionError.refused(let reply) where reply.code == .limit {
                return
            } catch AgentConnectionError.refused {
                continue
            }
        }
    }

    private func connect(_ agency: Int32, _ instance: String, key: AgencyPrivateKey? = nil) async throws
        -> AgentConnection
    {
        sequence += 1
        return try await AgentConnection.connect(
            AgentConnectionSettings(
                port: node.port, agency: try #require(AgencyID(agency)), instance: try #require(Token(instance)),
                sequence: sequence, privateKey: try key ?? TranscriptMonth.key()))
    }

    /// Another connection of the agency tells when the last of them was said to all.
    private func flood(_ link: PgLink) async throws {
        let witness = try TranscriptClient(port: node.port)
        let hello = HelloRequest(
            agency: try #require(AgencyID(7)), client: nil, instance: try #require(Token("witness")), sequence: 1,
            nonce: [UInt8](repeating: 1, count: 16))
        let proof = try TranscriptMonth.key().sign(
            AuthenticationMessage(server: "mx-1", serverNonce: (0..<32).map(UInt8.init), hello: hello))
        var lines: [UInt8] = []
        AgentRequest.hello(hello).write(Tag(number: 1), to: &lines)
        AgentRequest.auth(AuthRequest(proof: try #require(proof))).write(Tag(number: 2), to: &lines)
        try witness.say(lines)
        for _ in 0..<3 { _ = await witness.hear() }
        try link.script(
            """
            INSERT INTO push (agency_id, kind, delegation_id, account_id, epoch, word, on_date, amount)
            SELECT 7, 'UPDATE', 14, 1900012345, 1, 'payment', '2024-03-04', n FROM generate_series(1, 60000) n
            """)
        while case .line(let line) = await witness.hear(), !line.contains(" amount=600.00 ") {}
    }
}
