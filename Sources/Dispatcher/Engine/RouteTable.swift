// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// Where each agency's pulls go: a copy of the open hands, read anew about once a second.
///
/// It only suggests. What a pull may take is decided under the hand's lock from what the database says then; an old copy
/// costs one more request, never a wrong lease.
struct RouteTable: Sendable {
    private var routes: [AgencyPlace: [HandRoute]] = [:]
    /// How far contracts go, dealt to or not.
    private var reach: [AgencyPlace: [ContractPlace]] = [:]
    private let suspended: Set<AgencyPlace>
    private let redealing: Set<AgencyPlace>
    private var cursors: [HandKey: Int32] = [:]
    /// What a pull may name as a tactic; `nil`: not known.
    let tactics: [String]?
    /// Pools that are dealt to each agency.
    private var pools: [AgencyID: Set<QuotaKey>] = [:]

    init(_ routing: Routing = Routing(), tactics: [String]? = nil) {
        self.tactics = tactics
        suspended = routing.suspended
        redealing = routing.redealing
        for contract in routing.contracts { reach[contract.place, default: []].append(contract) }
        for route in routing.hands {
            routes[
                AgencyPlace(delegation: route.key.delegation, agency: route.agency, strategy: route.strategy),
                default: []
            ]
            .append(route)
            cursors[route.key] = route.cursor
            pools[route.agency, default: []].insert(route.quota)
        }
    }

    /// How many requests an agency's turn has: one for each pool that is dealt to it.
    func weight(of agency: AgencyID) -> Int { max(1, pools[agency]?.count ?? 0) }

    /// The hand that a pull draws from: the first one in order that is not at its end, else the last.
    enum Choice: Sendable {
        /// `goesOn`: where its limit is used up, the pull is decided once more: another hand draws on a limit that is not known to be
        /// used up.
        case hand(HandRoute, hasMoreHands: Bool, goesOn: Bool)
        /// The agency has no contract there that fits the request.
        case outOfScope(ScopePart)
        /// It has one that does, and nothing was dealt to it, or nothing of the tactic is left.
        case nothingDealt
        /// The pull names a tactic, and the settings do not let pulls of that delegation and strategy do so.
        case noTactic
        /// The pull names a tactic that the policy does not have: these it has.
        case unknownTactic([String])
        case suspended
        case paused
        /// What is left of it is being dealt again.
        case redealing
    }

    /// - Parameter full: limits that were found to be used up just now: hands that draw on them come last.
    func choose(
        _ request: LeaseRequest, for agency: AgencyID, on today: LocalDate, full: Set<QuotaKey> = []
    ) -> Choice {
        let place = AgencyPlace(delegation: request.delegation, agency: agency, strategy: request.strategy)
        // Its hands are withdrawn, so that nothing else could be said of them.
        if suspended.contains(place) { return .suspended }
        let dealt = routes[place] ?? []
        func fits(_ contract: ContractID, _ portfolio: Portfolio) -> Bool {
            request.contract ?? contract == contract && request.portfolio ?? portfolio == portfolio
        }
        let fitting = dealt.filter { fits($0.contract, $0.portfolio) && $0.terms.contractEndsOn >= today }
        guard let last = fitting.last else {
            // A contract goes so far, and nobody was placed there, or nothing was dealt to it: it is the same to whoever asks.
            guard reach[place]?.contains(where: { fits($0.contract, $0.portfolio) }) ?? false else {
                return .outOfScope(part(of: place, request))
            }
            return redealing.contains(place) ? .redealing : .nothingDealt
        }
        if let tactic = request.tactic, let tactics, !tactics.contains(tactic.text) { return .unknownTactic(tactics) }
        if request.tactic != nil, !fitting.contains(where: { $0.tactic != nil }) { return .noTactic }
        if last.isPaused { return .paused }
        let unfinished = fitting.filter { route in
            route.size > (cursors[route.key] ?? 0) && (request.tactic == nil || request.tactic?.text == route.tactic)
        }
        guard let first = unfinished.first else {
            if redealing.contains(place) { return .redealing }
            return request.tactic == nil
                ? .hand(last, hasMoreHands: false, goesOn: false) : .nothingDealt
        }
        let open = full.isEmpty ? unfinished : unfinished.filter { !full.contains($0.quota) }
        let route = open.first.map { evened($0, open) } ?? evened(first, unfinished)
        let goesOn = open.contains { $0.quota != route.quota }
        return .hand(route, hasMoreHands: unfinished.count > 1, goesOn: goesOn)
    }

    /// The first part of the request that no contract of the agency fits.
    private func part(of place: AgencyPlace, _ request: LeaseRequest) -> ScopePart {
        // A contract that is over may still have hands.
        let known = Set(reach.keys).union(routes.keys)
        guard known.contains(where: { $0.agency == place.agency && $0.delegation == place.delegation }) else {
            return .delegation
        }
        guard known.contains(place) else { return .strategy }
        let contracts = reach[place] ?? []
        if contracts.isEmpty || request.contract.map({ asked in !contracts.contains { $0.contract == asked } }) ?? false
        {
            return .contract
        }
        return .portfolio
    }

    /// Where hands have one tactic each, a pull that names none takes of the one furthest behind among those of the first
    /// one's class, so that over several pulls an agency has of each tactic its part.
    private func evened(_ first: HandRoute, _ unfinished: [HandRoute]) -> HandRoute {
        guard first.tactic != nil else { return first }
        var best = first
        for route in unfinished.dropFirst()
        where route.isFront == first.isFront && route.isShared == first.isShared && route.contract == first.contract
            && route.portfolio == first.portfolio && route.priority == first.priority
        {
            let mine = Int64(cursors[route.key] ?? 0) * Int64(best.size)
            if mine < Int64(cursors[best.key] ?? 0) * Int64(route.size) { best = route }
        }
        return best
    }

    /// Takes note of a pause that this node has just booked or lifted, until the next reading of the routes.
    mutating func note(_ place: AgencyPlace, isPaused: Bool) {
        guard let count = routes[place]?.count else { return }
        for index in 0..<count { routes[place]?[index].isPaused = isPaused }
    }

    /// Takes note of how far a hand has been drawn, so that the next pull goes on to the next hand.
    mutating func note(_ hand: HandKey, cursor: Int32) { cursors[hand] = cursor }
}

/// The key of a request that reaches beyond an agency's contracts.
enum ScopePart: String, Sendable {
    case delegation, strategy, contract, portfolio

    func fields(_ delegation: Delegation) -> [ReplyField] {
        let expected =
            switch self {
            case .delegation: "a delegation of one of your contracts"
            case .strategy: "a strategy of one of your contracts in delegation \(delegation)"
            case .contract: "a contract of yours that is in force there and has the strategy"
            case .portfolio: "a portfolio of your contract there"
            }
        return [ReplyField("field", rawValue), ReplyField("expected", expected)]
    }
}
