// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What orders keep from agencies at one instant: from some all work, from others a strategy or one band of it (AGY-16,
/// ASG-06, SUS-01).
package struct OrdersInForce: Sendable {
    /// `hold` or `terminated`, by agency; whoever is not in here is active.
    package let stopped: [AgencyID: String]
    package let suspensions: Set<SuspensionRow>

    package init(stopped: [AgencyID: String], suspensions: Set<SuspensionRow>) {
        self.stopped = stopped
        self.suspensions = suspensions
    }

    /// Whether the agency is given nothing new of the strategy as a whole. A single band is kept from it account by account.
    package func stops(_ agency: AgencyID, _ strategy: Strategy) -> Bool {
        stopped[agency] != nil
            || suspensions.contains(SuspensionRow(agency: agency, strategy: strategy, band: ""))
    }

    /// Agencies that were still active in `earlier`, by number.
    package func stopped(since earlier: OrdersInForce) -> [AgencyID] {
        stopped.keys.filter { earlier.stopped[$0] == nil }.sorted()
    }

    /// Suspensions that were not in force in `earlier`, by agency, strategy and band.
    package func suspensions(since earlier: OrdersInForce) -> [SuspensionRow] {
        suspensions.subtracting(earlier.suspensions).sorted {
            ($0.agency, $0.strategy.rawValue, $0.band) < ($1.agency, $1.strategy.rawValue, $1.band)
        }
    }
}

extension PgLink {
    /// What is in force as of now; an order may come the moment after.
    package func readOrders() throws(PgError) -> OrdersInForce {
        try orders("SELECT agency_id, status FROM agency ORDER BY agency_id")
    }

    /// What is in force until the transaction ends. Whoever opens hands asks here first: an order that came before is seen, and
    /// one that comes later waits, and then finds the hands open and closes them.
    ///
    /// - Locks: every agency, shared, ascending, until the transaction ends. Periods before them; hands and quotas after them, as
    ///   an order does.
    package func lockOrders() throws(PgError) -> OrdersInForce {
        try orders("SELECT agency_id, status FROM agency ORDER BY agency_id FOR SHARE")
    }

    private func orders(_ agencies: String) throws(PgError) -> OrdersInForce {
        var stopped: [AgencyID: String] = [:]
        for row in try run(agencies) where row.text(1) != "active" {
            if let agency = AgencyID(row.int32(0)) { stopped[agency] = row.text(1) }
        }
        // In a statement behind the locks: suspensions are put in force under their agency's.
        return OrdersInForce(stopped: stopped, suspensions: try readSuspensions())
    }
}
