// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import Glibc
import PgStore
import Simulation
import TestSupport
import Testing

extension TestDatabase {
    /// A backup of it, made by pg_dump now and restored by psql into a database of its own.
    func dumped() throws -> TestDatabase {
        let server = String(cString: try #require(getenv("REPARTO_TEST_DATABASE")))
        let former = try #require(conninfo.split(separator: "=").last)
        let name = "\(former)_restored_\(UInt32.random(in: 0...UInt32.max))"
        try PgLink(server, application: "test").script("CREATE DATABASE \(name)")
        let restored = TestDatabase(conninfo: "\(server) dbname=\(name)")
        let (code, text) = try ChildProcess.run(
            "/bin/sh",
            ["-c", "pg_dump -d '\(conninfo)' | psql -q -v ON_ERROR_STOP=1 -d '\(restored.conninfo)' >/dev/null"])
        try #require(code == 0, "\(text)")
        return restored
    }
}

/// A database that is restored from a backup has forgotten what it gave out since. A real dump, real nodes, real sockets.
struct RecoveryTests {
    private static let key = AgencyPrivateKey()

    /// An agent of ACE04, whose contract alone has the preventive accounts: after a restore it gets the same ones.
    private func serving<Value>(
        _ database: TestDatabase, instance: String, _ body: (AgentConnection) async throws -> Value
    ) async throws -> Value {
        let node = try await DealtMonth.startNode(database, DealtMonth.quickPace)
        do {
            let agent = try await AgentConnection.connect(
                AgentConnectionSettings(
                    port: node.port, agency: try #require(AgencyID(4)), instance: try #require(Token(instance)),
                    sequence: 1, privateKey: Self.key))
            let value = try await body(agent)
            await node.stop()
            return value
        } catch {
            await node.stop()
            throw error
        }
    }

    private static func lease(_ key: Int64, max: Int = 5) -> LeaseRequest {
        LeaseRequest(key: key, delegation: DealtMonth.delegation, strategy: .preventive, max: max)
    }

    private func isFlagged(_ database: TestDatabase) throws -> Bool { try database.link().awaitsRecovery() }

