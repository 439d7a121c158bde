// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The aggregates that come out of a month: counted on the clients' logs, the payments and the cut that they are of.
///
/// The universe of each is the accounts that agencies leased under one strategy: what was dealt and never pulled is not in a log.
package struct MonthFigures: Sendable {
    private struct Account {
        var strategy: Strategy
        var isWorked = false
        var paid = 0
        var due = 0
        var toRecover = 0
    }

    private var accounts: [CaseKey: Account] = [:]
    private var sessionsHeld = 0
    private var signed: [CaseKey: Period] = [:]
    /// By account: what was paid in which month, centavos.
    private var paid: [CaseKey: [Period: Int]] = [:]
    private let period: Period

    /// - Parameters:
    ///   - log: the folder that `agentsim run` wrote.
    ///   - reviews: the file of reviews, where one is there: work that was rejected does not count.
    /// - Throws: ``SimulationFailure`` (usage) for files that are not there or not what they should be.
    package init(log: String, cut: String, reviews: String?, period: Period) throws(SimulationFailure) {
        self.period = period
        let rejected = try Self.rejected(reviews)
        for operation in try ClientLog.read(folder: log).operations { take(operation, rejected) }
        try readPayments(log)
        try readCut(cut)
        for (key, months) in paid { accounts[key]?.paid = max(0, months[period] ?? 0) }
    }

    private static func rejected(_ path: String?) throws(SimulationFailure) -> Set<Int64> {
        guard let path else { return [] }
        let table = try Table(path: path, required: ["outcome", "decision"])
        return Set(
            table.rows.filter { table.text($0, "decision") == "rejected" }.compactMap {
                Int64(table.text($0, "outcome"))
            })
    }

    private mutating func take(_ operation: ClientOperation, _ rejected: Set<Int64>) {
        switch operation.reply {
        case .granted(let grant):
            for held in grant.accounts {
                let key = CaseKey(delegation: operation.delegation, account: held.account)
                let isWorked = accounts[key]?.isWorked ?? false
                accounts[key] = Account(strategy: grant.strategy, isWorked: isWorked)
            }
        case .reported(let report):
            guard !rejected.contains(report.outcome) else { return }
            let key = CaseKey(delegation: operation.delegation, account: report.held.account)
            accounts[key]?.isWorked = true
            guard report.channel == OutcomeChannel.mediationSession.rawValue else { return }
            let isSigned = report.result == OutcomeResult.agreementSigned.rawValue
            if isSigned || report.result == OutcomeResult.agreementRefused.rawValue { sessionsHeld += 1 }
            if isSigned { signed[key] = Self.month(of: report.at) }
        case .extended, .returned, .refused, .repeated: break
        }
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

    private mutating func readCut(_ path: String) throws(SimulationFailure) {
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
            guard accounts[key] != nil else { return }
            let due = Cents(pesos: String(decoding: fields[places[2]], as: UTF8.self))?.value ?? 0
            let overdue = Cents(pesos: String(decoding: fields[places[3]], as: UTF8.self))?.value ?? 0
            accounts[key]?.due = Int(due)
            accounts[key]?.toRecover = Int(max(due, overdue))
        }
        guard !isWrong else {
            throw SimulationFailure(.usage, "\(path) is no cut", remedy: "Give the cut that the month was played on")
        }
    }

    /// Work is of the month in which it was done by the clocks of Mexico City.
    private static func month(of instant: Timestamp) -> Period {
        MexicanTimeZone.mexicoCity.local(instant).date.period
    }

    // MARK: Figures

    package var measured: [MeasuredFigure] {
        strategies + mediation
    }

    private func of(_ strategy: Strategy, _ isIn: (Account) -> Bool = { _ in true }) -> [Account] {
        accounts.values.filter { $0.strategy == strategy && isIn($0) }
    }

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
            let hits = signed.count { key, month in
                let amounts = (0..<AgreementDraw.months).map { paid[key]?[month.advanced(byMonths: $0)] ?? 0 }
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
