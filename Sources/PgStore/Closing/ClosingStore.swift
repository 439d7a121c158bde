// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What one section of a statement is about: a contract in a delegation.
package struct StatementPlace: Hashable, Sendable {
    package let contract: Int32
    package let delegation: Int16

    package init(contract: Int32, delegation: Int16) {
        self.contract = contract
        self.delegation = delegation
    }
}

/// Reads a month for its close. Made inside the closing transaction: what it counts goes to temporary tables first.
package struct ClosingStore {
    private let link: PgLink
    private let period: Period
    /// What counts the month; whoever reads the same temporary tables does so through them.
    package let parts: MonthParts

    /// Counts the month's outcomes, fees, deals and payments.
    ///
    /// - Parameter parts: links that count at the same time; `nil`: `link` alone.
    /// - Precondition: a transaction is open, on one snapshot.
    package init(
        _ link: PgLink, period: Period, parts: MonthParts? = nil, step: (String) -> Void
    ) throws(PgError) {
        self.link = link
        self.period = period
        self.parts = parts ?? MonthParts(link)
        // Memory for the one big grouping; given back at the end of the transaction.
        try self.parts.run { _ in "SET LOCAL work_mem = '96MB'" }
        step("outcomes")
        try self.parts.run(
            [
                .int32(period.number), .texts(ReviewClass.allResults.map(\.rawValue)),
                .text(FeeService.agreementResult.rawValue), .texts(OutcomeChannel.allCases.map(\.rawValue)),
                .int16s(OutcomeChannel.allCases.map(\.kind.number)), .texts(ReviewClass.acceptedMarks),
                .texts(FeeService.notHeld.map(\.rawValue)),
            ], ClosingStatements.work)
        try self.parts.run { _ in "ANALYZE close_work" }
        try self.parts.run(
            [.int32(period.number), .texts(ReviewClass.allResults.map(\.rawValue))], ClosingStatements.judged)
        step("fees")
        try bill()
        step("deals")
        try self.parts.run([.int32(period.number), .timestamp(nextMonth)], ClosingStatements.superseded)
        try self.parts.run([.timestamp(nextMonth)]) { _ in ClosingStatements.unlocatable }
    }

    /// Finds what each account bills. What is worked in two delegations, maybe of two parts, bills in that of its first valid outcome.
    private func bill() throws(PgError) {
        let away = Set(try parts.run([.int32(period.number)]) { _ in ClosingStatements.away }.map { $0.int64(0) })
        let moved = away.isEmpty ? [] : try parts.run([.int64s(away.sorted())]) { _ in ClosingStatements.billableOf }
        let values: [PgValue] =
            moved.isEmpty
            ? []
            : [
                .int16s(moved.map { $0.int16(0) }), .int64s(moved.map { $0.int64(1) }),
                .int16s(moved.map { $0.int16(2) }), .int16s(moved.map { $0.int16(3) }),
                .int64s(moved.map { $0.int64(4) }),
            ]
        try parts.run(values) { _ in ClosingStatements.fees(knowsMoved: !moved.isEmpty) }
    }

    /// Finds whose each payment is. Before anything is asked about payments.
    ///
    /// - Parameter grace: days after a return; none for contracts and periods that are left out.
    package func attributePayments(grace: [Grace]) throws(PgError) {
        let values: [PgValue] = [
            .int32(period.number), .int32s(grace.map(\.contract)), .int32s(grace.map { Int32(clamping: $0.days) }),
            .int32s(grace.map(\.period.number)),
        ]
        try parts.run(values, ClosingStatements.payments)
        try parts.run { _ in "ANALYZE close_payment" }
        let moved = try parts.run(values) { _ in ClosingStatements.movedPayments }
        guard !moved.isEmpty else { return }
        try parts.run([.texts(moved.map { $0.text(2) })]) { _ in ClosingStatements.withoutPayments }
        try parts.run(
            [
                .int16s(moved.map { $0.int16(0) }), .int64s(moved.map { $0.int64(1) }),
                .texts(moved.map { $0.text(2) }),
                .texts(moved.map { $0.text(3) }), .int64s(moved.map { $0.int64(4) }),
                .texts(moved.map { $0.bool(5) ? "t" : "f" }),
                .int32s(moved.map { $0.int32(6) }), .int16s(moved.map { $0.int16(7) }),
                .int32s(moved.map { $0.int32(8) }),
                .int32s(moved.map { $0.int32(9) }),
            ], ClosingStatements.put)
    }

    /// The contracts that payments were attributed to.
    package func payees() throws(PgError) -> Set<Int32> {
        Set(try parts.run { _ in ClosingStatements.payees }.map { $0.int32(0) })
    }

    /// In how many days after a return a payment still counts for a contract (GAP-late-payment).
    package struct Grace: Equatable, Sendable {
        package let contract: Int32
        /// Of the feed with the payment.
        package let period: Period
        package let days: Int

        package init(contract: Int32, period: Period, days: Int) {
            self.contract = contract
            self.period = period
            self.days = days
        }
    }

    /// The earlier months of whose feeds this one takes payments back, ascending.
    package func reversedPeriods() throws(PgError) -> [Period] {
        try link.run(ClosingStatements.reversedPeriods, [.int32(period.number)])
            .compactMap { Period(number: $0.int32(0)) }
    }

    /// The fee schedule of every contract as agreed for a month, ascending by contract.
    package func feeSchedules(_ period: Period) throws(PgError) -> [(contract: Int32, schedule: String)] {
        try link.run(ClosingStatements.feeSchedules, [.int32(period.number)]).map { ($0.int32(0), $0.text(1)) }
    }

    /// What was assigned and recovered by band, of contracts that pay so.
    ///
    /// - Parameter origins: of the payments that count, by contract.
    package func bands(
        origins: [Int32: Set<PaymentOrigin>]
    ) throws(PgError) -> [(place: StatementPlace, recovery: BandRecovery)] {
        guard !origins.isEmpty else { return [] }
        let contracts = origins.keys.sorted()
        return try parts.run(
            [
                .int32(period.number), .timestamp(nextMonth), .int32s(contracts),
                .texts(contracts.map { origins[$0, default: []].map(\.rawValue).sorted().joined(separator: ",") }),
                .int32s(MoraBand.allCases.map(\.days.first)), .timestamp(begin),
            ], ClosingStatements.bands
        ).compactMap { row in
            MoraBand(daysLate: row.int32(2)).map { band in
                (
                    StatementPlace(contract: row.int32(0), delegation: row.int16(1)),
                    BandRecovery(
                        band: band, assigned: Cents(row.int64(3)), recovered: Cents(row.int64(4)),
                        paid: Cents(row.int64(6)), payments: row.texts(5))
                )
            }
        }
    }

    /// Contingency of kept statements that this month's reversals take back. What of it that month's budget had cut is counted once, from the
    /// first delegation and band on.
    package func givenBack() throws(PgError) -> [(place: StatementPlace, back: BandReversal)] {
        var given = try reversals()
        for row in try link.run(ClosingStatements.cutBefore, [.int32(period.number)]) {
            var cut = Cents(row.int64(2))
            for index in given.indices
            where given[index].place.contract == row.int32(0) && given[index].back.month.number == row.int32(1) {
                given[index].back.unpaid = min(cut, given[index].back.fee)
                cut = cut - given[index].back.unpaid
            }
        }
        return given
    }

    private func reversals() throws(PgError) -> [(place: StatementPlace, back: BandReversal)] {
        try link.run(ClosingStatements.givenBack, [.int32(period.number)]).compactMap { row in
            guard let band = MoraBand(rawValue: row.text(2)), let month = Period(number: row.int32(3)),
                let rate = BasisPoints(percent: row.text(4)), let schedule = ScheduleVersion(text: row.text(8)),
                let base = ContingencyReading.Base(rawValue: row.text(9))
            else { return nil }
            return (
                StatementPlace(contract: row.int32(0), delegation: row.int16(1)),
                BandReversal(
                    band: band, month: month, schedule: schedule, base: base, rate: rate, amount: Cents(row.int64(5)),
                    paid: Cents(row.int64(7)),
                    payments: row.texts(6))
            )
        }
    }

    package func approvedAdjustments() throws(PgError) -> [StageStore.AdjustmentRow] {
        try StageStore(link).adjustments(period).filter { $0.decision == "approved" }
    }

    /// What earlier statements billed, by contract, before IVA.
    package func spent() throws(PgError) -> [Int32: Cents] {
        Dictionary(
            try link.run(ClosingStatements.spent, [.int32(period.number)]).map { ($0.int32(0), Cents($0.int64(1))) },
            uniquingKeysWith: { $1 })
    }

    private var begin: Timestamp { period.begin }
    private var nextMonth: Timestamp { period.advanced(byMonths: 1).begin }

    // MARK: - Contracts and what they agreed to

    package struct Contract: Sendable {
        package let id: Int32
        package let agency: Int32
        package let agencyName: String
        package let number: String
        package let tender: String
        package let feeSchedule: String
        package let penaltySchedule: String
        package let bond: Cents
        /// It is over, and is there only where a payment of the month turns out to be its own.
        package let isOnlyPaid: Bool
    }

    /// The contracts in force in the period, by the terms of the period, and any other that worked in it, is credited or debited in
    /// it, or once leased an account on which the month's feed has a payment; ascending.
    ///
    /// - Parameter paid: besides them these. A debtor who moved pays by rows of another delegation than that of the lease, so that whose
    ///   the payment is is known only once it was attributed (``payees()``).
    package func contracts(paid: Set<Int32> = []) throws(PgError) -> [Contract] {
        let workers = Set(try parts.run { _ in ClosingStatements.workers }.map { $0.int32(0) })
        return try link.run(
            ClosingStatements.contracts,
            [
                .date(period.firstDay), .date(period.lastDay), .int32(period.number), .int32s(workers.sorted()),
                .timestamp(nextMonth), .int32s(paid.sorted()),
            ]
        ).map { row in
            Contract(
                id: row.int32(0), agency: row.int32(1), agencyName: row.text(2), number: row.text(3),
                tender: row.text(4), feeSchedule: row.text(5), penaltySchedule: row.text(6),
                bond: Cents(row.int64(7)), isOnlyPaid: row.bool(8))
        }
    }

    /// Accounts per adviser, by portfolio, as agreed for the period.
    package func capacity() throws(PgError) -> [(place: StatementPlace, portfolio: Int16, accountsPerAdviser: Int32)] {
        try link.run(ClosingStatements.capacity, [.int32(period.number), .timestamp(nextMonth)]).map { row in
            (StatementPlace(contract: row.int32(0), delegation: row.int16(1)), row.int16(2), row.int32(3))
        }
    }

    /// See ``PgLink/readSchedules(_:)``.
    package func schedules(_ kind: String) throws(PgError) -> [String: [Schedule]] { try link.readSchedules(kind) }

    // MARK: - What happened

    package func dealt() throws(PgError) -> [(place: StatementPlace, portfolio: Int16, accounts: Int64)] {
        try parts.run([.int32(period.number), .timestamp(nextMonth)], ClosingStatements.dealt).map { row in
            (StatementPlace(contract: row.int32(0), delegation: row.int16(1)), row.int16(2), row.int64(3))
        }
    }

    package struct Endings: Sendable {
        package let place: StatementPlace
        package let portfolio: Int16
        /// `return`, `withdrawal`, `recall`, `exclusion`, or `unlocatable`: returns of those that a review confirmed, which are in `return`
        /// as well.
        package let kind: String
        package let reason: String
        package let count: Int64
    }

    package func endings() throws(PgError) -> [Endings] {
        try parts.run([.int32(period.number), .timestamp(nextMonth)], ClosingStatements.endings).map { row in
            Endings(
                place: StatementPlace(contract: row.int32(0), delegation: row.int16(1)), portfolio: row.int16(2),
                kind: row.text(3), reason: row.text(4), count: row.int64(5))
        }
    }

    package func pulled() throws(PgError) -> [(place: StatementPlace, accounts: Int64)] {
        try parts.run([.int32(period.number), .timestamp(nextMonth)], ClosingStatements.pulled).map { row in
            (StatementPlace(contract: row.int32(0), delegation: row.int16(1)), row.int64(2))
        }
    }

    package struct Work: Sendable {
        package let place: StatementPlace
        package let outcomes: Int64
        package let valid: Int64
        package let pending: Int64
        package let reached: Reached
    }

    /// Accounts by what valid outcomes say of them.
    package struct Reached: Sendable {
        package let worked: Int64
        package let contacted: Int64
        package let promises: Int64
        package let agreements: Int64
    }

    package func worked() throws(PgError) -> [Work] {
        try parts.run { _ in ClosingStatements.worked }.map { row in
            Work(
                place: StatementPlace(contract: row.int32(0), delegation: row.int16(1)), outcomes: row.int64(2),
                valid: row.int64(3), pending: row.int64(4), reached: Reached(row, from: 5))
        }
    }

    package func workedByTactic() throws(PgError) -> [(place: StatementPlace, tactic: String, reached: Reached)] {
        try parts.run { _ in ClosingStatements.workedByTactic }.map { row in
            (StatementPlace(contract: row.int32(0), delegation: row.int16(1)), row.text(2), Reached(row, from: 3))
        }
    }

    package func billed(of contract: Int32) throws(PgError) -> [(delegation: Int16, BilledService)] {
        try parts.run([.int32(contract)]) { _ in ClosingStatements.feesOfContract }.compactMap { row in
            guard let strategy = Strategy(rawValue: row.int16(1)), let kind = FeeService.Kind(number: row.int16(2))
            else { return nil }
            return (row.int16(0), BilledService(service: FeeService(strategy, kind), outcomes: row.int64s(3)))
        }
    }

    package func reviews(_ reviewClass: ReviewClass) throws(PgError) -> [(place: StatementPlace, count: ReviewCount)] {
        try parts.run([.texts(reviewClass.penalised.map(\.rawValue))]) { _ in ClosingStatements.reviews }.map { row in
            (
                StatementPlace(contract: row.int32(0), delegation: row.int16(1)),
                ReviewCount(reviewClass, approved: row.int64(2), rejected: row.int64s(4), pending: row.int64(3))
            )
        }
    }

    package func recovered() throws(PgError) -> [(place: StatementPlace, all: Int64, fromBorrowers: Int64)] {
        try parts.run { _ in ClosingStatements.recovered }.map { row in
            (StatementPlace(contract: row.int32(0), delegation: row.int16(1)), row.int64(2), row.int64(3))
        }
    }

    package struct Fact: Sendable {
        package let id: String
        package let kind: String
        package let place: StatementPlace
        package let portfolio: Int16?
        package let subject: String?
        package let value: String
        package let minimum: String?
        package let weight: String?
        /// Of a goal that changed after the plan was frozen, or took another's place: why, and the minimum and weight of before.
        package let change: (reason: String, formerMinimum: String?, formerWeight: String?)?
        /// The day it was so; of a commitment that nobody judged yet, the day it is due.
        package let on: LocalDate
    }

    /// The facts that stand, by contract, delegation, date and when they were loaded, with the commitments of any month that are due by the end of this one
    /// and were not judged by then.
    package func facts() throws(PgError) -> [Fact] {
        try link.run(ClosingStatements.facts, [.int32(period.number), .date(period.lastDay)]).map { row in
            Fact(
                id: row.text(0), kind: row.text(1),
                place: StatementPlace(contract: row.int32(2), delegation: row.int16(3)),
                portfolio: row.optionalInt16(4),
                subject: row.optionalText(5), value: row.text(6), minimum: row.optionalText(7),
                weight: row.optionalText(8),
                change: row.optionalText(9).map { ($0, row.optionalText(10), row.optionalText(12)) },
                on: row.date(11))
        }
    }

    /// By tactic: accounts dealt, and what of them the institution took back. Asked for only where a goal names one.
    package func dealtByTactic() throws(PgError) -> [(
        place: StatementPlace, tactic: String, dealt: Int64, taken: Int64
    )] {
        try parts.run([.int32(period.number), .timestamp(nextMonth)], ClosingStatements.dealtByTactic).map { row in
            (
                StatementPlace(contract: row.int32(0), delegation: row.int16(1)), row.text(2), row.int64(3),
                row.int64(4)
            )
        }
    }

    /// What was paid on accounts without an employer's deduction while somebody held them, by delegation, in centavos.
    package func flow() throws(PgError) -> [Int16: Int64] {
        Dictionary(
            try parts.run([.int32(period.number)]) { _ in ClosingStatements.flow }.map { ($0.int16(0), $0.int64(1)) },
            uniquingKeysWith: +)
    }

    /// Breaches that count toward recidivism, of `first` and the months from it up to this one.
    package func earlierBreaches(since first: Period) throws(PgError) -> [(
        place: StatementPlace, breach: EarlierBreach
    )] {
        let rules = PenaltyRule.recidivismCounts.map(\.rawValue)
        return try link.run(
            ClosingStatements.earlierBreaches, [.int32(first.number), .int32(period.number), .texts(rules)]
        ).compactMap { row in
            guard let period = Period(number: row.int32(1)), let rule = PenaltyRule(rawValue: row.text(3))
            else { return nil }
            return (
                StatementPlace(contract: row.int32(0), delegation: row.int16(2)),
                EarlierBreach(period: period, rule: rule)
            )
        }
    }

    // MARK: - The month in figures

    package struct StrategyFigures: Sendable {
        package let strategy: Strategy
        package let placed: Int64
        package let dealt: Int64
        package let leased: Int64
        package let worked: Int64
        package let outcomes: Int64
        package let recovered: Cents
    }

    package func strategies() throws(PgError) -> [StrategyFigures] {
        var sums: [Int32: [Int64]] = [:]
        for row in try parts.run([.int32(period.number), .timestamp(nextMonth)], ClosingStatements.summary) {
            let figures = (1...6).map(row.int64)
            sums[row.int32(0)] = sums[row.int32(0)].map { zip($0, figures).map(+) } ?? figures
        }
        return sums.sorted { $0.key < $1.key }.compactMap { number, figures in
            guard let strategy = Strategy(rawValue: Int16(number)) else { return nil }
            return StrategyFigures(
                strategy: strategy, placed: figures[0], dealt: figures[1], leased: figures[2], worked: figures[3],
                outcomes: figures[4], recovered: Cents(figures[5]))
        }
    }

    /// Payments on accounts that nobody held on that day.
    package func unattributed() throws(PgError) -> (payments: Int64, amount: Cents) {
        try parts.run { _ in ClosingStatements.unattributed }.reduce((0, .zero)) { sum, row in
            (sum.0 + row.int64(0), sum.1 + Cents(row.int64(1)))
        }
    }

    /// The cut as the segmentation divided it: what is neither placed nor excluded has nothing to collect.
    package struct Cut: Sendable {
        package let accounts: Int64
        package let placed: Int64
        package let excluded: Int64

        package var nothingToCollect: Int64 { accounts - placed - excluded }
    }

    /// `nil` where the period was never segmented.
    package func cut() throws(PgError) -> Cut? {
        try link.run(ClosingStatements.segmentation, [.int32(period.number)]).first.map { row in
            Cut(accounts: row.int64(0), placed: row.int64(1), excluded: row.int64(2))
        }
    }

    /// Accounts that were placed within the month, by a start, and found no contract with room; part of what is placed and not
    /// dealt.
    package func startedInVain() throws(PgError) -> Int64 {
        try link.run(ClosingStatements.startedInVain, [.int32(period.number), .timestamp(nextMonth)]).first?.int64(0)
            ?? 0
    }

    /// Accounts that the segmentation excluded from collection, by a rule of the cut.
    package func excluded() throws(PgError) -> Int64 {
        try link.run(ClosingStatements.exclusions, [.int32(period.number)]).first?.int64(0) ?? 0
    }
}

extension ClosingStore.Reached {
    fileprivate init(_ row: PgRow, from column: Int) {
        self.init(
            worked: row.int64(column), contacted: row.int64(column + 1), promises: row.int64(column + 2),
            agreements: row.int64(column + 3))
    }
}

extension PgLink {
    /// All versions of all schedules of a kind, `fee` or `penalty`, by name.
    package func readSchedules(_ kind: String) throws(PgError) -> [String: [Schedule]] {
        var values: [ScheduleVersion: [ScheduleValue]] = [:]
        for row in try run(ClosingStatements.schedules) where row.text(1) == kind {
            values[ScheduleVersion(name: row.text(0), effectiveOn: row.date(2)), default: []].append(
                ScheduleValue(rule: row.text(3), parameter: row.text(4), value: row.text(5)))
        }
        let schedules = values.map { Schedule(version: $0.key, values: $0.value) }
        return Dictionary(grouping: schedules) { $0.version.name }
    }
}

extension Period {
    /// Its first instant, by the clock of Mexico City.
    var begin: Timestamp {
        Timestamp(date: firstDay, offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }
}
