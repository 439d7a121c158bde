// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import Simulation
import Synchronization
import TestSupport
import Testing

/// The client of the package against real nodes.
struct AgentClientTests {
    private func settings(
        _ month: DealtMonth, nodes: [DispatcherNode.Running], instance: String = "client"
    ) throws -> AgentClientSettings {
        let latest = Counter()
        var settings = try AgentClientSettings(
            addresses: nodes.map { .init(host: "127.0.0.1", port: $0.port) }, agency: "ACE01", instance: instance,
            key: month.keys[0].bytes, nextSequence: { latest.next() })
        settings.pauseFirst = .milliseconds(10)
        return settings
    }

    private func settings(
        _ month: DealtMonth, ports: [Int], state: String? = nil, patience: Duration = .seconds(20)
    ) throws -> AgentClientSettings {
        let addresses = ports.map { AgentClientSettings.Address(host: "127.0.0.1", port: $0) }
        let latest = Counter()
        var settings =
            try state.map {
                try AgentClientSettings(addresses: addresses, agency: "ACE01", key: month.keys[0].bytes, state: $0)
            }
            ?? AgentClientSettings(
                addresses: addresses, agency: "ACE01", instance: "client", key: month.keys[0].bytes,
                nextSequence: { latest.next() })
        settings.pauseFirst = .milliseconds(10)
        settings.patience = patience
        return settings
    }

    private static let many = 24

    private final class Counter: Sendable {
        private let value = Mutex<Int64>(0)
        func next() -> Int64 {
            value.withLock {
                $0 += 1
                return $0
            }
        }
    }

