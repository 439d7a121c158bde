// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What an order about an agency did, or would do, for people and programs: per delegation and strategy, and in all.
struct AgencyOrderReport {
    /// Accounts of one delegation and strategy.
    private struct Figures {
        /// Had not been pulled, and goes back.
        var withdrawn: Int64 = 0
        /// Of what is held: all of it, and what notice of a recall is given of.
        var held: Int64 = 0
        var recalled: Int64 = 0
        /// Dealt to other agencies: what was withdrawn, and what waited for nobody before.
        var dealtToOthers: Int64 = 0
    }

    private let agency: AgencyID
    private let action: AgencyOrderRow.Action
    private let strategy: Strategy?
    private let band: String?
    private let motive: String
    private let finalAt: Timestamp?
    var isPreview = false
    private var figures: [AgencyPlace: Figures] = [:]
    /// Delegations and strategies in which its pulls bring nothing, or something again.
    var places = 0
    /// A plan is being dealt: it keeps to the order, and gives others what was meant for the agency.
    var isBeingDealt = false
    /// Accounts that waited for nobody before the order.
    var waitedBefore: Int64 = 0
    /// Of a release: recalls that end with it, and that go on all the same.
    private var recallsWithdrawn: Int64 = 0
    private var recallsGoingOn: Int64 = 0
    /// Of a release: what is in force of holds and suspensions after it.
    var stands: [String] = []
    /// What others were dealt in its place, or would be, or why nothing is.
    var dealtAgain: Result<RedealReport, CommandFailure>? {
        didSet {
            guard case .success(let redeal) = dealtAgain else { return }
            // A pool is named for a changed limit, too.
            for pool in redeal.pools where pool.accounts > 0 {
                guard let place = place(pool.delegation, pool.strategy) else { continue }
                figures[place, default: Figures()].dealtToOthers += pool.accounts
            }
        }
    }

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
    var withdrawn: Int64 { total(\.withdrawn) }

    private func total(_ figure: (Figures) -> Int64) -> Int64 { figures.values.reduce(0) { $0 + figure($1) } }

    private func place(_ delegation: Int16, _ strategy: String) -> AgencyPlace? {
        guard let delegation = Delegation(delegation),
            let strategy = Strategy.allCases.first(where: { $0.name == strategy })
        else { return nil }
        return AgencyPlace(delegation: delegation, agency: agency, strategy: strategy)
    }

    // MARK: - What is counted

    mutating func add(_ hand: WithdrawnHand) {
        add(
            withdrawn: hand.accounts,
            at: AgencyPlace(delegation: hand.key.delegation, agency: agency, strategy: hand.strategy))
    }

    mutating func add(_ endings: [EndingRow]) {
        guard let strategy else { return }
        for ending in endings {
            add(
                withdrawn: 1,
                at: AgencyPlace(delegation: ending.lease.delegation, agency: agency, strategy: strategy))
        }
    }

    mutating func add(withdrawn accounts: Int64, at place: AgencyPlace) {
        figures[place, default: Figures()].withdrawn += accounts
    }

    mutating func add(recalled accounts: Int64, at place: AgencyPlace) {
        figures[place, default: Figures()].recalled += accounts
    }

    /// - Parameter isRecalled: whether notice would be given of what has no recall under way.
    mutating func add(held: [AgencyPlace: (held: Int64, recallable: Int64)], isRecalled: Bool) {
        for (place, accounts) in held where accounts.held > 0 {
            figures[place, default: Figures()].held += accounts.held
            if isRecalled { add(recalled: accounts.recallable, at: place) }
        }
    }

    /// The order is in force, and what waits for others is not dealt to them.
    var failure: CommandFailure? {
        guard case .failure(let failure) = dealtAgain, !isBeingDealt else { return nil }
        return CommandFailure(
            .findings,
            "the order about \(agency) is in force, and what waits for others is not dealt yet: \(failure.found)",
            remedy: "Deal it with: dispatcherd plan rebalance --left-over")
    }

    /// Recalls of what a release covers.
    mutating func addRecalls(underWay count: Int64, areWithdrawn: Bool) {
        if areWithdrawn { recallsWithdrawn += count } else { recallsGoingOn += count }
    }

    // MARK: - For programs and people

    private struct Document: Encodable {
        struct Place: Encodable {
            let delegation: Int16
            let strategy: String
            let withdrawn, held, recalled, dealtToOthers: Int64
        }
        let agency, action: String
        let strategy, band, recallOn: String?
        let motive: String
        let isPreview: Bool
        let withdrawn, held, recalled: Int64
        /// What waited for nobody before the order.
        let waitedBefore: Int64
        /// Of a release.
        let recallsWithdrawn, recallsGoingOn: Int64?
        /// Absent where nothing could be dealt again.
        let dealtAgain: Int64?
        /// Why nothing is dealt to others yet.
        let notDealt: String?
        let places: [Place]
    }

