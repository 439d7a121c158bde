// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Schedules of fees and penalties, as `dispatcherd import schedules` takes them, and the bill that a modelled month comes to by them.
package struct ModelTariff: Sendable {
    private struct Key: Hashable {
        let name: String
        let kind: String
    }

    private let versions: [Key: [Schedule]]
    private let path: String

    /// - Throws: ``SimulationFailure`` (usage) where the file is no file of schedules.
    package init(path: String) throws(SimulationFailure) {
        self.path = path
        let columns = ["schedule", "kind", "effective_on", "rule", "parameter", "value"]
        let table = try Table(path: path, required: columns)
        var values: [Key: [LocalDate: [ScheduleValue]]] = [:]
        for row in table.rows {
            guard let day = LocalDate(text: table.text(row, "effective_on")) else {
                throw SimulationFailure(
                    .usage, "\(path) has the day \(table.text(row, "effective_on"))",
                    remedy: "Write days as in 2023-01-01")
            }
            let key = Key(name: table.text(row, "schedule"), kind: table.text(row, "kind"))
            values[key, default: [:]][day, default: []].append(
                ScheduleValue(
                    rule: table.text(row, "rule"), parameter: table.text(row, "parameter"),
                    value: table.text(row, "value")))
        }
        versions = Dictionary(
            uniqueKeysWithValues: values.map { key, days in
                (
                    key,
                    days.map {
                        Schedule(version: ScheduleVersion(name: key.name, effectiveOn: $0.key), values: $0.value)
                    }
                )
            })
    }

    /// What a contract is paid and charged by, on the first day of a month.
    func terms(_ names: ScheduleNames, on day: LocalDate) throws(SimulationFailure) -> (FeeTariff, PenaltyTerms) {
        func schedule(_ name: String, _ kind: String) throws(SimulationFailure) -> Schedule {
            guard let found = Schedule.inForce(on: day, of: versions[Key(name: name, kind: kind)] ?? []) else {
                throw SimulationFailure(
                    .usage,
                    "\(path) has no schedule of \(kind == "fee" ? "fees" : "penalties") '\(name)' in force on \(day)",
                    remedy: "Name the file that has it with --schedules")
            }
            return found
        }
        let (fees, penalties) = (try schedule(names.fees, "fee"), try schedule(names.penalties, "penalty"))
        do throws(ScheduleError) {
            return (try FeeTariff(fees), try PenaltyTerms(penalties))
        } catch {
            throw SimulationFailure(.usage, "\(path): \(error)", remedy: "Mend the schedule")
        }
    }
}

/// What is billed and fined of one contract in one delegation.
struct ModelBill {
    private struct Entry: Hashable {
        let place: Int
        let service: FeeService
    }

    private var entries: Set<Entry> = []
    private var counts: [FeeService: Int64] = [:]
    var dealt: [Portfolio: Int64] = [:]
    var bands: [MoraBand: BandRecovery.Sums] = [:]

    /// An account is billed at most once for a service.
    mutating func add(_ service: FeeService, place: Int) {
        guard entries.insert(Entry(place: place, service: service)).inserted else { return }
        counts[service, default: 0] += 1
    }

    mutating func lease(_ account: ModelAccount) { band(account) { $0.assigned += $1 } }

    /// What counts of a payment is at most what was overdue.
    mutating func recover(_ account: ModelAccount, paid: Int) {
        band(account) { $0.recovered += min($1, Cents(Int64(paid))) }
    }

    private mutating func band(_ account: ModelAccount, _ change: (inout BandRecovery.Sums, Cents) -> Void) {
        guard let band = MoraBand(daysLate: Int32(clamping: account.value(.daysLate))) else { return }
        change(&bands[band, default: BandRecovery.Sums()], Cents(max(0, account.value(.overdue))))
    }

    /// - Parameters:
    ///   - staffPercent: advisers at work, of those committed.
    ///   - agency: what the agency has in each band over all of its contracts.
    func month(
        _ delegation: Delegation, _ contract: PlanContract, staffPercent: Int, agency: [MoraBand: BandRecovery.Sums]
    ) -> DelegationMonth {
        var month = DelegationMonth(delegation)
        month.billed = counts.keys.sorted().map { service in
            BilledService(service: service, outcomes: Array(1...max(1, counts[service] ?? 1)))
        }
        month.bands = bands.keys.sorted().map { band in
            let sums = bands[band] ?? BandRecovery.Sums()
            var recovery = BandRecovery(band: band, assigned: sums.assigned, recovered: sums.recovered, payments: [])
            recovery.agency = agency[band] ?? sums
            return recovery
        }
        month.indicators.dealt = dealt
        month.needs = Portfolio.allCases.compactMap { portfolio in
            contract.staffing[Station(delegation: delegation, portfolio: portfolio)].map { staffing in
                StaffingNeed(
                    portfolio: portfolio, accountsPerAdviser: staffing.accountsPerAdviser,
                    staffing: Staffing(
                        fact: "model",
                        present: staffing.advisers(contract.basis) * Int64(staffPercent) / 100))
            }
        }
        return month
    }
}