    private func leases(_ reply: AgentReply) -> [AgentLease] {
        reply.data.compactMap { line in
            guard let account = line["account"].flatMap({ Int64($0) }), let epoch = line["epoch"].flatMap({ Int64($0) })
            else { return nil }
            return AgentLease(delegation: 9, account: account, epoch: epoch)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a client works on through a rolling restart, on the other node, with the same leases`() async throws {
        try await DealtMonth.with { month in
            let other = try await DealtMonth.startNode(month.database)
            let client = AgentClient(try settings(month, nodes: [other, month.node]))
            let held = leases(try await client.lease(delegation: 9, strategy: "administrative", max: 4))
            #expect(held.count == 4)
            // Both at once: the reports meet the node as it goes.
            async let stopped: Void = other.stop()
            var refused: [AgentReply] = []
            for lease in held {
                let reply = try await client.report(
                    lease,
                    ["at": "2024-03-04T15:00:00Z", "channel": "phone-out", "contact": "none", "result": "no-answer"])
                if !reply.isOK { refused.append(reply) }
            }
            await stopped
            #expect(refused == [])
            #expect(try await client.giveBack(held[0], reason: "capacity").isOK)
            #expect(await client.held == Array(held.dropFirst()))
            #expect(try month.number("SELECT count(*) FROM outcome") == 4)
            await client.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an evening's reports go in one go, also over a cut connection, and a bad one spoils none`() async throws {
        try await DealtMonth.with { month in
            let client = AgentClient(try settings(month, nodes: [month.node]))
            let held = leases(try await client.lease(delegation: 9, strategy: "administrative", max: 3))
            var calls = held.enumerated().map { reported($1, key: 100 + $0) }
            calls[1] = reported(AgentLease(delegation: 9, account: held[1].account, epoch: 999), key: 101)
            calls.append(AgentCall("REPORT", ["delegation": "9"]))
            calls.append(AgentCall("FORGET", ["delegation": "9"]))
            await client.cut()
            let ends = await client.send(all: calls)

            #expect(ends.map { try? $0.get().code } == ["", "UNKNOWN", "", nil, nil])
            #expect(ends[3] == .failure(.badRequest("MISSING-KEY of account")))
            #expect(
                ends[4]
                    == .failure(
                        .badRequest(
                            "UNKNOWN-VERB: there is no verb FORGET; there are LEASE CONTACT REPORT EXTEND RETURN OBJECT RESUME HELD "
                                + "STATUS EXPLAIN QUIET PING BYE")))
            #expect(await client.connectionCount == 2)
            // Nothing of it is done twice.
            await client.cut()
            #expect(await client.send(all: calls) == ends)
            #expect(try month.number("SELECT count(*) FROM outcome") == 2)
            await client.close()
        }
    }

    private func reported(_ lease: AgentLease, key: Int? = nil) -> AgentCall {
        var fields = [
            "delegation": "9", "account": "\(lease.account)", "epoch": "\(lease.epoch)",
            "at": "2024-03-04T15:00:00Z", "channel": "phone-out", "contact": "none", "result": "no-answer",
        ]
        fields["key"] = key.map { "\($0)" }
        return AgentCall("REPORT", fields)
    }

    @Test(.timeLimit(.minutes(1)))
    func `of a lot whose replies are lost, what has a key is done once, and a disclosure is not asked for again`()
        async throws
    {
        try await DealtMonth.with { month in
            let relay = try TranscriptRelay(to: month.node.port)
            defer { relay.close() }
            let client = AgentClient(try settings(month, ports: [relay.port]))
            let held = leases(try await client.lease(delegation: 9, strategy: "administrative", max: 3))
            let contact = AgentCall("CONTACT", ["delegation": "9", "account": "\(held[0].account)", "epoch": "1"])
            // The last of them does not fit into the window, and so was not said when the wire breaks.
            let pings = [AgentCall](repeating: AgentCall("PING"), count: 70)
            let calls = held.map { reported($0) } + [contact] + pings + [contact]
            relay.setDeaf(true)
            async let ends = client.send(all: calls)
            while try month.number("SELECT count(*) FROM outcome") < 3 { try await Task.sleep(for: .milliseconds(5)) }
            while !relay.lines.contains(where: { $0.contains("UNSUPPORTED") }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(await client.unanswered == [])
            relay.setDeaf(false)
            relay.cut()
            let settled = await ends

            #expect(settled.prefix(3).map { try? $0.get().isOK } == [true, true, true])
            #expect(settled[3] == .failure(.unanswered(key: nil, refusal: nil)))
            #expect(
                settled.map { if case .failure(let error) = $0 { error.mayHaveBeenDone } else { false } }
                    == [false, false, false, true] + [Bool](repeating: false, count: 71))
            #expect(try settled[74].get().code == "UNSUPPORTED")
            #expect(relay.lines.filter { $0.hasPrefix("> ") && $0.contains(" CONTACT ") }.count == 2)
            #expect(relay.lines.filter { $0.hasPrefix("> ") && $0.contains(" REPORT ") }.count == 6)
            #expect(try month.number("SELECT count(*) FROM outcome") == 3)
            // First what may have been done, then the comparison.
            let second = relay.lines.lastIndex { $0.contains(" HELLO ") } ?? 0
            let said = relay.lines[second...].filter { $0.hasPrefix("> ") }.compactMap {
                $0.split(separator: " ").dropFirst(2).first
            }
            #expect(said.prefix(6) == ["HELLO", "AUTH", "REPORT", "REPORT", "REPORT", "RESUME"])
            await client.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `what was not sent is not done, and the error says so`() async throws {
        try await DealtMonth.with { month in
            let relay = try TranscriptRelay(to: month.node.port)
            let client = AgentClient(try settings(month, ports: [relay.port], patience: .seconds(2)))
            let held = leases(try await client.lease(delegation: 9, strategy: "administrative", max: 1))
            relay.close()
            for await case .disconnected in client.events { break }
            let ends = await client.send(all: [reported(held[0])])

            #expect(ends.map { if case .failure(let error) = $0 { error.mayHaveBeenDone } else { true } } == [false])
            #expect(await client.unanswered == [])
            #expect(try month.number("SELECT count(*) FROM outcome") == 0)
            await client.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a killed process leaves in its folder what it held and what had no answer, and the next one goes on`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.path() + "/state-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await DealtMonth.with { month in
            let relay = try TranscriptRelay(to: month.node.port)
            let first = AgentClient(
                try settings(month, ports: [relay.port], state: "\(folder)/one", patience: .seconds(2)))
            let held = leases(try await first.lease(delegation: 9, strategy: "administrative", max: 3))
            #expect(try await first.giveBack(held[2], reason: "capacity").isOK)
            relay.setDeaf(true)
            let report = Task { await first.send(all: [self.reported(held[0])]) }
            while try month.number("SELECT count(*) FROM outcome") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let second = AgentClient(try settings(month, ports: [month.node.port], state: "\(folder)/one"))
            await #expect(throws: AgentClientError.self) { try await second.open() }
            // As the disk stands when the process is killed.
            try FileManager.default.createDirectory(atPath: "\(folder)/two", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(folder)/one/installation", toPath: "\(folder)/two/installation")
            relay.close()
            #expect(await report.value == [.failure(.unanswered(key: 3, refusal: nil))])
            #expect(await first.unanswered.map(\.verb) == ["REPORT"])
            await first.close()

            let offline = AgentClient(
                try settings(month, ports: [relay.port], state: "\(folder)/two", patience: .seconds(2)))
            await #expect(throws: AgentClientError.self) { try await offline.open() }
            #expect(await offline.held == Array(held.prefix(2)))
            #expect(await offline.unanswered.map { $0.fields["account"] } == ["\(held[0].account)"])
            await offline.close()
            let next = AgentClient(try settings(month, ports: [month.node.port], state: "\(folder)/two"))
            try await next.open()
            var late: [String?] = []
            for await case .late(let call, let reply) in next.events {
                late = [call.verb, call.fields["key"], reply.code, reply.fields["outcome"]]
                break
            }
            #expect(late.dropLast() == ["REPORT", "3", ""])
            #expect(late.last.flatMap(\.self) != nil)
            #expect(await next.instance == first.instance)
            #expect(await next.unanswered == [])
            #expect(await next.held == Array(held.prefix(2)))
            #expect(await next.details(of: held[1])?["tactic"] != nil)
            #expect(try await next.send("REPORT", reported(held[1]).fields).isOK)
            #expect(try month.number("SELECT count(*) FROM outcome") == 2)
            await next.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a client that lost its connection makes another one by itself, and hears what is pushed`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let relay = try TranscriptRelay(to: month.node.port)
            defer { relay.close() }
            let client = AgentClient(try settings(month, ports: [relay.port]))
            try await client.open()
            relay.cut()
            var seen: [String] = []
            for await event in client.events {
                switch event {
                case .connected where seen == ["gone"]:
                    seen.append("back")
                    _ = try PauseOrder(
                        strategy: "administrative", delegation: 9, agency: "ACE01", reason: "audit", until: nil
                    ).set(try month.database.link())
                case .disconnected: seen.append("gone")
                case .push(let name, _): seen.append(name)
                default: break
                }
                if seen.count == 3 { break }
            }
            #expect(seen == ["gone", "back", "PAUSED"])
            await client.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `after a new connection the client finds what it lost and what another installation leased`() async throws {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let first = AgentClient(try settings(month, nodes: [month.node]))
            let second = AgentClient(try settings(month, nodes: [month.node], instance: "two"))
            let held = leases(try await first.lease(delegation: 9, strategy: "administrative", max: 3))
            var found: [AgentLease] = []
            #expect(try await second.send("PING").isOK)
            for await case .difference(_, let leases) in second.events {
                found = leases
                break
            }
            #expect(found == held)
            #expect(try await second.giveBack(held[0], reason: "capacity").isOK)
            #expect(
                try await first.report(
                    held[0],
                    ["at": "2024-03-04T15:00:00Z", "channel": "sms", "contact": "none", "result": "no-answer"]
                ).code == "CLOSED")
            #expect(await first.held == Array(held.dropFirst()))
            await first.close()
            await second.close()
        }
    }

    @Test func `what no line of the protocol can be is refused before it is sent`() async throws {
        try await DealtMonth.with { month in
            let client = AgentClient(try settings(month, nodes: [month.node]))
            for (verb, fields) in [
                ("LEESE", [:]), ("LEASE", ["delegation": "9"]), ("STATUS", ["colour": "red"]), ("HELD", ["max": "x"]),
            ] as [(String, [String: String])] {
                await #expect(throws: AgentClientError.self) { try await client.send(verb, fields) }
            }
            await client.close()
            await #expect(throws: AgentClientError.closed) { try await client.send("PING") }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `who is not let in is told so and does not try again`() async throws {
        try await DealtMonth.with { month in
            var settings = try AgentClientSettings(
                addresses: [.init(host: "127.0.0.1", port: month.node.port)], agency: "ACE01", instance: "x",
                key: [UInt8](repeating: 1, count: 32), nextSequence: { 1 })
            settings.pauseFirst = .milliseconds(10)
            let client = AgentClient(settings)
            let error = await #expect(throws: AgentClientError.self) { try await client.send("PING") }

            #expect(error.map { "\($0)" } == "not let in: AUTH")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func
        `four nodes and many agencies go through a rolling restart without a failed request, and the judge finds nothing`()
        async throws
    {
        try await DealtMonth.with(.init(agencies: Self.many, handSize: 20)) { month in
            try month.database.link().script(
                """
                INSERT INTO quota_history (delegation_id, quota_id, since, limit_accounts, limit_exposure, plan_id)
                SELECT delegation_id, quota_id, '2024-03-01T00:00:00Z', limit_accounts, limit_exposure, plan_id FROM quota
                """)
            var nodes = [month.node]
            for _ in 0..<3 { nodes.append(try await DealtMonth.startNode(month.database)) }
            let ports = nodes.map(\.port)
            let work = Task {
                try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
                    for worker in 0..<Self.many {
                        group.addTask { (worker, try await self.work(month, worker, ports)) }
                    }
                    return try await group.reduce(into: [Int: [String]]()) { $0[$1.0] = $1.1 }
                }
            }
            // One after the other goes, and another one comes in its place, on its port.
            for place in 1...3 {
                try await Task.sleep(for: .milliseconds(150))
                await nodes[place].stop()
                nodes[place] = try await DealtMonth.startNode(
                    month.database, port: ports[place])
            }
            let logs = try await work.value
            let reported = logs.values.reduce(0) { $0 + $1.count }

            #expect(try month.number("SELECT count(*) FROM outcome") == Int64(reported))
            #expect(
                try month.number(
                    "SELECT count(*) FROM (SELECT account_id FROM outcome GROUP BY 1 HAVING count(*) > 1) x")
                    == 0)
            #expect(try month.number("SELECT sum(accounts)::bigint FROM lease_grant") == Int64(reported))
            let folder = FileManager.default.temporaryDirectory.path() + "/judge-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            for (worker, lines) in logs {
                let agency = try #require(AgencyID(Int32(worker + 1)))
                let text = [ClientLog.header(agency: agency, instance: "w\(worker)")] + lines
                try Data((text.joined(separator: "\n") + "\n").utf8).write(
                    to: URL(filePath: "\(folder)/\(agency).log"))
            }
            let march = try #require(Period(text: "2024-03"))
            let verdict = try Verification(
                database: month.database.conninfo, logFolder: folder, period: march
            ).run { _, _ in }
            // The month's limits and hands are written by the test, and so have no record of a plan.
            let unplanned: Set = ["a limit was never recorded as it stands", "a hand was never recorded"]
            let findings = verdict.verdict.findings.filter { !unplanned.contains($0.found) }
            #expect(findings.isEmpty, "\(verdict.text)")
            for place in 1...3 { await nodes[place].stop() }
        }
    }

    /// Leases and reports in small pieces, beginning with another node than the worker before; its reports as a client logs them.
    private func work(_ month: DealtMonth, _ worker: Int, _ ports: [Int]) async throws -> [String] {
        let latest = Counter()
        let turned = ports[(worker % 4)...] + ports[..<(worker % 4)]
        var settings = try AgentClientSettings(
            addresses: turned.map { .init(host: "127.0.0.1", port: $0) },
            agency: try #require(AgencyID(Int32(worker + 1))).description,
            instance: "w\(worker)", key: month.keys[worker].bytes, nextSequence: { latest.next() })
        settings.pauseFirst = .milliseconds(20)
        let client = AgentClient(settings)
        var log: [String] = []
        for _ in 0..<8 {
            for lease in leases(try await client.lease(delegation: 9, strategy: "administrative", max: 2)) {
                let work = [
                    "at": "2024-03-04T15:00:00Z", "channel": "phone-out", "contact": "none", "result": "no-answer",
                    "key": "\(1_000 + log.count)",
                ]
                let reply = try await client.report(lease, work)
                #expect(reply.isOK, "\(reply)")
                log.append(
                    "REPORT key=\(1_000 + log.count) delegation=9 account=\(lease.account) epoch=\(lease.epoch)"
                        + " at=2024-03-04T15:00:00.000Z channel=phone-out contact=none result=no-answer"
                        + " outcome=\(reply.fields["outcome"] ?? "") receipt=\(reply.fields["receipt"] ?? "")")
            }
            try await Task.sleep(for: .milliseconds(30))
        }
        await client.close()
        return log
    }
}
