// SPDX-License-Identifier: Apache-2.0

/// The accounts of one contract and delegation that are billed for one service, with the outcome behind each.
///
/// `outcomes` holds one number per account, ascending: at most one billed line per account, service and period.
package struct BilledService: Equatable, Sendable {
    package let service: FeeService
    package let outcomes: [Int64]

    package init(service: FeeService, outcomes: [Int64]) {
        self.service = service
        self.outcomes = outcomes
    }
}

/// Prices per service of one version of a fee schedule.
///
/// Source: FEE-11.
package struct FeeTariff: Equatable, Sendable {
    package static let rule = "FEE-11"
    package let version: ScheduleVersion
    private let prices: [FeeService: Cents]

    package init(_ schedule: Schedule) throws(ScheduleError) {
        self.version = schedule.version
        var prices: [FeeService: Cents] = [:]
        for value in schedule.values where value.rule == Self.rule {
            guard let service = FeeService(name: value.parameter) else {
                throw .unknownService(schedule.version, name: value.parameter)
            }
            prices[service] = try schedule.pesos(Self.rule, value.parameter)
        }
        self.prices = prices
    }

    /// One line per service, in the order of the services: accounts × unit price, with the outcomes behind it.
    package func lines(for billed: [BilledService]) throws(ScheduleError) -> [StatementLine] {
        var lines: [StatementLine] = []
        for item in billed.sorted(by: { $0.service < $1.service }) where !item.outcomes.isEmpty {
            guard let price = prices[item.service] else { throw .noPrice(version, item.service) }
            let count = Int64(item.outcomes.count)
            let amount = price.times(count)
            lines.append(
                StatementLine(
                    kind: .fee, rule: Self.rule, schedule: version, subject: item.service.description,
                    clause: "Honorario por servicio: cada cuenta se factura a lo más una vez por servicio y periodo.",
                    base: .count(count, of: "cuentas"), rate: .price(price), amount: amount, facts: [],
                    records: item.outcomes,
                    arithmetic: "\(grouped(count)) cuentas × \(grouped(price)) = \(grouped(amount))"))
        }
        return lines
    }
}
