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

/// What one version of a fee schedule pays: prices per service, and scales by band of arrears.
///
/// Source: FEE-11; FEE-01…05, FEE-10; AGY-15.
package struct FeeTariff: Equatable, Sendable {
    package static let rule = "FEE-11"
    package let version: ScheduleVersion
    private let prices: [FeeService: Cents]
    /// Empty where the contract pays no contingency.
    package let scales: [MoraBand: ContingencyScale]
    /// How it reads what is open about them.
    package let reading: ContingencyReading
    /// Whose payments count for the scales.
    package let origins: Set<PaymentOrigin>
    /// Days after a return in which a payment still counts for who had the account (GAP-late-payment).
    package let graceDays: Int
    /// All that the contract may be paid over its time, before IVA (AGY-15); `nil` without a limit.
    package let budget: Cents?

    package init(_ schedule: Schedule) throws(ScheduleError) {
        self.version = schedule.version
        var scales: [MoraBand: ContingencyScale] = [:]
        for band in MoraBand.allCases where schedule.names(band.rawValue) {
            scales[band] = try ContingencyScale(schedule, band)
        }
        self.scales = scales
        reading = try ContingencyReading(schedule)
        origins = try Self.origins(schedule)
        graceDays = schedule.names(Self.graceRule) ? try schedule.count(Self.graceRule, "days") : 0
        budget = schedule.names(Self.budgetRule) ? try schedule.pesos(Self.budgetRule, "budget") : nil
        var prices: [FeeService: Cents] = [:]
        for value in schedule.values where value.rule == Self.rule {
            guard let service = FeeService(name: value.parameter) else {
                throw .unknownService(schedule.version, name: value.parameter)
            }
            prices[service] = try schedule.pesos(Self.rule, value.parameter)
        }
        self.prices = prices
    }

    package static let originsRule = "FEE-10"
    package static let graceRule = "GAP-late-payment"
    package static let budgetRule = "AGY-15"

    /// `FEE-10 origin.employer yes`; borrowers' own where none is named.
    private static func origins(_ schedule: Schedule) throws(ScheduleError) -> Set<PaymentOrigin> {
        var origins: Set<PaymentOrigin> = []
        for value in schedule.values where value.rule == originsRule {
            guard let origin = origin(value.parameter), value.value == "yes" || value.value == "no" else {
                throw .badValue(
                    schedule.version, rule: originsRule, parameter: value.parameter, value: value.value,
                    expected: "yes or no of origin.borrower, origin.employer, origin.fpp or origin.subaccount")
            }
            if value.value == "yes" { origins.insert(origin) }
        }
        return schedule.names(originsRule) ? origins : [.borrower]
    }

    static func origin(_ parameter: String) -> PaymentOrigin? {
        parameter.hasPrefix("origin.") ? PaymentOrigin(rawValue: String(parameter.dropFirst(7))) : nil
    }

    /// One line per service, in the order of the services: accounts × unit price, with the outcomes behind it; then one per band.
    package func lines(
        for billed: [BilledService], bands: [BandRecovery] = []
    ) throws(ScheduleError) -> [StatementLine] {
        var lines: [StatementLine] = []
        for item in billed.sorted(by: { $0.service < $1.service }) where !item.outcomes.isEmpty {
            guard let price = prices[item.service] else { throw .noPrice(version, item.service) }
            let count = Int64(item.outcomes.count)
            let amount = price.times(count)
            lines.append(
                StatementLine(
                    kind: .fee, rule: Self.rule, schedule: version, subject: item.service.description,
                    clause: "Honorario por servicio: cada cuenta se factura a lo más una vez por servicio y periodo.",
                    base: .count(count, of: count == 1 ? "cuenta" : "cuentas"), rate: .price(price), amount: amount,
                    facts: [],
                    records: item.outcomes,
                    arithmetic: StatementNote(
                        spanish: "\(counted(count, "cuenta", "cuentas")) × \(grouped(price)) = \(grouped(amount))",
                        english: "\(counted(count, "account", "accounts")) × \(grouped(price)) = \(grouped(amount))")))
        }
        guard !scales.isEmpty else { return lines }
        for recovery in bands.sorted(by: { $0.band < $1.band }) {
            guard let scale = scales[recovery.band] else {
                throw .missingValue(version, rule: recovery.band.rawValue, parameter: ContingencyScale.minimumName)
            }
            if let line = scale.line(recovery, version, reading) { lines.append(line) }
        }
        return lines
    }

    /// The bands against their minimums, ascending.
    func goals(_ bands: [BandRecovery], in period: Period) -> [BandGoal] {
        bands.sorted { $0.band < $1.band }.compactMap { recovery in
            scales[recovery.band].map { scale in
                BandGoal(
                    period: period, band: recovery.band, assigned: recovery.assigned, recovered: recovery.recovered,
                    minimum: scale.minimum, fraction: reading.fraction)
            }
        }
    }

    /// What of a month's fees is not billed because the contract's budget is used up: a hard stop (AGY-15). `nil` where it suffices.
    ///
    /// - Parameter givenBack: contingency of earlier statements that this one gives back: the budget has it again.
    func cutLine(fees: Cents, givenBack: Cents = .zero, before: Cents) -> StatementLine? {
        guard let budget else { return nil }
        let left = max(budget - before, .zero) + givenBack
        guard fees > left else { return nil }
        let amount = fees - left
        let (spanish, english) =
            givenBack > .zero ? (" + \(grouped(givenBack)) devueltos", " + \(grouped(givenBack)) given back") : ("", "")
        return StatementLine(
            kind: .feeCut, rule: Self.budgetRule, schedule: version, subject: "",
            clause: "Presupuesto del contrato: lo que lo excede no se factura.", base: .amount(fees),
            rate: .price(budget),
            amount: amount, facts: [], records: [],
            arithmetic: StatementNote(
                spanish:
                    "presupuesto \(grouped(budget)) − \(grouped(before)) facturado antes\(spanish) = \(grouped(left)); "
                    + "no se facturan \(grouped(amount)) de \(grouped(fees))",
                english: "budget \(grouped(budget)) − \(grouped(before)) billed before\(english) = \(grouped(left)); "
                    + "\(grouped(amount)) of \(grouped(fees)) are not billed"))
    }
}