    func text(asJSON: Bool) throws -> String {
        let rows = figures.sorted {
            ($0.key.delegation, $0.key.strategy.rawValue) < ($1.key.delegation, $1.key.strategy.rawValue)
        }
        guard asJSON else { return (table(rows) + summary).joined(separator: "\n") }
        return try JSONText.of(
            Document(
                agency: agency.description, action: action.rawValue, strategy: strategy?.name, band: band,
                recallOn: finalAt?.description, motive: motive, isPreview: isPreview, withdrawn: withdrawn,
                held: total(\.held), recalled: total(\.recalled), waitedBefore: waitedBefore,
                recallsWithdrawn: action == .release ? recallsWithdrawn : nil,
                recallsGoingOn: action == .release ? recallsGoingOn : nil,
                dealtAgain: (try? dealtAgain?.get()).map { _ in total(\.dealtToOthers) }, notDealt: notDealt,
                places: rows.map { place, figures in
                    .init(
                        delegation: place.delegation.value, strategy: place.strategy.name,
                        withdrawn: figures.withdrawn, held: figures.held, recalled: figures.recalled,
                        dealtToOthers: figures.dealtToOthers)
                }))
    }

    private var notDealt: String? {
        guard case .failure(let failure) = dealtAgain else { return nil }
        return failure.found
    }

    private func table(_ rows: [(key: AgencyPlace, value: Figures)]) -> [String] {
        guard !rows.isEmpty, action != .release else { return [] }
        var table = TextTable(columns: [.right, .left, .right, .right, .right, .right])
        table.row(["delegation", "strategy", "withdrawn", "held", finalAt == nil ? "" : "recalled", "to others"])
        for (place, figures) in rows {
            table.row([
                "\(place.delegation)", place.strategy.name, Self.grouped(figures.withdrawn),
                Self.grouped(figures.held), finalAt == nil ? "" : Self.grouped(figures.recalled),
                Self.grouped(figures.dealtToOthers),
            ])
        }
        return table.lines
    }

    private static func grouped(_ accounts: Int64) -> String { Console.grouped(Int(accounts)) }

    private var summary: [String] {
        let what = [strategy?.name, band].compactMap(\.self).joined(separator: ", ")
        let scope = what.isEmpty ? "" : " of \(what)"
        let would = isPreview ? "would be " : ""
        var lines: [String] = []
        switch action {
        case .release:
            lines.append("\(agency) \(isPreview ? "would get" : "gets") work\(scope) again: \(motive)")
            lines.append("its part comes with the next plan, or with dispatcherd plan rebalance")
            if !stands.isEmpty { lines.append("it is \(stands.joined(separator: ", ")) still") }
            if recallsWithdrawn > 0 {
                lines.append("\(Words.counted(recallsWithdrawn, "recall")) of what it holds \(would)withdrawn")
            }
            if recallsGoingOn > 0 {
                let of = (strategy.map { " --strategy \($0.name)" } ?? "") + (band.map { " --band \($0)" } ?? "")
                lines.append(
                    "\(Words.counted(recallsGoingOn, "recall")) of what it holds \(recallsGoingOn == 1 ? "goes" : "go") on: "
                        + "dispatcherd agency release \(agency)\(of) --motive \(motive) --withdraw-recalls ends them, "
                        + "dispatcherd recall withdraw one by one")
            }
        case .hold: lines.append("\(agency) \(would)on hold: \(motive)")
        case .suspend: lines.append("\(agency) \(would)suspended\(scope): \(motive)")
        case .terminate: lines.append("\(agency) \(would)terminated: \(motive)")
        }
        if action != .release {
            lines.append("\(Words.counted(withdrawn, "account")) that it had not pulled \(would)withdrawn")
            if let finalAt {
                lines.append("\(Self.grouped(total(\.recalled))) that it holds \(would)recalled, final \(finalAt)")
            } else {
                let stay = isPreview ? "would stay until their term" : "stay until their term"
                lines.append("\(Self.grouped(total(\.held))) that it holds \(stay)")
            }
        }
        lines += others
        if isPreview { lines.append("nothing was changed") }
        return lines
    }

    private var others: [String] {
        switch dealtAgain {
        case .success(let redeal):
            guard redeal.demand > 0 else { return ["nothing \(isPreview ? "would wait" : "waits") for others"] }
            let before = min(waitedBefore, redeal.demand)
            let shortage = redeal.shortage.map {
                isPreview ? [$0] + redeal.following : [$0, "once somebody can: dispatcherd plan rebalance --left-over"]
            }
            return [
                "\(Words.counted(redeal.demand, "account")) \(isPreview ? "would wait" : "waited") for others: "
                    + "\(Self.grouped(redeal.demand - before)) by this order, "
                    + "\(Self.grouped(before)) \(isPreview ? "anyway" : "from before")",
                "\(Self.grouped(total(\.dealtToOthers))) of them \(isPreview ? "would be " : "")dealt to others",
            ] + (shortage ?? [])
        case .failure(let failure) where isPreview: return ["nothing would be dealt to others: \(failure.found)"]
        case .failure(let failure):
            return ["what waits for others is not dealt yet: \(failure.found)"]
        case nil: return []
        }
    }
}
