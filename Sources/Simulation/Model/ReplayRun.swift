// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A recorded month under another policy or other plan settings: which of its events would have been the same, and which nobody can
/// know.
///
/// The accounts of the recorded cut are placed and dealt anew by the engine's own rules. What was recorded of an account stands where
/// the same agency would have had it under the same strategy. Where the agency, the strategy or both would have been others, what was
/// recorded is shown, and says nothing of what would have been; where nobody would have had it, no work would have been done, and
/// whether it would have paid is unknown. Of accounts that were not leased there is no record at all.
package struct ReplayRun: Sendable {
    /// What became of the recorded events.
    package enum Fate: String, CaseIterable, Sendable {
        case stands = "the same agency and strategy: what was recorded stands"
        case otherAgency = "another agency: how it would have worked is not known"
        case otherStrategy = "another strategy: what it would have brought is not known"
        case nobody = "nobody: the work would not have been done, a payment may have come anyway"
        case unrecorded = "dealt in the replay, not leased in the record: nothing is known"
    }

    package struct Sum: Sendable, Equatable {
        package var accounts = 0
        package var reports = 0
        package var paying = 0
        /// Centavos.
        package var paid = 0
    }

    package let period: Period
    package let name: String
    package private(set) var sums: [Fate: Sum] = [:]
    package private(set) var recorded = Sum()
    package let placed: Int
    package let unplaced: Int

    private struct Record {
        var agency: AgencyID
        var strategy: Strategy
        var reports = 0
        var paid = 0
    }

    /// - Parameters:
    ///   - log: the folder of the clients' logs and payments.
    ///   - seed: of the dealing; a plan's own is its month's number.
    /// - Throws: ``SimulationFailure`` (usage) for files that are not there or not what they should be.
    package init(
        log: String, cut: String, contracts: String, facts: String? = nil, period: Period, policy: ModelPolicy,
        seed: UInt64
    ) throws(SimulationFailure) {
        self.period = period
        self.name = policy.name
        let world = try ModelWorld(cut: cut, contracts: contracts, facts: facts, period: period)
        let placement = ModelPlacement(world, policy.policy)
        let deal = try ModelDeal(world, placement, policy, seed: seed)
        placed = deal.placed
        unplaced = Int(deal.unplaced)
        let records = try Self.records(log, period)
        let agencies = Dictionary(world.contracts.map { ($0.contract, $0.agency) }) { first, _ in first }
        var dealt: [CaseKey: (agency: AgencyID, strategy: Strategy)] = [:]
        for hand in deal.hands {
            guard let agency = agencies[hand.contract] else { continue }
            for position in hand.positions {
                let account = world.accounts[position.place]
                dealt[CaseKey(delegation: account.delegation, account: account.account)] = (agency, hand.pool.strategy)
            }
        }
        for (key, record) in records {
            add(record, to: Self.fate(record, dealt[key]))
            recorded.accounts += 1
            recorded.reports += record.reports
            recorded.paying += record.paid > 0 ? 1 : 0
            recorded.paid += max(0, record.paid)
        }
        sums[.unrecorded, default: Sum()].accounts = dealt.keys.count { records[$0] == nil }
    }

    private static func fate(_ record: Record, _ dealt: (agency: AgencyID, strategy: Strategy)?) -> Fate {
        guard let dealt else { return .nobody }
        if dealt.strategy != record.strategy { return .otherStrategy }
        return dealt.agency == record.agency ? .stands : .otherAgency
    }

    private mutating func add(_ record: Record, to fate: Fate) {
        sums[fate, default: Sum()].accounts += 1
        sums[fate, default: Sum()].reports += record.reports
        sums[fate, default: Sum()].paying += record.paid > 0 ? 1 : 0
        sums[fate, default: Sum()].paid += max(0, record.paid)
    }

    /// By account: who leased it first, under which strategy, and what came of it within the month.
    private static func records(_ folder: String, _ period: Period) throws(SimulationFailure) -> [CaseKey: Record] {
        var records: [CaseKey: Record] = [:]
        for operation in try ClientLog.read(folder: folder).operations {
            switch operation.reply {
            case .granted(let grant):
                for held in grant.accounts {
                    let key = CaseKey(delegation: operation.delegation, account: held.account)
                    if records[key] == nil { records[key] = Record(agency: operation.agency, strategy: grant.strategy) }
                }
            case .reported(let report):
                records[CaseKey(delegation: operation.delegation, account: report.held.account)]?.reports += 1
            case .extended, .returned, .refused, .repeated: break
            }
        }
        for payment in try PaymentFeed.read(folder) where payment.on.period == period {
            records[payment.key]?.paid +=
                payment.reverses == nil ? Int(payment.amount.value) : -Int(payment.amount.value)
        }
        return records
    }

    package var lines: [String] {
        func pesos(_ centavos: Int) -> String { "$\(Terminal.grouped(centavos / 100))" }
        var lines = [
            "\(period) as recorded: \(Terminal.grouped(recorded.accounts)) accounts leased, \(Terminal.grouped(recorded.reports)) reports, "
                + "\(Terminal.grouped(recorded.paying)) paying, \(pesos(recorded.paid))",
            "under \(name): \(Terminal.grouped(placed)) accounts placed, \(Terminal.grouped(unplaced)) for whom there is no room",
            "",
        ]
        for fate in Fate.allCases {
            let sum = sums[fate] ?? Sum()
            lines.append(
                "  \(Terminal.grouped(sum.accounts)) accounts, \(Terminal.grouped(sum.reports)) reports, "
                    + "\(pesos(sum.paid)) paid: \(fate.rawValue)")
        }
        let stands = sums[.stands] ?? Sum()
        lines += [
            "",
            "Known of the other month: \(pesos(stands.paid)) of the recorded \(pesos(recorded.paid)). The rest may have come or not, and "
                + "accounts without a record may have added to it; 'agentsim month --model' estimates both with intervals.",
            "Not replayed: what came within the month (starts, stops, dealing again), terms and returns of accounts that would have moved.",
        ]
        return lines
    }

    package var json: String {
        func object(_ sum: Sum) -> String {
            "{\"accounts\": \(sum.accounts), \"reports\": \(sum.reports), \"paying\": \(sum.paying), \"paid\": \(sum.paid)}"
        }
        let fates = Fate.allCases.map { "  \"\($0)\": \(object(sums[$0] ?? Sum()))" }
        return
            "{\n  \"period\": \"\(period)\", \"placed\": \(placed), \"unplaced\": \(unplaced),\n  \"recorded\": \(object(recorded)),\n"
            + fates.joined(separator: ",\n") + "\n}"
    }
}
