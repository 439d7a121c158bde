// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The aggregates that come out of a month: counted on the clients' logs, the payments and the cut that they are of.
///
/// The universe of each is the accounts that agencies leased under one strategy in that month: what was dealt and never pulled is not in a
/// log, and what other months have in the same folder is not counted. An account with two holders under one strategy is one account, and
/// each holder's work is of the strategy that it was done under.
package struct MonthFigures: Sendable {
    private struct Account {
        let key: CaseKey
        var isWorked = false
        var paid = 0
        var due = 0
        var toRecover = 0
    }

    private var accounts: [Strategy: [Account]] = [:]
    private var sessionsHeld = 0
    /// Accounts whose agreement was signed in the month.
    private var signed: Set<CaseKey> = []
    /// By account: what was paid in which month, centavos.
    private var paid: [CaseKey: [Period: Int]] = [:]
    private let period: Period
    /// Accounts that were leased in the month, and those of them that were leased more than once.
    package private(set) var leased = 0
    package private(set) var leasedAgain = 0
    /// An account counts once for each time that it was leased, as in the counts of `agentsim run`.
    package private(set) var leases = 0

    /// - Parameters:
    ///   - log: the folder that `agentsim run` wrote.
    ///   - reviews: the file of reviews, where one is there: work that was rejected does not count.
    /// - Throws: ``SimulationFailure`` (usage) for files that are not there or not what they should be.
    package init(log: String, cut: String, reviews: String?, period: Period) throws(SimulationFailure) {
        self.period = period
        let record = try MonthRecord(log: log, period: period, rejected: try Self.rejected(reviews))
        try readPayments(log)
        let amounts = try Self.amounts(cut, of: record)
        try record.requireCut(cut, of: log) { amounts[$0] != nil }
        leased = record.holdings.count
        leases = record.holdings.values.reduce(0) { $0 + $1.count }
        leasedAgain = record.holdings.values.count { $0.count > 1 }
        for (key, holdings) in record.holdings {
            for strategy in Set(holdings.map(\.strategy)) {
                let mine = holdings.filter { $0.strategy == strategy }
                accounts[strategy, default: []].append(
                    Account(
                        key: key, isWorked: mine.contains { $0.validReports > 0 },
                        paid: max(0, mine.reduce(0) { $0 + $1.paid }), due: amounts[key]?.due ?? 0,
                        toRecover: amounts[key]?.toRecover ?? 0))
            }
            sessionsHeld += holdings.reduce(0) { $0 + $1.sessionsHeld }
            if holdings.contains(where: \.isSigned) { signed.insert(key) }
        }
    }

    private static func rejected(_ path: String?) throws(SimulationFailure) -> Set<Int64> {
        guard let path else { return [] }
        let table = try Table(path: path, required: ["outcome", "decision"])
        return Set(
            table.rows.filter { table.text($0, "decision") == "rejected" }.compactMap {
                Int64(table.text($0, "outcome"))
            })
    }

    /// Those of the feed, and those that are still to come.
    private mutating func readPayments(_ folder: String) throws(SimulationFailure) {
        for payment in try PaymentFeed.read(folder) {
            let sign = payment.reverses == nil ? 1 : -1
            paid[payment.key, default: [:]][payment.on.period, default: 0] += sign * Int(payment.amount.value)
        }
        for name in try Folder.names(in: folder) where name.hasSuffix(".state") {
            let state = try AgencyState(text: try Folder.text("\(folder)/\(name)"), path: name)
            for payment in state.payments where payment.reverses == nil {
                paid[payment.key, default: [:]][payment.on.period, default: 0] += Int(payment.amount.value)
            }
        }
    }

    /// What was due of the accounts of a record, and what was to be recovered, centavos.
    private static func amounts(
        _ path: String, of record: MonthRecord
    ) throws(SimulationFailure) -> [CaseKey: (due: Int, toRecover: Int)] {
        var amounts: [CaseKey: (due: Int, toRecover: Int)] = [:]
        var columns: [Int]?
        var isWrong = false
        try Folder.eachLine(path) { line in
            let fields = line.split(separator: 0x2C, omittingEmptySubsequences: false)
            guard let places = columns else {
                let names = fields.map { String(decoding: $0, as: UTF8.self) }
                columns = ["account", "delegation", "due", "overdue"].compactMap { names.firstIndex(of: $0) }
                isWrong = columns?.count != 4
                return
            }
            guard !isWrong, places.allSatisfy({ $0 < fields.count }),
                let account = AccountID(text: String(decoding: fields[places[0]], as: UTF8.self)),
                let delegation = Delegation(text: String(decoding: fields[places[1]], as: UTF8.self))
            else { return }
            let key = CaseKey(delegation: delegation, account: account)
            guard record.holdings[key] != nil else { return }
            let due = Cents(pesos: String(decoding: fields[places[2]], as: UTF8.self))?.value ?? 0
            let overdue = Cents(pesos: String(decoding: fields[places[3]], as: UTF8.self))?.value ?? 0
            amounts[key] = (Int(due), Int(max(due, overdue)))
        }
        guard !isWrong else {
            throw SimulationFailure(.usage, "\(path) is no cut", remedy: "Give the cut that the month was played on")
        }
        return amounts
    }

    // MARK: Figures

    /// What of the month's settings shows in its figures: a simulated debtor meets each holder anew, and may pay to each.
    package var settingsLine: String {
        "\(Terminal.grouped(leases)) leases of \(Terminal.grouped(leased)) accounts; \(Terminal.grouped(leasedAgain)) leased again within the month, each of them with "
            + "work and payments for every lease: with deal.again-hours 0, as 'agentsim month' plays it, they are few"
    }

    /// Of whom the rates of ORA-10 are, which is no figure that a month is held to.
    package var universeLine: String {
        "ORA-10, its 37,819 credits a month: its rates are held to all \(Terminal.grouped(of(.administrative).count)) accounts that were leased as "
            + "administrative; how many they are is not held, because it is not published by what the 37,819 were chosen (an assumption)"
    }

    package var measured: [MeasuredFigure] {
        strategies + mediation
    }

    private func of(_ strategy: Strategy) -> [Account] { accounts[strategy] ?? [] }

    private var strategies: [MeasuredFigure] {
        let administrative = of(.administrative)
        let preventive = of(.preventive)
        let dual = of(.dual)
        let worked = dual.filter(\.isWorked)
        func payers(_ list: [Account]) -> [Account] { list.filter { $0.paid > 0 } }
        func sum(_ list: [Account], _ value: (Account) -> Int) -> Int { list.reduce(0) { $0 + value($1) } }
        func measured(_ figure: PublishedFigure, _ part: Int, _ count: Int, base: Int? = nil) -> MeasuredFigure {
            MeasuredFigure(figure: figure, part: part, count: count, base: base)
        }
        let collected = "administrative, leased"
        return [
            measured(
                .share(
                    "ORA-10", "with valid work", of: "\(collected) (assumed to be the 37,819)", .assumption, 730_000,
                    within: 40_000),
                administrative.count(where: \.isWorked), administrative.count),
            measured(
                .share("ORA-10", "with a payment", of: collected, .assumption, 280_000, within: 25_000),
                payers(administrative).count, administrative.count),
            measured(
                .pesos(
                    "ORA-10", "mean payment", of: "\(collected), paying", .assumption, 3_386, within: 170, spread: 45),
                sum(administrative, \.paid), payers(administrative).count),
            measured(
                .share(
                    "ORA-11", "recovered of what was due", of: "preventive, leased", .published, 320_000, within: 30_000
                ),
                sum(preventive, \.paid), preventive.count, base: sum(preventive, \.toRecover)),
            measured(
                .pesos("ORA-11", "recovered, each", of: "preventive, leased", .derived, 571, within: 60, spread: 170),
                sum(preventive, \.paid), preventive.count),
            measured(
                .share("ORA-12", "recovered of what was overdue", of: collected, .published, 40_000, within: 15_000),
                sum(administrative, \.paid), administrative.count, base: sum(administrative, \.toRecover)),
            measured(
                .share("ORA-13", "with valid work", of: "dual, leased", .derived, 736_000, within: 40_000),
                worked.count, dual.count),
            measured(
                .share("ORA-13", "with some payment", of: "dual, worked", .published, 90_000, within: 15_000),
                payers(worked).count, worked.count),
            measured(
                .share("ORA-13", "with a full one", of: "dual, worked", .published, 50_000, within: 12_000),
                worked.count { $0.paid > 0 && $0.paid >= $0.due }, worked.count),
            measured(
                .pesos(
                    "ORA-13", "mean payment", of: "dual, worked and paying", .derived, 4_691, within: 470, spread: 70),
                sum(worked, \.paid), payers(worked).count),
        ]
    }

    private var mediation: [MeasuredFigure] {
        func agreements(_ name: String, _ target: Int, _ holds: ([Int]) -> Bool) -> MeasuredFigure {
            let hits = signed.count { key in
                let amounts = (0..<AgreementDraw.months).map { paid[key]?[period.advanced(byMonths: $0)] ?? 0 }
                return holds(amounts)
            }
            return MeasuredFigure(
                figure: .share("ORA-32", name, of: "mediation agreements signed", .published, target, within: 40_000),
                part: hits, count: signed.count)
        }
        return [
            MeasuredFigure(
                figure: .share("ORA-30", "signed", of: "mediation sessions held", .derived, 720_100, within: 30_000),
                part: signed.count, count: sessionsHeld),
            agreements("second payment", 790_000) { $0[1] > 0 },
            agreements("third payment", 670_000) { $0[2] > 0 },
            agreements("cured: three in a row", 640_200) { $0[..<3].allSatisfy { $0 > 0 } },
            agreements("maintained", 440_000) { $0.allSatisfy { $0 > 0 } },
        ]
    }
}
