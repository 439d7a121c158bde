// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
@testable import PgStore
import TestSupport
import Testing

/// How agencies behaved, where a part of it is not known yet.
struct ConductPaymentsTests {
    private func rows() throws -> [ConductRow] {
        try ([500, 500, 250] as [Int64]).enumerated().map { index, paid in
            ConductRow(
                agency: try #require(AgencyID(Int32(index) + 1)), dealt: 1_000, pulled: 1_000, outcomes: 1_000,
                worked: 1_000, mostOnOne: 1, late: 0, reached: 1_000, reachedAndPaid: paid, returned: 0, evidence: 0,
                clones: 0)
        }
    }

    /// A third of the reached pay: half of it is more than two standard errors away from 33 cases on.
    @Test(arguments: [(9, 3, " 33.3 %?"), (32, 6, " 18.8 %?"), (31, 5, " 16.1 %*"), (33, 6, " 18.2 % "), (0, 0, "- ")])
    func `a figure of too few cases says so, unless it stands out all the same`(
        reached: Int64, paid: Int64, cell: String
    )
        throws
    {
        let shares: [(Int64, Int64)] = [(900, 300), (900, 300), (reached, paid), (900, 300)]
        let rows = try shares.enumerated().map { index, share in
            ConductRow(
                agency: try #require(AgencyID(Int32(index) + 1)), dealt: 1_000, pulled: 1_000, outcomes: 1_000,
                worked: 1_000, mostOnOne: 1, late: 0, reached: share.0, reachedAndPaid: share.1, returned: 0,
                evidence: 0, clones: 0)
        }
        let conduct = AgencyConduct(period: PlannedMonth.march, rows: rows)

        #expect(conduct.lines[3].contains(cell), "\(conduct.lines[3])")
        #expect(conduct.isTooFew(.paying, rows[2]) == cell.hasSuffix("?"))
        #expect(try conduct.json().contains(#""paying""#) == (cell.hasSuffix("?") || cell.hasSuffix("*")))
    }

    @Test func `without payments nobody's debtors are said to pay nothing, and nobody stands out by it`() throws {
        let period = PlannedMonth.march
        let rows = try rows()
        let known = AgencyConduct(period: period, rows: rows)
        let unknown = AgencyConduct(period: period, rows: rows, hasPayments: false)
        let note = "paying: no payment of 2024-03 is loaded yet (dispatcherd import payments)."

        #expect(known.standsOut(.paying, rows[2]) && !unknown.standsOut(.paying, rows[2]))
        #expect(known.lines[3].contains("25.0 %*") && !unknown.lines[3].contains("25.0 %"))
        #expect(!known.lines.contains(note) && unknown.lines.last == note)
        #expect(try known.json().contains("reachedAndPaid") && !unknown.json().contains("reachedAndPaid"))
    }

    @Test func `one payment of the month makes its payments known, one of another month does not`() async throws {
        try await StartedMonth.with(accounts: 60) { month in
            func isKnown() throws -> Bool {
                try !AgencyConduct(month.link, period: PlannedMonth.march).lines.contains {
                    $0.hasPrefix("paying: no payment")
                }
            }
            func pay(_ period: Int) throws {
                try month.link.script(
                    """
                    INSERT INTO payment (period, payment_id, delegation_id, account_id, paid_on, amount, origin, import_id)
                    SELECT \(period), 'P\(period)', 9, 900005, '2024-03-12', 10000, 'borrower', max(import_id) FROM import
                    """)
            }
            #expect(try !isKnown())
            try month.month.openPeriod(PlannedMonth.april)
            try pay(202_404)
            #expect(try !isKnown())
            try pay(202_403)
            #expect(try isKnown())
        }
    }
}
