// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The contracts of a month with their schedules, once whose each payment is was found: both need each other.
struct MonthParties {
    let contracts: [ClosingStore.Contract]
    let schedules: ScheduleBook

    /// Attributes the month's payments. A contract that is over may have one of an account whose debtor moved, which nobody knew before:
    /// it is one of the month's then.
    ///
    /// - Parameter step: told before payments are looked at.
    /// - Throws: ``CommandFailure`` that names every contract without a schedule.
    init(_ store: ClosingStore, period: Period, step: (String) -> Void = { _ in }) throws {
        let known = try store.contracts()
        let schedules = try ScheduleBook(store, period: period, contracts: known)
        step("payments")
        try store.attributePayments(grace: schedules.grace(of: known, store))
        let payees = try store.payees()
        if payees.isSubset(of: Set(known.map(\.id))) {
            (contracts, self.schedules) = (known, schedules)
        } else {
            contracts = try store.contracts(paid: payees)
            self.schedules = try ScheduleBook(store, period: period, contracts: contracts)
        }
    }
}
