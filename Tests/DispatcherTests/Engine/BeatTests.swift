// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// A node says that it is alive, whatever else it is at.
struct BeatTests {
    /// The announcement of a file takes a minute: longer than nodes may be silent before that counts as an outage.
    @Test(.timeLimit(.minutes(1)))
    func `a node beats on while a statement of its upkeep takes long, and books no outage by it`() async throws {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            try link.script(
                """
                UPDATE clock SET virtual_now = NULL, latest_beat = clock_timestamp();
                CREATE TABLE brake ();
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF EXISTS (SELECT FROM brake) THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$;
                INSERT INTO brake DEFAULT VALUES;
                CREATE TRIGGER slow BEFORE INSERT ON announced_import FOR EACH STATEMENT EXECUTE FUNCTION slow();
                INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
                VALUES ('payments', 202403, 'payments.csv', '', 0, 0, now_instant())
                """)
            var pace = DealtMonth.quickPace
            pace.beat = .milliseconds(20)
            let node = try await DealtMonth.startNode(month.database, pace)
            let asleep = """
                SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name LIKE 'reparto-upkeep%' AND wait_event = 'PgSleep'
                """
            try await until { try month.number(asleep) > 0 }
            let before = try month.number("SELECT beats FROM clock")
            try await until { try month.number("SELECT beats FROM clock") > before + 5 }
            #expect(try month.number(asleep) > 0)
            #expect(try month.number("SELECT outage_us FROM clock") == 0)

            try link.script("DELETE FROM brake")
            try link.script(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event = 'PgSleep'
                """)
            await node.stop()
        }
    }
}
