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
    private let places: Set<AgencyPlace>
    private let suspended: Set<AgencyPlace>
    private let redealing: Set<AgencyPlace>
    private var cursors: [HandKey: Int32] = [:]
    /// Pools that are dealt to each agency.
    private var pools: [AgencyID: Set<QuotaKey>] = [:]

    init(_ routing: Routing = Routing()) {
        places = routing.places
        suspended = routing.suspended
        redealing = routing.redealing
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
        case hand(HandRoute, hasMoreHands: Bool)
        /// The agency has no contract there that fits the request.
        case outOfScope
        /// It has one, and nothing was dealt to it.
        case nothingDealt
        case suspended
        case paused
        /// What is left of it is being dealt again.
        case redealing
    }

    func choose(_ request: LeaseRequest, for agency: AgencyID, on today: LocalDate) -> Choice {
        let place = AgencyPlace(delegation: request.delegation, agency: agency, strategy: request.strategy)
        // Its hands are withdrawn, so that nothing else could be said of them.
        if suspended.contains(place) { return .suspended }
        let dealt = routes[place] ?? []
        if dealt.isEmpty, request.contract == nil, places.contains(place) {
            return redealing.contains(place) ? .redealing : .nothingDealt
        }
        let fitting = dealt.filter { route in
            (request.contract.map { $0 == route.contract } ?? true)
                && (request.portfolio.map { $0 == route.portfolio } ?? true) && route.terms.contractEndsOn >= today
        }
        guard let last = fitting.last else { return .outOfScope }
        if last.isPaused { return .paused }
        let unfinished = fitting.filter { $0.size > (cursors[$0.key] ?? 0) }
        guard let first = unfinished.first else {
            return redealing.contains(place) ? .redealing : .hand(last, hasMoreHands: false)
        }
        return .hand(first, hasMoreHands: unfinished.count > 1)
    }

    /// Takes note of a pause that this node has just booked or lifted, until the next reading of the routes.
    mutating func note(_ place: AgencyPlace, isPaused: Bool) {
        guard let count = routes[place]?.count else { return }
        for index in 0..<count { routes[place]?[index].isPaused = isPaused }
    }

    /// Takes note of how far a hand has been drawn, so that the next pull goes on to the next hand.
    mutating func note(_ hand: HandKey, cursor: Int32) { cursors[hand] = cursor }
}
