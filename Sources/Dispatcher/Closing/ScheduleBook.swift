// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The schedules in force on the first day of a period, read and checked before anything is computed.
struct ScheduleBook {
    private let tariffs: [String: FeeTariff]
    private let terms: [String: PenaltyTerms]
    /// All versions of the fee schedules, by name.
    private let fees: [String: [Schedule]]
    private let period: Period
    /// Rules that end with versions that apply for the first time, one text per version: what they leave out is charged and paid no more.
    let ended: [StatementNote]

    /// - Throws: ``CommandFailure`` that names every contract without a schedule, or the value that is wrong.
    init(_ store: ClosingStore, period: Period, contracts: [ClosingStore.Contract]) throws {
        let fees = try store.schedules("fee")
        self.fees = fees
        self.period = period
        let penalties = try store.schedules("penalty")
        var tariffs: [String: FeeTariff] = [:]
        var terms: [String: PenaltyTerms] = [:]
        var missing: [String] = []
        var ended: [StatementNote] = []
        for (name, users) in Dictionary(grouping: contracts, by: \.feeSchedule).sorted(by: { $0.key < $1.key }) {
            if let schedule = Schedule.inForce(on: period.firstDay, of: fees[name, default: []]) {
                tariffs[name] = try readable { () throws(ScheduleError) in try FeeTariff(schedule) }
                ended += [Self.ended(with: schedule, of: fees[name, default: []], users, period)].compactMap(\.self)
            } else {
                missing.append(Self.line("fee", name, users, fees[name] != nil, period))
            }
        }
        for (name, users) in Dictionary(grouping: contracts, by: \.penaltySchedule).sorted(by: { $0.key < $1.key }) {
            if let schedule = Schedule.inForce(on: period.firstDay, of: penalties[name, default: []]) {
                terms[name] = try readable { () throws(ScheduleError) in try PenaltyTerms(schedule) }
                ended += [Self.ended(with: schedule, of: penalties[name, default: []], users, period)].compactMap(
                    \.self)
            } else {
                missing.append(Self.line("penalty", name, users, penalties[name] != nil, period))
            }
        }
        guard missing.isEmpty else {
            throw CommandFailure(
                .findings, missing.joined(separator: "; "),
                remedy: "Load the schedule with `dispatcherd import schedules FILE`, or correct the contract.")
        }
        self.ended = ended
        self.tariffs = tariffs
        self.terms = terms
    }

    /// Days after a return in which a payment still counts, by contract: those of the month, and of earlier months of which its feed
    /// takes payments back, since a reversal is taken from whom its payment counted for. Only those that have some.
    func grace(of contracts: [ClosingStore.Contract], _ store: ClosingStore) throws -> [ClosingStore.Grace] {
        var found = contracts.compactMap { contract in
            tariff(of: contract).map {
                ClosingStore.Grace(contract: contract.id, period: period, days: $0.graceDays)
            }
        }
        for earlier in try store.reversedPeriods() {
            let versions = try fees.compactMapValues { versions in
                try Schedule.inForce(on: earlier.firstDay, of: versions).map { version in
                    try readable { () throws(ScheduleError) in try FeeTariff(version) }
                }
            }
            found += try store.feeSchedules(earlier).compactMap { contract, name in
                versions[name].map { ClosingStore.Grace(contract: contract, period: earlier, days: $0.graceDays) }
            }
        }
        return found.filter { $0.days > 0 }
    }

    /// Whose payments count, by contract; only those that pay by bands.
    func origins(of contracts: [ClosingStore.Contract]) -> [Int32: Set<PaymentOrigin>] {
        Dictionary(
            contracts.compactMap { contract in
                tariff(of: contract).flatMap { $0.scales.isEmpty ? nil : (contract.id, $0.origins) }
            }, uniquingKeysWith: { $1 })
    }

    /// The first month whose breaches count in this one, by whatever terms look farthest back; `nil` where none look back (PEN-08).
    var firstOfRecidivism: Period? { terms.values.compactMap { $0.recidivism?.first(of: period) }.min() }

    func tariff(of contract: ClosingStore.Contract) -> FeeTariff? { tariffs[contract.feeSchedule] }
    func terms(of contract: ClosingStore.Contract) -> PenaltyTerms? { terms[contract.penaltySchedule] }

    private static func line(
        _ kind: String, _ name: String, _ users: [ClosingStore.Contract], _ isKnown: Bool, _ period: Period
    ) -> String {
        let why = isKnown ? "has no version in force on \(period.firstDay)" : "does not exist"
        return "the \(kind) schedule \"\(name)\" of contract \(shown(users)) \(why)"
    }

    /// `nil` where the version applied the month before, or names all that the one of then does.
    private static func ended(
        with schedule: Schedule, of versions: [Schedule], _ users: [ClosingStore.Contract], _ period: Period
    ) -> StatementNote? {
        guard
            let former = Schedule.inForce(on: period.advanced(byMonths: -1).firstDay, of: versions),
            former.version != schedule.version
        else { return nil }
        let rules = Set(former.values.map(\.rule)).subtracting(schedule.values.map(\.rule)).sorted()
        guard !rules.isEmpty else { return nil }
        let (names, contracts) = (rules.joined(separator: ", "), shown(users))
        return StatementNote(
            spanish: "\(schedule.version) aplica por primera vez y no tiene \(names), que \(former.version) tiene: "
                + "ya no cuenta para el contrato \(contracts)",
            english: "\(schedule.version) applies for the first time and lacks \(names), which \(former.version) "
                + "has: none of it counts any more for contract \(contracts)")
    }

    private static func shown(_ users: [ClosingStore.Contract]) -> String {
        Words.list(users.map { String($0.id) }, shown: 5)
    }
}

/// A schedule's fault as one that the caller of a command can mend.
func readable<Value>(_ body: () throws(ScheduleError) -> Value) throws -> Value {
    do throws(ScheduleError) { return try body() } catch {
        throw CommandFailure(
            .findings, error.description,
            remedy: "Correct it in the schedules file and load that with `dispatcherd import schedules FILE`.")
    }
}
