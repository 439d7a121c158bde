// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

struct ClosingRaceTests {
    /// The mark takes a second to reach the disk, and a report a third of one to commit: so while the mark is under way there
    /// is always a group that began after it and still saw the month open.
    private static let slowCommits = """
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(TG_ARGV[0]::float8); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow_mark AFTER UPDATE ON period DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (new.state = 'closing') EXECUTE FUNCTION slowly('1');
        CREATE TRIGGER slow_report AFTER INSERT ON outcome FOR EACH STATEMENT EXECUTE FUNCTION slowly('0.3');
        INSERT INTO schedule VALUES
            ('f', 'fee', '2024-01-01', 'FEE-11', 'administrative.phone', '10'),
            ('p', 'penalty', '2024-01-01', 'IVA', 'rate', '16');
        """

    @Test(.timeLimit(.minutes(2)))
    func `a report that was answered OK while its month closes is in the statement`() async throws {
        try await DealtMonth.with(.init(agencies: 3, handSize: 300)) { month in
            try month.database.link().script(Self.slowCommits)
            let acknowledged = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for agency in 1...3 {
                    let agent = try await month.connect(agency)
                    let accounts = try await agent.lease(DealtMonth.lease(1, max: 300)).leasedAccounts
                    // The close begins when every agency is at work.
                    let first = try await agent.report(DealtMonth.report(2, accounts[0]))
                    group.addTask { try await Self.reportUntilClosed(agent, accounts, after: first) }
                }
                group.addTask {
                    let closing = MonthClosing(try month.database.link(), period: ClosingFixture.period)
                    #expect(try closing.close(beforeItsEnd: true).result == .closed)
                    return []
                }
                return try await group.reduce(into: [Int64]()) { $0 += $1 }
            }
            let stated = try month.database.link().run(
                "SELECT jsonb_path_query(body::jsonb, '$.sections[*].lines[*].records[*]')::bigint FROM statement"
            ).map { $0.int64(0) }

            #expect(acknowledged.count > 3)
            #expect(Set(acknowledged).subtracting(stated) == [])
        }
    }

    /// The close has the month's row until it commits.
    @Test(.timeLimit(.minutes(1))) func `a month that is closed meanwhile is not given back, and told as closed`()
        async throws
    {
        try await TestDatabase.with { database in
            let close = try database.link()
            try ClosingFixture.make(close, seed: 5)
            try close.script("UPDATE period SET state = 'closing' WHERE period = 202403")
            try close.script("BEGIN; UPDATE period SET state = 'closed', closed_at = now() WHERE period = 202403")
            async let told = onThread {
                let link = try database.link()
                return ClosingStageSite.found { try MonthClosing(link, period: ClosingFixture.period).giveBack() }
            }
            let watch = try database.link()
            let waiting =
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            while try watch.run(waiting).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try close.script("COMMIT")

            #expect(try await told == "2024-03 is closed, not closing, so there is nothing to give back")
        }
    }

    /// One report per account, each billed by itself.
    ///
    /// - Returns: the outcomes that were answered with OK.
    private static func reportUntilClosed(
        _ agent: AgentConnection, _ accounts: [LeasedAccount], after first: ClientReply
    ) async throws -> [Int64] {
        var acknowledged: [Int64] = []
        var reply = first
        var next = 1
        while reply.isOK, next < accounts.count {
            acknowledged.append(try #require(reply.fields.number("outcome")))
            reply = try await agent.report(DealtMonth.report(Int64(next) + 2, accounts[next]))
            next += 1
        }
        #expect(reply.code == .periodClosed)
        return acknowledged
    }
}
