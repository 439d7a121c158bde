// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What a plan would be under other settings, holds or limits, beside the one that would be made now. Writes nothing.
package struct PlanTrial {
    package enum Change: Hashable, Sendable {
        case hold(AgencyID)
        case release(AgencyID)
        case advisers(ContractID, Station, Int64)
        case bond(ContractID, Cents)
        case cap(BasisPoints)
        /// Fixed shares of a delegation's strategy; who is not named gets nothing of it.
        case shares(TargetKey, [ContractID: BasisPoints])

        /// `CONTRACT/DELEGATION/PORTFOLIO=ADVISERS`.
        /// - Throws: ``CommandFailure`` (usage).
        package init(advisers text: String) throws(CommandFailure) {
            let sides = text.split(separator: "=", omittingEmptySubsequences: false)
            let place = sides[0].split(separator: "/", omittingEmptySubsequences: false)
            guard sides.count == 2, place.count == 3, let contract = ContractID(text: place[0]),
                let delegation = Int64(canonicalDigits: place[1]).flatMap({ Int16(exactly: $0) })
                    .flatMap({ Delegation($0) }), let portfolio = Portfolio(name: place[2]),
                let count = Int64(canonicalDigits: sides[1]), count <= 100_000
            else {
                throw CommandFailure(
                    .usage, "'\(text)' names no advisers", remedy: "Write it as 31/14/telephone=20")
            }
            self = .advisers(contract, Station(delegation: delegation, portfolio: portfolio), count)
        }

        /// `DELEGATION/STRATEGY=CONTRACT:PERCENT,…`.
        package init(shares text: String) throws(CommandFailure) {
            let sides = text.split(separator: "=", omittingEmptySubsequences: false)
            let place = sides[0].split(separator: "/", omittingEmptySubsequences: false)
            var shares: [ContractID: BasisPoints] = [:]
            for part in sides.count == 2 ? sides[1].split(separator: ",", omittingEmptySubsequences: false) : [] {
                let pair = part.split(separator: ":", omittingEmptySubsequences: false)
                guard pair.count == 2, let contract = ContractID(text: pair[0]), shares[contract] == nil,
                    let share = BasisPoints(percent: pair[1])
                else { throw Self.noShares(text) }
                shares[contract] = share
            }
            guard place.count == 2, !shares.isEmpty,
                let delegation = Int64(canonicalDigits: place[0]).flatMap({ Int16(exactly: $0) })
                    .flatMap({ Delegation($0) }),
                let strategy = Strategy.allCases.first(where: { $0.name == place[1] })
            else { throw Self.noShares(text) }
            self = .shares(TargetKey(delegation: delegation, strategy: strategy), shares)
        }

        private static func noShares(_ text: String) -> CommandFailure {
            CommandFailure(
                .usage, "'\(text)' names no shares, or a contract twice",
                remedy: "Write them as 14/administrative=31:60,32:40")
        }

        /// `CONTRACT=PESOS`.
        package init(bond text: String) throws(CommandFailure) {
            let sides = text.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let contract = ContractID(text: sides[0]), let pesos = Cents(pesos: sides[1]),
                pesos.value >= 0
            else { throw CommandFailure(.usage, "'\(text)' names no bond", remedy: "Write it as 31=2500000.00") }
            self = .bond(contract, pesos)
        }

        package init(agency text: String, isHeld: Bool) throws(CommandFailure) {
            guard let agency = AgencyID(text: text) else {
                throw CommandFailure(.usage, "'\(text)' is no agency", remedy: "Write it as ACE07")
            }
            self = isHeld ? .hold(agency) : .release(agency)
        }

        package init(cap text: String) throws(CommandFailure) {
            // As settings write it, or the number alone.
            let number = text.hasSuffix("%") ? String(text.dropLast()).filter { $0 != " " } : text
            guard let cap = BasisPoints(percent: number), cap.value > 0 else {
                throw CommandFailure(.usage, "'\(text)' is no cap", remedy: "Write it in percent, as '40 %' or 40")
            }
            self = .cap(cap)
        }
    }

    private let link: PgLink
    private let period: Period
    private let settings: PlanSettingsFile?
    private let changes: [Change]

    package init(_ link: PgLink, period: Period, settings: PlanSettingsFile?, changes: [Change]) {
        self.link = link
        self.period = period
        self.settings = settings
        self.changes = changes
    }

    /// - Throws: ``CommandFailure`` (usage) where the period cannot be planned, or a change names nothing.
    package func run() throws -> PlanComparison {
        try link.rolledBack {
            // As apply and previews find it.
            try Sweep.runWithin(link)
            let seed = Int64(period.number)
            let now = try PlanDraft.make(link, period: period, seed: seed)
            let tried = try PlanDraft.make(link, period: period, seed: seed, settings: settings)
            var input = tried.input
            for change in changes { try apply(change, to: &input) }
            return PlanComparison(
                PlanComparison.Side(name: "now", plan: now.plan, input: now.input),
                PlanComparison.Side(name: "tried", plan: try PlanDraft.verified(input), input: input))
        }
    }

    private func apply(_ change: Change, to input: inout PlanInput) throws(CommandFailure) {
        switch change {
        case .hold(let agency):
            try ofAgency(agency, &input) { $0.standing = .onHold(motive: "what-if") }
        case .release(let agency):
            try ofAgency(agency, &input) { $0.standing = .active }
        case .advisers(let contract, let station, let count):
            let place = try self.place(contract, input)
            guard var staffing = input.contracts[place].staffing[station] else {
                throw CommandFailure(
                    .usage,
                    "contract \(contract) has no \(station.portfolio.name) advisers in delegation \(station.delegation)",
                    remedy: "Name a place where it works")
            }
            staffing.committed = count
            staffing.present = staffing.present.map { _ in count }
            input.contracts[place].staffing[station] = staffing
        case .bond(let contract, let pesos): input.contracts[try place(contract, input)].bond = pesos.value
        case .cap(let cap): input.agencyCap = cap
        case .shares(let key, let shares):
            for contract in shares.keys.sorted() {
                guard input.contracts[try place(contract, input)].works(key) else {
                    throw CommandFailure(
                        .usage,
                        "contract \(contract) does not work \(key.strategy.name) in delegation \(key.delegation)",
                        remedy: "Name contracts that do")
                }
            }
            input.targets[key] = .fixed(shares)
        }
    }

    private func ofAgency(
        _ agency: AgencyID, _ input: inout PlanInput, _ change: (inout PlanContract) -> Void
    ) throws(CommandFailure) {
        let places = input.contracts.indices.filter { input.contracts[$0].agency == agency }
        guard !places.isEmpty else {
            throw CommandFailure(.usage, "\(agency) has no contract", remedy: "Name an agency of the period")
        }
        for place in places { change(&input.contracts[place]) }
    }

    private func place(_ contract: ContractID, _ input: PlanInput) throws(CommandFailure) -> Int {
        guard let place = input.contracts.firstIndex(where: { $0.contract == contract }) else {
            throw CommandFailure(
                .usage, "there is no contract \(contract)", remedy: "Name one of the period's contracts")
        }
        return place
    }
}

/// Two plans that were kept, beside each other.
package struct PlanComparing {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// - Parameters: plans by number, or by month.
    /// - Throws: ``CommandFailure`` (usage) where there is no such plan.
    package func run(_ first: String, _ second: String) throws -> PlanComparison {
        PlanComparison(try side(first), try side(second))
    }

    private func side(_ name: String) throws -> PlanComparison.Side {
        let row = try PlanRecord.row(PlanProofStore(link), named: name)
        let proof = try PlanProof(text: row.body)
        return PlanComparison.Side(name: "plan \(row.plan) \(row.period)", plan: proof.plan, input: proof.input)
    }
}
