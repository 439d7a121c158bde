// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A month's delegations divided among links that count at the same time, all on the snapshot of the first.
///
/// Nothing of a statement, an indicator or a scorecard joins rows of two delegations, so each part has temporary tables of its own, and
/// what they give is put together by the caller; what bills of an account that is worked in two of them is asked of all parts first. Which delegation is in which part changes no figure.
package struct MonthParts {
    /// Below so many accounts dealt one link is as quick.
    package static let dividedFrom: Int64 = 100_000
    /// The database counts on as many of its processors; a node's own work goes on beside it.
    package static let standard = 2

    struct Part {
        let link: PgLink
        fileprivate let delegations: Delegations

        fileprivate enum Delegations {
            case all
            case these([Int16])
            /// All but those that other parts have, whatever there is.
            case allBut([Int16])
        }

        /// As a condition on a column of a statement; it is of numbers alone.
        func has(_ column: String) -> String {
            switch delegations {
            case .all: "true"
            case .these(let own): "\(column) = ANY ('{\(Self.list(own))}'::smallint[])"
            case .allBut(let others): "\(column) <> ALL ('{\(Self.list(others))}'::smallint[])"
            }
        }

        private static func list(_ numbers: [Int16]) -> String { numbers.map(String.init).joined(separator: ",") }
    }

    let parts: [Part]

    /// One part, counted over the caller's link.
    package init(_ link: PgLink) { self.init(parts: [Part(link: link, delegations: .all)]) }

    private init(parts: [Part]) { self.parts = parts }

    /// As many parts as `count`, of about as many dealt accounts each; one where the month is small, or no other link is to be had.
    ///
    /// The other links' transactions end with them: they wrote only what is theirs.
    ///
    /// - Precondition: a transaction is open on `link`, on one snapshot.
    package init(_ link: PgLink, period: Period, count: Int, from: Int64 = dividedFrom) throws(PgError) {
        let dealt = try link.run(
            "SELECT delegation_id, sum(size)::bigint FROM hand WHERE period = $1 GROUP BY 1 ORDER BY 2 DESC, 1",
            [.int32(period.number)]
        ).map { (delegation: $0.int16(0), accounts: $0.int64(1)) }
        let count = min(count, dealt.count)
        guard count > 1, dealt.reduce(0, { $0 + $1.accounts }) >= from else {
            self.init(link)
            return
        }
        var shares = Array(repeating: (accounts: Int64(0), delegations: [Int16]()), count: count)
        for (delegation, accounts) in dealt {
            let least = shares.indices.min { shares[$0].accounts < shares[$1].accounts } ?? 0
            shares[least].accounts += accounts
            shares[least].delegations.append(delegation)
        }
        // A month that one link can count is not left open for want of a second connection.
        guard let others = try? Self.others(link, shares.dropFirst().map(\.delegations)) else {
            self.init(link)
            return
        }
        let taken = shares.dropFirst().flatMap(\.delegations)
        self.init(parts: [Part(link: link, delegations: .allBut(taken))] + others)
    }

    /// Links of the caller's name that see what its transaction sees.
    private static func others(_ link: PgLink, _ shares: [[Int16]]) throws(PgError) -> [Part] {
        let row = try link.run("SELECT pg_export_snapshot(), current_setting('application_name')")[0]
        let open = link.opener(row.text(1))
        var parts: [Part] = []
        for delegations in shares {
            let other = try open()
            try other.script("BEGIN ISOLATION LEVEL REPEATABLE READ")
            try other.script("SET TRANSACTION SNAPSHOT '\(row.text(0))'")
            parts.append(Part(link: other, delegations: .these(delegations)))
        }
        return parts
    }

    /// Runs a statement in every part at the same time, and gives the rows of all, those of one part behind those of another.
    @discardableResult
    func run(_ values: [PgValue] = [], _ statement: (Part) -> String) throws(PgError) -> [PgRow] {
        try PgLink.together(parts.map { ($0.link, PgQuery(statement($0), values)) }).flatMap { Array($0) }
    }
}
