// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import PgStore

extension TestDatabase {
    /// The same database for a role of its own that owns nothing, with the grants that `docs/operations.md` says and no others.
    ///
    /// - Throws: ``PgError`` where these are not taken.
    package func asService() throws -> TestDatabase {
        let page = try String(contentsOfFile: Checkout.root + "/docs/operations.md", encoding: .utf8)
        let parts = page.split(separator: "```sql\nCREATE ROLE reparto_service ", omittingEmptySubsequences: false)
        guard parts.count == 2, let end = parts[1].firstRange(of: "```") else { throw MissingGrants() }
        var random = SystemRandomNumberGenerator()
        let role = "service_\(String(random.next(), radix: 36))"
        let grants = "CREATE ROLE reparto_service " + parts[1][..<end.lowerBound]
        try link().script(grants.replacing("reparto_service", with: role))
        return TestDatabase(conninfo: conninfo.replacing("user=reparto ", with: "user=\(role) "))
    }

    /// The page has them in one block of SQL.
    package struct MissingGrants: Error {}
}
