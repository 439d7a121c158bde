// SPDX-License-Identifier: Apache-2.0

import PgStore
import TestSupport
import Testing

/// A role with the grants of `docs/operations.md` makes partitions by the owner's functions, and changes the schema in no other way.
/// `RealMonth` plays a whole month as such a role.
struct ServiceRoleTests {
    @Test(arguments: [
        "CREATE TABLE other (n integer)", "DROP TABLE block", "ALTER TABLE block ADD COLUMN n integer",
        "TRUNCATE block",
        "CREATE TABLE outcome_202403 PARTITION OF outcome FOR VALUES IN (202403)",
        "INSERT INTO migration (number) VALUES (1000)", "DELETE FROM dump_witness",
        "CREATE FUNCTION other() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ])
    func `the role of the service has no right on the schema`(statement: String) async throws {
        try await TestDatabase.with { database in
            let link = try database.asService().link()
            let error = #expect(throws: PgError.self) { try link.script(statement) }
            #expect(error?.code == "42501")
        }
    }

    @Test
    func
        `partitions are the owner's, of the tables of months alone, and what shares their names is not taken for them`()
        async throws
    {
        try await TestDatabase.with { database in
            let (owner, link) = (try database.link(), try database.asService().link())
            try link.script("CREATE TEMP TABLE account (n integer); CREATE TEMP TABLE outcome (n integer)")
            try link.script(
                """
                SELECT start_partition('account', 202403); SELECT index_partition('account', 202403);
                SELECT swap_partition('account', 202403); SELECT make_outcomes(202403); SELECT make_outcomes(202403)
                """)
            let parts = try owner.run(
                """
                SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE c.relkind = 'r' ORDER BY 1
                """)
            #expect(
                parts.map { [$0.text(0), $0.text(1)] } == [
                    ["account_202403", "reparto"], ["outcome_202403", "reparto"],
                ])
            for call in ["start_partition('block', 1)", "index_partition('hand', 1)", "swap_partition('block', 1)"] {
                let error = #expect(throws: PgError.self, "\(call)") { try link.script("SELECT \(call)") }
                #expect(error?.code == "P0001")
            }
        }
    }

    @Test func `whoever was granted nothing makes no partition`() async throws {
        try await TestDatabase.with { database in
            let service = try database.asService()
            let role = try #require(service.conninfo.firstMatch(of: /user=([a-z0-9_]+)/)?.1)
            try database.link().script("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM \(role)")
            for call in [
                "start_partition('account', 1)", "index_partition('account', 1)", "swap_partition('account', 1)",
                "empty_placements(1)", "make_outcomes(1)",
            ] {
                let error = #expect(throws: PgError.self, "\(call)") { try service.link().script("SELECT \(call)") }
                #expect(error?.code == "42501")
            }
        }
    }
}