    @Test(.timeLimit(.minutes(2)))
    func `after a restore no epoch lives twice, and what quotes one of before is refused by name`() async throws {
        try await StartedMonth.with { month in
            try month.link.run(
                "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES (4, 'k', $1, now_instant())",
                [.bytes(Self.key.publicKey)])
            // A node has served it by then, so that the backup knows where it lived.
            try await serving(month.database, instance: "zero") { _ in }
            let backup = try month.database.dumped()
            let known = try #require(try backup.link().readHomeRecord().latestBeat)
            // Lost later: leases of the first deal, and of a second one that the backup knows nothing of.
            let lost = try await serving(month.database, instance: "one") { agent in
                let first = try await agent.lease(Self.lease(1, max: 1_000)).leasedAccounts.prefix(3)
                for (index, account) in first.enumerated() {
                    _ = try await agent.giveBack(DealtMonth.giveBack(Int64(index) + 2, account))
                }
                return Array(first)
            }
            _ = try month.redeal(.everything)
            let again = try month.link.run("SELECT account_id, epoch FROM deal WHERE epoch > (1::bigint << 32) + 1")
                .map { (account: $0.int64(0), epoch: $0.int64(1)) }

            try await serving(backup, instance: "two") { agent in
                let refused = try await agent.lease(Self.lease(1))
                let report = try await agent.report(DealtMonth.report(2, lost[0], at: "2024-03-12T15:00:00Z"))
                for reply in [refused, report] {
                    #expect(reply.code == .unavailable && reply.fields["after"] == "60")
                    #expect(reply.fields["reason"] == "restored")
                }
                #expect(try await agent.held(HeldRequest()).fields["listed"] == "0")
            }
            let link = try backup.link()
            #expect(throws: CommandFailure.self) {
                try RedealRun(link, scope: RedealScope(.everything), reason: "rebalance", by: "ana").run()
            }
            let started = StartedMonth(
                database: backup, month: PlannedMonth(link: link, policy: month.month.policy), folder: month.folder)
            #expect(throws: CommandFailure.self) { try started.start("900014,9,job-loss,2024-03-11") }

            // Nodes beat meanwhile, and the backup is no younger for it.
            try link.bookOutage()
            #expect(try Recovery(link, nothingLost: false, by: "ana").preview().knownUntil == known.description)

            let report = try Recovery(link, nothingLost: false, by: "ana").run()
            #expect(report.isDone && report.withdrawn > 0 && report.dealt ?? 0 > 0)
            #expect(report.incarnation > 200_000_000)
            try await serving(backup, instance: "three") { agent in
                let leased = try await agent.lease(Self.lease(1, max: 1_000)).leasedAccounts
                let epochs = Dictionary(uniqueKeysWithValues: leased.map { ($0.account, $0.epoch) })
                for old in lost {
                    let now = try #require(epochs[old.account], "the contract has all of them")
                    #expect(now.value > old.epoch.value && now.value >> 32 == Int64(report.incarnation))
                }
                for (index, old) in lost.enumerated() {
                    let late = try await agent.report(
                        DealtMonth.report(Int64(index) + 10, old, at: "2024-03-12T15:00:00Z"))
                    #expect(late.code == .unknown && late.fields["evidence"] != nil && late.fields["counts"] == "no")
                    let back = try await agent.giveBack(DealtMonth.giveBack(Int64(index) + 20, old))
                    #expect(back.code == .unknown)
                }
                let own = try #require(leased.first { $0.account == lost[0].account })
                let counted = try await agent.report(DealtMonth.report(30, own, at: "2024-03-12T15:00:00Z"))
                #expect(counted.isOK)
                #expect((counted.fields["outcome"].flatMap { Int64($0) } ?? 0) >= Int64(report.incarnation) << 20)
            }
            #expect(!again.isEmpty)
            for (account, epoch) in again {
                #expect(try started.count("deal WHERE account_id = \(account) AND epoch = \(epoch)") == 0)
            }
            #expect(try started.broken() == [])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a restored database is dealt neither a plan nor an opening before it is recovered, and then above`()
        async throws
    {
        try await StartedMonth.with(accounts: 60, applied: false) { month in
            try month.link.checkHome()
            let backup = try month.database.dumped()
            let link = try backup.link()
            let restored = StartedMonth(
                database: backup, month: PlannedMonth(link: link, policy: month.month.policy), folder: month.folder)
            let opening = """
                kind,account,delegation,contract,agency,strategy,portfolio,from_on,until_on,value
                holding,900005,9,1,,administrative,telephone,2024-02-12,2024-04-05,

                """
            let plan = #expect(throws: CommandFailure.self) { try restored.month.plan().apply() }
            let load = #expect(throws: CommandFailure.self) { try restored.load(.opening, opening) }
            for failure in [plan, load] {
                #expect(failure?.found.contains("was restored") == true && failure?.remedy.contains("recover") == true)
            }

            let report = try Recovery(link, nothingLost: true, by: "ana").run()
            try restored.load(.opening, opening)
            _ = try restored.month.plan().apply()
            #expect(report.dealt == nil && report.withdrawn == 0)
            #expect(try restored.count("deal") > 1)
            #expect(try restored.count("deal WHERE epoch >> 32 <> \(report.incarnation)") == 0)
        }
    }

    /// Server, timeline and seconds since the latest beat; whether the incarnation rises, and whether somebody has to recover it.
    @Test(arguments: [
        ("timeline = timeline", 3_600, false, false), ("timeline = timeline - 1", 50, true, false),
        ("timeline = timeline - 1", 70, true, true), ("system_identifier = 1", 0, true, true),
        ("clock_oid = clock_oid - 1", 0, true, true), ("database_oid = database_oid - 1", 0, true, true),
        ("system_identifier = NULL", 3_600, false, false),
    ])
    func `a failover within a minute of the latest beat goes on, a restore waits, and both raise the incarnation once`(
        _ moved: String, _ seconds: Int, _ rises: Bool, _ waits: Bool
    ) async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let before = try link.checkHome()
            try link.script("UPDATE clock SET \(moved), latest_beat = clock_timestamp() - interval '\(seconds) s'")
            let after = try link.checkHome()

            #expect(before.incarnation == 1 && !before.awaitsRecovery)
            #expect((after.incarnation > 200_000_000) == rises && (after.incarnation == 1) != rises)
            #expect(after.awaitsRecovery == waits)
            #expect(try link.checkHome() == after)
        }
    }

