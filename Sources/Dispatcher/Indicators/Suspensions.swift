// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Proposals of suspension, and what a person decides about them (SUS-01…03).
package struct Suspensions {
    package struct Row: Sendable {
        package let agency: AgencyID
        package let proposal: SuspensionProposal
        package let goal: BandGoal
        package let decision: SuspensionStore.Decision?
    }

    private let link: PgLink
    private let period: Period
    private let counting: SuspensionProposal.Counting

    /// - Parameters:
    ///   - period: a closed month, whose statements have the bands' goals.
    ///   - counting: which misses are counted together toward the end of a contract (AMB-23).
    package init(_ link: PgLink, period: Period, counting: SuspensionProposal.Counting = .sameBand) throws {
        self.link = link
        self.period = period
        self.counting = counting
        _ = try MonthClosing(link, period: period).kept()
    }

    /// Ascending by agency and band.
    package func rows() throws -> [Row] {
        let store = SuspensionStore(link)
        let goals = try store.goals(through: period)
        let decisions = try store.decisions(period)
        return Set(goals.map(\.agency)).sorted().flatMap { agency -> [Row] in
            let own = goals.filter { $0.agency == agency }.map(\.goal)
            return SuspensionProposal.proposals(own, in: period, counting: counting).compactMap { proposal in
                guard let goal = own.first(where: { $0.band == proposal.band && $0.period == period }) else {
                    return nil
                }
                let decision = decisions.first {
                    $0.agency == agency && $0.band == proposal.band && $0.kind == proposal.kind
                }
                return Row(agency: agency, proposal: proposal, goal: goal, decision: decision)
            }
        }
    }

    /// What a decision did.
    package struct Effect: Equatable {
        /// Withdrawn from the agency's hands.
        package let accounts: Int64
        /// The tactics that are suspended for it until `agency release`, as `administrative/band-31-60`.
        package let tactics: [String]
        /// Dealt to others at once.
        package let dealtAgain: Int64
        /// The agency's contracts that pay by no band and are left as they are; what is decided ends the others, or takes from their
        /// hands, and nothing stands against the agency as a whole.
        package let untouched: [Int32]
    }

    /// - Throws: ``CommandFailure`` where no such thing is proposed, or it was decided before.
    package func requireUndecided(
        agency text: String, band: MoraBand, kind: SuspensionProposal.Kind
    ) throws {
        let agency = try Words.agency(text)
        guard
            let row = try rows().first(where: {
                $0.agency == agency && $0.proposal.band == band && $0.proposal.kind == kind
            })
        else {
            throw CommandFailure(
                .findings, "nothing is proposed about \(agency), band \(band.label), in \(period)",
                remedy: "`dispatcherd suspension list --period \(period)` shows what is.")
        }
        guard row.decision == nil else {
            throw CommandFailure(.findings, "that was decided before", remedy: "A decision stands.")
        }
    }

    /// Decides about one proposal. A band that is suspended: `agency suspend` for each tactic that lies in the band, so that no plan to come
    /// gives the agency any; and what else it was dealt of the band and has not pulled is withdrawn at once. What it holds stays. A
    /// termination is `agency terminate`: nothing more of any band, for good.
    ///
    /// Both are of the contracts that pay by bands, whose minimums were missed. Where the agency has others, no order is given about it:
    /// what waits under these contracts is withdrawn, and a termination ends them on this day.
    package func decide(
        agency text: String, band: MoraBand, kind: SuspensionProposal.Kind, isSuspended: Bool, reason: String,
        by: String
    ) throws -> Effect {
        let agency = try Words.agency(text)
        let by = try Words.person(by)
        guard (1...500).contains(reason.count), !PersonName.folded(reason).isEmpty else {
            throw CommandFailure(
                .usage, "a decision says why, in 1 to 500 characters", remedy: "Give --reason.")
        }
        try requireUndecided(agency: text, band: band, kind: kind)
        let store = SuspensionStore(link)
        let contracts = try store.contracts(of: agency, period)
        let isWhole = contracts.others.isEmpty
        var orders: [AgencyOrder] = []
        var tactics: [String] = []
        let accounts = try link.transaction {
            var accounts: Int64 = 0
            if isSuspended, kind == .band, isWhole {
                for (strategy, tactic) in try store.tactics(of: band) {
                    let order = AgencyOrder(suspending: tactic, of: strategy, for: agency, by: by)
                    accounts += try order.putInForce(link).withdrawn
                    orders.append(order)
                    tactics.append("\(strategy.name)/\(tactic)")
                }
            }
            if isSuspended, kind == .band || !isWhole {
                if kind == .termination { try store.end(contracts.byBands) }
                let endings = DealEndings(link)
                try endings.stage()
                if try store.stageUnpulled(of: contracts.byBands, in: kind == .band ? band : nil) > 0 {
                    accounts += try endings.run { endings, now in
                        LedgerBlock.seal(endings.map { .ending($0, period: Period.ofWork(at: now), at: now) })
                    }.ended
                }
            }
            if isSuspended, kind == .termination, isWhole {
                let order = AgencyOrder(terminating: agency, by: by)
                accounts += try order.putInForce(link).withdrawn
                orders.append(order)
            }
            try store.add(
                SuspensionStore.Decision(
                    agency: agency, band: band, kind: kind, decision: isSuspended ? "suspended" : "declined",
                    reason: reason, by: by, accounts: accounts), period)
            return accounts
        }
        var dealtAgain = orders.reduce(Int64(0)) { sum, order in
            guard case .success(let report) = order.dealAgain(link) else { return sum }
            return sum + Int64(report.accounts)
        }
        if !isWhole, accounts > 0 { dealtAgain += Self.dealAgain(link, without: contracts.byBands, by: by) }
        return Effect(
            accounts: accounts, tactics: tactics, dealtAgain: dealtAgain,
            untouched: isSuspended ? contracts.others : [])
    }

    /// Deals what was withdrawn, in one round that gives these contracts nothing. The decision is in force whatever comes of that.
    ///
    /// - Returns: how many accounts others got; none where no month is dealt, or somebody else deals just now.
    package static func dealAgain(_ link: PgLink, without contracts: [Int32], by: String) -> Int64 {
        let everywhere = Set(
            Delegation.all.flatMap { delegation in
                Portfolio.allCases.map { Station(delegation: delegation, portfolio: $0) }
            })
        let scope = RedealScope(
            .leftOver,
            excluded: Dictionary(
                contracts.compactMap { ContractID($0) }.map { ($0, everywhere) },
                uniquingKeysWith: { first, _ in first }))
        let run = RedealRun(link, scope: scope, reason: "suspension", by: LedgerRecord.word(by))
        return (try? run.run()).map { Int64($0.accounts) } ?? 0
    }

    package var lines: [String] {
        get throws {
            let rows = try rows()
            guard !rows.isEmpty else { return ["no band's minimum was missed in \(period)"] }
            var table = TextTable(columns: [.left, .left, .left, .right, .right, .left, .left])
            table.row(["agency", "band", "proposal", "recovered %", "minimum %", "missed in", "decision"])
            for row in rows {
                table.row([
                    row.agency.description, "\(row.proposal.band.rawValue) \(row.proposal.band.label)",
                    row.proposal.kind.rawValue, "\(row.goal.percent)",
                    "\(row.goal.minimum)", row.proposal.missed.map(\.description).joined(separator: " "),
                    row.decision.map { "\($0.decision) by \($0.by): \($0.reason)" } ?? "",
                ])
            }
            return table.lines
        }
    }

    package var json: String {
        get throws {
            let json = CanonicalJSON.array(
                try rows().map { row in
                    .object([
                        "agency": .string(row.agency.description), "band": .string(row.proposal.band.rawValue),
                        "proposal": .string(row.proposal.kind.rawValue), "percent": .number(row.goal.percent),
                        "minimum": .number(row.goal.minimum),
                        "missed": .array(row.proposal.missed.map { .string($0.description) }),
                        "decision": .string(row.decision?.decision ?? ""),
                    ])
                })
            return String(json.text.dropLast())
        }
    }
}
