// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What an order about an agency did, or would do, for people and programs.
struct AgencyOrderReport {
    private let agency: AgencyID
    private let action: AgencyOrderRow.Action
    private let strategy: Strategy?
    private let band: String?
    private let motive: String
    private let finalAt: Timestamp?
    private var isPreview = false
    private var waiting: [PoolKey: Int64] = [:]
    private var held: [PoolKey: Int64] = [:]
    /// Delegations and strategies in which its pulls bring nothing, or something again.
    var places = 0
    var recalled: Int64 = 0
    /// How many accounts others were dealt in its place, or why none were.
    var dealtAgain: Result<RedealReport, CommandFailure>?

    init(
        agency: AgencyID, action: AgencyOrderRow.Action, strategy: Strategy?, band: String?, motive: String,
        finalAt: Timestamp?
    ) {
        self.agency = agency
        self.action = action
        self.strategy = strategy
        self.band = band
        self.motive = motive
        self.finalAt = finalAt
    }

    /// Accounts that waited in hands.
    var withdrawn: Int64 { waiting.values.reduce(0, +) }

    mutating func add(_ hand: WithdrawnHand) {
        let pool = PoolKey(delegation: hand.key.delegation, strategy: hand.strategy, portfolio: hand.portfolio)
        waiting[pool, default: 0] += hand.accounts
    }

    mutating func add(_ endings: [EndingRow]) {
        guard let strategy else { return }
        for ending in endings {
            // Which portfolio an account lay in does not matter to a band.
            let pool = PoolKey(delegation: ending.lease.delegation, strategy: strategy, portfolio: .telephone)
            waiting[pool, default: 0] += 1
        }
    }

    /// - Parameter waitingOfBand: what waits of the one band that is asked for.
    mutating func preview(_ standings: [Standing], waitingOfBand: [Delegation: Int64]?) {
        isPreview = true
        for standing in standings {
            let pool = PoolKey(
                delegation: standing.delegation, strategy: standing.strategy, portfolio: standing.portfolio)
            held[pool, default: 0] += standing.quota.heldAccounts
            if waitingOfBand == nil, action != .release { waiting[pool, default: 0] += standing.free }
        }
        for (delegation, accounts) in waitingOfBand ?? [:] {
            guard let strategy, action != .release else { continue }
            waiting[PoolKey(delegation: delegation, strategy: strategy, portfolio: .telephone), default: 0] += accounts
        }
    }

    private struct Document: Encodable {
        struct Place: Encodable {
            let delegation: Int16
            let strategy: String
            let withdrawn: Int64
        }
        let agency, action: String
        let strategy, band, recallOn: String?
        let motive: String
        let isPreview: Bool
        let withdrawn: Int64
        let recalled: Int64
        let dealtAgain: Int64?
        let places: [Place]
    }

    func text(asJSON: Bool) throws -> String {
        var byPlace: [AgencyPlace: Int64] = [:]
        for (pool, accounts) in waiting where accounts > 0 {
            let place = AgencyPlace(delegation: pool.delegation, agency: agency, strategy: pool.strategy)
            byPlace[place, default: 0] += accounts
        }
        let rows = byPlace.sorted {
            ($0.key.delegation, $0.key.strategy.rawValue) < ($1.key.delegation, $1.key.strategy.rawValue)
        }
        let total = rows.reduce(0) { $0 + $1.value }
        if asJSON {
            return try JSONText.of(
                Document(
                    agency: agency.description, action: action.rawValue, strategy: strategy?.name, band: band,
                    recallOn: finalAt?.description, motive: motive, isPreview: isPreview, withdrawn: total,
                    recalled: recalled, dealtAgain: try? dealtAgain?.get().accounts,
                    places: rows.map {
                        .init(
                            delegation: $0.key.delegation.value, strategy: $0.key.strategy.name, withdrawn: $0.value)
                    }))
        }
        var table = TextTable(columns: [.right, .left, .right])
        if !rows.isEmpty { table.row(["delegation", "strategy", "withdrawn"]) }
        for (place, accounts) in rows {
            table.row(["\(place.delegation)", place.strategy.name, Console.grouped(Int(accounts))])
        }
        return (table.lines + summary(total)).joined(separator: "\n")
    }

    private func summary(_ total: Int64) -> [String] {
        let what = [strategy?.name, band].compactMap(\.self).joined(separator: ", ")
        let scope = what.isEmpty ? "" : " of \(what)"
        let would = isPreview ? "would be " : ""
        var lines: [String] = []
        switch action {
        case .release:
            lines.append("\(agency) \(isPreview ? "would get" : "gets") work\(scope) again: \(motive)")
            lines.append("its part comes with the next plan, or with dispatcherd plan rebalance")
        case .hold: lines.append("\(agency) \(would)on hold: \(motive)")
        case .suspend: lines.append("\(agency) \(would)suspended\(scope): \(motive)")
        case .terminate: lines.append("\(agency) \(would)terminated: \(motive)")
        }
        if action != .release {
            lines.append("\(Console.grouped(Int(total))) accounts that it had not pulled \(would)withdrawn")
            let held = held.values.reduce(0, +)
            if let finalAt {
                lines.append("\(Console.grouped(Int(recalled))) that it holds \(would)recalled, final \(finalAt)")
            } else if isPreview {
                lines.append("\(Console.grouped(Int(held))) that it holds would stay until their term")
            } else {
                lines.append("what it holds stays until its term")
            }
        }
        switch dealtAgain {
        case .success(let redeal):
            lines.append("\(Console.grouped(Int(redeal.accounts))) accounts dealt to others")
            if let shortage = redeal.shortage {
                lines.append(shortage)
                lines.append("once somebody has: dispatcherd plan rebalance --left-over")
            }
        case .failure(let failure):
            lines.append("what was withdrawn is not dealt yet: \(failure.found)")
            lines.append("deal it with: dispatcherd plan rebalance --left-over")
        case nil: break
        }
        if isPreview { lines.append("nothing was changed") }
        return lines
    }
}
