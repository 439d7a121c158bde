// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What a month's statements rest on and no record of the ledger says: the month's cut, and what its contracts say.
package struct GroundStore {
    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// The SHA-256 over a delegation's accounts of the cut, ascending: a line `account days-late overdue due balance` each, amounts in
    /// centavos, with a line break behind it. Ascending by delegation.
    ///
    /// - Parameter delegations: only these; `nil`: all.
    package func cut(_ delegations: [Int16]?) throws(PgError) -> [(delegation: Int16, digest: [UInt8])] {
        try link.run(
            """
            SELECT delegation_id, sha256(convert_to(string_agg(account_id || ' ' || days_late || ' ' || overdue || ' ' || due || ' '
                || balance || E'\\n', '' ORDER BY account_id), 'UTF8'))
            FROM account WHERE period = $1 AND ($2::smallint[] IS NULL OR delegation_id = ANY ($2)) GROUP BY 1 ORDER BY 1
            """, [.int32(period.number), delegations.map(PgValue.int16s) ?? .null]
        ).map { ($0.int16(0), $0.bytes(1)) }
    }

    /// What a contract says in the month.
    package struct Terms: Sendable {
        package let contract: Int32
        package let agency: Int32
        package let agencyName: String
        package let number: String
        package let tender: String
        package let feeSchedule: String
        package let penaltySchedule: String
        package let bond: Cents
        /// Accounts per adviser, ascending by delegation and portfolio.
        package let capacity: [(delegation: Int16, portfolio: Int16, accounts: Int32)]
    }

    /// Ascending by contract.
    ///
    /// - Parameter places: the delegations of each contract's statement.
    package func terms(_ places: [Int32: Set<Int16>]) throws(PgError) -> [Terms] {
        let capacity = Dictionary(
            grouping: try link.run(
                ClosingStatements.capacity, [.int32(period.number), .timestamp(period.advanced(byMonths: 1).begin)]
            )
            .map { (contract: $0.int32(0), delegation: $0.int16(1), portfolio: $0.int16(2), accounts: $0.int32(3)) }
            .filter { places[$0.contract]?.contains($0.delegation) ?? false }, by: \.contract)
        return try link.run(
            """
            SELECT contract_id, agency_id, name, number, tender, fee_schedule, penalty_schedule, bond FROM (\(ClosingStatements.terms(of: "$2"))) c
            WHERE contract_id = ANY ($1::int[]) ORDER BY contract_id
            """, [.int32s(places.keys.sorted()), .int32(period.number)]
        ).map { row in
            Terms(
                contract: row.int32(0), agency: row.int32(1), agencyName: row.text(2), number: row.text(3),
                tender: row.text(4), feeSchedule: row.text(5), penaltySchedule: row.text(6), bond: Cents(row.int64(7)),
                capacity: capacity[row.int32(0), default: []].map { ($0.delegation, $0.portfolio, $0.accounts) })
        }
    }
}