    /// Whoever leaves out that the tables are there already, or that an error ends it, gets half of each: psql goes on after errors.
    @Test(.timeLimit(.minutes(1)))
    func `a dump that is loaded beside what was there gives nothing out, and nothing recovers it`() async throws {
        try await StartedMonth.with { month in
            try await TestDatabase.with { other in
                _ = try other.link().checkHome()
                let (code, text) = try ChildProcess.run(
                    "/bin/sh",
                    ["-c", "pg_dump -d '\(month.database.conninfo)' | psql -q -d '\(other.conninfo)' >/dev/null 2>&1"])
                try #require(code == 0, "\(text)")
                let link = try other.link()
                try #require(try link.run("SELECT count(*) FROM position")[0].int64(0) > 0)

                let home = try link.checkHome()

                #expect(home.awaitsRecovery && home.isMixed)
                let recovery = try Recovery(link, nothingLost: false, by: "ana")
                #expect(try recovery.preview().summary.contains(Recovery.isMixed))
                let failure = #expect(throws: CommandFailure.self) { try recovery.run() }
                #expect(failure?.exit == .environment)
                #expect(try link.awaitsRecovery())
            }
        }
    }

    @Test func `two recoveries of one backup have different incarnations`() async throws {
        try await TestDatabase.with { database in
            let link = try database.link()
            let first = try Recovery(link, nothingLost: true, by: "ana").run()
            let second = try Recovery(link, nothingLost: true, by: "ana").run()

            #expect(second.incarnation > first.incarnation)
        }
    }

    @Test func `a node that is at work knows a database that was put back by its beats, on each new link`() async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            #expect(try await agent.lease(DealtMonth.lease(1)).isOK)
            // The node has seen one beat for each of its links.
            try month.database.link().script(
                """
                UPDATE clock SET beats = 0;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'reparto-groups'
                """)
            var reply = try await agent.lease(DealtMonth.lease(2))
            // The first one may find its link cut.
            if reply.fields["reason"] == nil { reply = try await agent.lease(DealtMonth.lease(2)) }

            #expect(reply.code == .unavailable && reply.fields["reason"] == "restored")
            #expect(try isFlagged(month.database))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a dump from a server with greater transaction numbers is folded, chained and pushed to its end`() async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            _ = try await agent.giveBack(DealtMonth.giveBack(2, accounts[0]))
            try await until { try month.number("SELECT released_accounts FROM quota WHERE contract_id = 1") > 0 }
            try await until {
                try month.number("SELECT (SELECT count(*) FROM block) - (SELECT count(*) FROM chain)") == 0
            }
            // The followers wait, so that what comes now is read by nobody when the dump is made.
            let link = try month.database.link()
            try link.script("BEGIN; SELECT 1 FROM follower FOR UPDATE")
            _ = try await agent.giveBack(DealtMonth.giveBack(3, accounts[1]))
            #expect(try month.number("SELECT (SELECT count(*) FROM block) - (SELECT count(*) FROM chain)") == 1)
            for table in ["release", "block", "chain", "push", "follower"] {
                try link.script(
                    "UPDATE \(table) SET transaction = (transaction::text::bigint + 1000000000000)::text::xid8")
            }
            try link.script("COMMIT")
            _ = try Recovery(link, nothingLost: true, by: "ana").run()

            _ = try await agent.giveBack(DealtMonth.giveBack(4, accounts[2]))
            try await until { try month.number("SELECT released_accounts FROM quota WHERE contract_id = 1") >= 3 }
            try await until {
                try month.number("SELECT (SELECT count(*) FROM block) - (SELECT count(*) FROM chain)") == 0
            }
            try month.notice([accounts[3]])
            #expect(await agent.next(.recall)?["account"] == "\(accounts[3].account)")
            #expect(try month.number("SELECT released_accounts FROM quota WHERE contract_id = 1") == 3)
            // The limits of this month were put in force by nobody, which the judge says as well.
            let findings = Judge.judge(try HistoryReader(link, operations: []).history(DealtMonth.delegation)).findings
            #expect(findings.filter { $0.invariant != .quotas && $0.invariant != .deals }.isEmpty, "\(findings)")
        }
    }
}
