// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What contracts say from which month on (AGY-04). The tables that everything else reads have the latest; a close takes those of its own
/// month, so that an import of later terms changes no month of before.
struct ContractTerms {
    private let link: PgLink
    /// From which on the terms of the file hold.
    private let period: Period

    init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// Since ever: what a contract said that was there before anything of it was kept.
    private static let ever: Int32 = 1900_01

    private static let columns =
        "number, tender, starts_on, ends_on, bond, fee_schedule, penalty_schedule, rule_packs, spent_on"

    /// Of each row `r` of the file the day on which the budget of its schedule ended the contract (AGY-15), `NULL` where none did: by what
    /// the contract says now and by what it said in any month. What starts behind that day is a renewal, which it did not end.
    static let spent = """
        LEFT JOIN LATERAL (
            SELECT min(known.spent_on) AS spent_on
            FROM (SELECT contract_id, fee_schedule, spent_on FROM contract_term
                UNION ALL SELECT contract_id, fee_schedule, spent_on FROM contract) known
            WHERE known.contract_id = r.contract_id AND known.fee_schedule = r.fee_schedule
                AND known.spent_on >= r.starts_on) spent ON true
        """

    /// The file's contracts, a row each. One whose budget is used up stays ended, whatever last day the file has (AGY-15).
    private static let contracts = """
        (SELECT DISTINCT ON (r.contract_id) r.contract_id, r.number, r.tender, r.starts_on,
            least(r.ends_on, spent.spent_on) AS ends_on, r.bond, r.fee_schedule, r.penalty_schedule,
            string_to_array(r.rule_packs, ';') AS rule_packs, spent.spent_on
         FROM import_row r \(spent) ORDER BY r.contract_id, r.line)
        """

    /// The file's capacities, a row per portfolio.
    static let capacity = """
        (SELECT contract_id, delegation_id, 1::smallint AS portfolio, telephone_advisers AS advisers,
            accounts_per_telephone_adviser AS accounts FROM import_row
         UNION ALL
         SELECT contract_id, delegation_id, 2::smallint, home_visit_advisers, accounts_per_home_visit_adviser FROM import_row)
        """

    /// Keeps what is there, of the file's contracts and agencies of which nothing is kept yet. Before it is overwritten.
    func keepFormer() throws(PgError) {
        try link.run(
            """
            INSERT INTO contract_term (contract_id, period, \(Self.columns))
            SELECT contract_id, $1, \(Self.columns) FROM contract c
            WHERE contract_id IN (SELECT contract_id FROM import_row)
                AND NOT EXISTS (SELECT FROM contract_term t WHERE t.contract_id = c.contract_id)
            """, [.int32(Self.ever)])
        try link.run(
            """
            INSERT INTO capacity_term (contract_id, delegation_id, portfolio, period, committed_advisers, accounts_per_adviser)
            SELECT contract_id, delegation_id, portfolio, $1, committed_advisers, accounts_per_adviser FROM contract_capacity c
            WHERE contract_id IN (SELECT contract_id FROM import_row)
                AND NOT EXISTS (SELECT FROM capacity_term t WHERE (t.contract_id, t.delegation_id, t.portfolio)
                                                                = (c.contract_id, c.delegation_id, c.portfolio))
            """, [.int32(Self.ever)])
        try link.run(
            """
            INSERT INTO agency_term (agency_id, period, name)
            SELECT agency_id, $1, name FROM agency a
            WHERE agency_id IN (SELECT agency_id FROM import_row)
                AND NOT EXISTS (SELECT FROM agency_term t WHERE t.agency_id = a.agency_id)
            """, [.int32(Self.ever)])
    }

    /// Keeps what the file says, from its month on, where it differs from what held in that month.
    func keep() throws(PgError) {
        let of = { (table: String) in
            Self.columns.split(separator: ", ").map { "\(table).\($0)" }.joined(separator: ", ")
        }
        try link.run(
            """
            INSERT INTO contract_term (contract_id, period, \(Self.columns))
            SELECT s.contract_id, $1, \(of("s")) FROM \(Self.contracts) s
            LEFT JOIN LATERAL (SELECT * FROM contract_term t WHERE t.contract_id = s.contract_id AND t.period <= $1
                ORDER BY t.period DESC LIMIT 1) t ON true
            WHERE (\(of("s"))) IS DISTINCT FROM (\(of("t")))
            ON CONFLICT (contract_id, period) DO UPDATE SET
                number = excluded.number, tender = excluded.tender, starts_on = excluded.starts_on,
                ends_on = excluded.ends_on, bond = excluded.bond, fee_schedule = excluded.fee_schedule,
                penalty_schedule = excluded.penalty_schedule, rule_packs = excluded.rule_packs,
                spent_on = excluded.spent_on
            """, [.int32(period.number)])
        try link.run(
            """
            INSERT INTO capacity_term (contract_id, delegation_id, portfolio, period, committed_advisers, accounts_per_adviser)
            SELECT s.contract_id, s.delegation_id, s.portfolio, $1, s.advisers, s.accounts FROM \(Self.capacity) s
            LEFT JOIN LATERAL (SELECT * FROM capacity_term t WHERE (t.contract_id, t.delegation_id, t.portfolio)
                    = (s.contract_id, s.delegation_id, s.portfolio) AND t.period <= $1
                ORDER BY t.period DESC LIMIT 1) t ON true
            WHERE (s.advisers, s.accounts) IS DISTINCT FROM (t.committed_advisers, t.accounts_per_adviser)
            ON CONFLICT (contract_id, delegation_id, portfolio, period) DO UPDATE SET
                committed_advisers = excluded.committed_advisers, accounts_per_adviser = excluded.accounts_per_adviser
            """, [.int32(period.number)])
        try link.run(
            """
            INSERT INTO agency_term (agency_id, period, name)
            SELECT DISTINCT s.agency_id, $1::int, s.agency_name FROM import_row s
            LEFT JOIN LATERAL (SELECT * FROM agency_term t WHERE t.agency_id = s.agency_id AND t.period <= $1
                ORDER BY t.period DESC LIMIT 1) t ON true
            WHERE s.agency_name IS DISTINCT FROM t.name
            ON CONFLICT (agency_id, period) DO UPDATE SET name = excluded.name
            """, [.int32(period.number)])
    }
}
