// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Who held which account in one month, and what came of it there: from the clients' logs, or from the database.
///
/// A holding is one lease. What was reported is of the holding under whose epoch it was reported, and a payment of whoever held the
/// account last before it; a reversal is taken from whoever its payment counted for. What was granted or done in other months is left
/// out, and so is what other months' feeds have.
struct MonthRecord: Sendable {
    struct Holding: Sendable {
        var agency: AgencyID
        var strategy: Strategy
        var held: Held
        /// `nil`: the log does not say when.
        var from: Timestamp?
        /// Dealt again within the month, or out of a front hand; only the database tells.
        var isDealtAgain = false
        /// What it counts against, and with how much; only the database tells.
        var contract: ContractID?
        var portfolio: Portfolio?
        var exposure: Int64?
        /// Reports of work in the month, and those of them that no delegation has rejected.
        var reports = 0
        var validReports = 0
        var sessionsHeld = 0
        var isSigned = false
        /// Centavos, less what was taken back: below zero where that was paid in an earlier month.
        var paid = 0
    }

    /// What began within the month.
    struct Start: Sendable {
        let on: LocalDate
        /// The account as it is since.
        let row: AccountRow
    }

    let period: Period
    /// By account, in the order of their epochs. Those that were live in the month.
    private(set) var holdings: [CaseKey: [Holding]] = [:]
    /// Centavos that were paid on accounts that nobody of this record had held by then, less what was taken back.
    private(set) var unheldPaid = 0
    /// What began and stopped within the month; `nil`: not known.
    var starts: [CaseKey: Start]?
    var stops: [CaseKey: LocalDate]?

    init(period: Period) { self.period = period }

    /// Local midnight in the centre of the country, at which months begin and end.
    static func instant(of day: LocalDate) -> Timestamp { Timestamp(date: day, secondsOfDay: 6 * 3_600) }

    var first: Timestamp { Self.instant(of: period.firstDay) }
    var end: Timestamp { Self.instant(of: period.lastDay.advanced(byDays: 1)) }

    /// Work and grants are of the month in which they were done by the clocks of Mexico City.
    static func month(of instant: Timestamp) -> Period { MexicanTimeZone.mexicoCity.local(instant).date.period }

    mutating func add(_ holding: Holding, of key: CaseKey) {
        var mine = holdings[key] ?? []
        guard !mine.contains(where: { $0.held == holding.held }) else { return }
        mine.insert(holding, at: mine.firstIndex { $0.held.epoch > holding.held.epoch } ?? mine.endIndex)
        holdings[key] = mine
    }

    /// Who held what when the month began.
    var heldOver: [CaseKey: Holding] {
        holdings.compactMapValues { mine in mine.last { $0.from.map { $0 < first } ?? false } }
    }

    /// - Returns: whether there is such a holding.
    @discardableResult
    mutating func change(_ key: CaseKey, _ epoch: Epoch, _ change: (inout Holding) -> Void) -> Bool {
        guard let index = holdings[key]?.firstIndex(where: { $0.held.epoch == epoch }) else { return false }
        if var mine = holdings[key] {
            change(&mine[index])
            holdings[key] = mine
        }
        return true
    }

    /// - Parameters:
    ///   - day: the payment's, also of what is taken back of it.
    ///   - amount: centavos; below zero: taken back.
    mutating func pay(_ key: CaseKey, on day: LocalDate, amount: Int) {
        let until = Self.instant(of: day.advanced(byDays: 1))
        guard var mine = holdings[key], let index = mine.lastIndex(where: { $0.from.map { $0 < until } ?? true })
        else {
            unheldPaid += amount
            return
        }
        mine[index].paid += amount
        holdings[key] = mine
    }
}

extension MonthRecord {
    /// Of a hundred leased accounts at most so many may be missing in the cut: those that began within the month are far fewer.
    private static let strangersPercentMax = 20

    /// Logs name no portfolio: those of another one have accounts that this one has not.
    ///
    /// - Throws: ``SimulationFailure`` (usage).
    func requireCut(_ cut: String, of folder: String, isKnown: (CaseKey) -> Bool) throws(SimulationFailure) {
        let strangers = holdings.keys.count { !isKnown($0) }
        guard strangers * 100 > holdings.count * Self.strangersPercentMax else { return }
        throw SimulationFailure(
            .usage,
            "\(folder) is of another portfolio: \(Terminal.grouped(strangers)) of \(Terminal.grouped(holdings.count)) leased "
                + "accounts are not in \(cut)", remedy: "Give the portfolio that the month was played on")
    }
}
