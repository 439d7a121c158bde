// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment
package import Logging
package import PgStore
internal import Synchronization

/// Runs the requests of all connections as groups: while one group is at the database, the next one gathers.
///
/// Agencies take turns (``FairQueue``), each with as many requests as it has pools dealt to it. So the next request of an agency
/// that has none waiting is, at the latest, in the group after ⌈turns of all waiting agencies ÷ `groupMax`⌉ others and the one under
/// way, however much the others send; and no agency can take more than half of the queue.
///
/// Holds nothing that cannot be lost: requests that were not answered are asked again under their keys.
package final class LeaseEngine: Sendable {
    /// The bounds of the queue.
    package struct Limits: Sendable {
        /// Requests of one group at most.
        package var groupMax = 256
        /// Accounts that the leases of one group ask for at most, so that a group of large ones is no longer under way than one
        /// of small ones; a lease that asks for more is alone.
        package var groupAccountsMax = 20_000
        /// Requests waiting at most; more are refused with BUSY. One agency's are refused from half of it on.
        package var queueMax = 20_000
        /// How long a group of fewer than `groupMax` requests waits for company.
        package var linger: Duration = .zero
        /// How long an undecided objection holds a recall's date up.
        package var objectionHold: Duration = .seconds(10 * 86_400)

        package init() {}
    }

    private struct State {
        var waiting = FairQueue<AgencyID, PendingRequest>()
        var isRunning = false
        var isClosed = false
        var routes = RouteTable()
        var now: Timestamp
        /// Pauses that this node knows of and a reading of the routes may not have seen yet.
        var notes: [AgencyPlace: (isPaused: Bool, number: Int)] = [:]
        var latestNote = 0
        /// What ``beginReading()`` said to the reading that the routes are of.
        var routesBegun = 0
    }

    private let state: Mutex<State>
    private let connection: PgConnection
    private let limits: Limits
    private let logger: Logger

    /// - Parameters:
    ///   - connection: used by groups alone; its links must have gone through ``EngineLink/prepare(_:allowsUnsafeDurability:)``.
    ///   - now: the database's time at the start.
    package init(connection: PgConnection, limits: Limits, now: Timestamp, logger: Logger) {
        self.state = Mutex(State(now: now))
        self.connection = connection
        self.limits = limits
        self.logger = logger
    }

    /// The domain's time as last read from the database: to be shown, never to decide with.
    package var shownNow: Timestamp { state.withLock { $0.now } }

    /// Takes note of the time as the upkeep has read it.
    package func refresh(now: Timestamp) { state.withLock { $0.now = now } }

    /// To be asked before the routes are read: what is noted later, the reading may not have seen.
    package func beginReading() -> Int { state.withLock { $0.latestNote } }

    /// Takes note of the open hands and of the contracts' places as they were read.
    ///
    /// A reading that was begun before the one that the routes are of is dropped: it would bring back what that one replaced.
    ///
    /// - Parameter begun: what ``beginReading()`` said.
    package func refresh(_ routing: Routing, begun: Int) {
        let table = RouteTable(routing)
        state.withLock { state in
            guard begun >= state.routesBegun else { return }
            state.routesBegun = begun
            state.routes = table
            state.notes = state.notes.filter { $0.value.number > begun }
            for (place, note) in state.notes { state.routes.note(place, isPaused: note.isPaused) }
        }
    }

    /// Takes note of a pause that was booked or lifted and that the routes may not show yet.
    func note(_ place: AgencyPlace, isPaused: Bool) {
        state.withLock { state in
            state.latestNote += 1
            state.notes[place] = (isPaused, state.latestNote)
            state.routes.note(place, isPaused: isPaused)
        }
    }

    /// Refuses everything that comes from here on; what is waiting is still answered.
    package func close() { state.withLock { $0.isClosed = true } }

    /// Queues one request; `answer` is called exactly once, from any thread.
    func submit(_ request: PendingRequest) {
        enum Turn { case queued, start, refuse }
        let turn: Turn = state.withLock { state in
            let agency = request.identity.agency
            guard !state.isClosed, state.waiting.count < limits.queueMax,
                state.waiting.count(of: agency) < max(1, limits.queueMax / 2)
            else { return .refuse }
            state.waiting.append(request, of: agency)
            guard !state.isRunning else { return .queued }
            state.isRunning = true
            return .start
        }
        switch turn {
        case .queued: break
        case .start: Task { await run() }
        case .refuse: request.answer(.refused(.busy, after: 1))
        }
    }

    private func run() async {
        while true {
            // Nothing cancels this task, so the sleep always runs its time.
            if limits.linger > .zero { try? await Task.sleep(for: limits.linger) }
            guard let (group, routes, now) = nextGroup() else { return }
            await perform(group, routes, now)
        }
    }

    /// The next requests in turns; a second one with the same key waits for the next group, which then sees the first one's row.
    private func nextGroup() -> ([PendingRequest], RouteTable, Timestamp)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isRunning = false
                return nil
            }
            var keys: Set<ScopedKey> = []
            var accounts = 0
            let routes = state.routes
            let group = state.waiting.take(limits.groupMax, weight: { routes.weight(of: $0) }) { request in
                guard keys.isEmpty || accounts + request.accounts <= limits.groupAccountsMax,
                    keys.insert(ScopedKey(verb: request.verb, key: request.key)).inserted
                else { return false }
                accounts += request.accounts
                return true
            }
            return (group, routes, state.now)
        }
    }

    private struct ScopedKey: Hashable {
        let verb: Int
        let key: IdempotencyKey
    }

    /// Runs a group, once more where that can help, and then in halves until the culprit stands alone.
    private func perform(_ group: [PendingRequest], _ routes: RouteTable, _ now: Timestamp) async {
        for attempt in 1...2 {
            do {
                let decision = try await decide(group, routes, now)
                state.withLock { state in
                    for (hand, cursor) in decision.cursors { state.routes.note(hand, cursor: cursor) }
                    state.now = max(state.now, decision.writes.now)
                }
                for (request, reply) in zip(group, decision.replies) { request.answer(reply) }
                return
            } catch {
                logger.warning(
                    "Group failed",
                    metadata: ["group.size": "\(group.count)", "attempt": "\(attempt)", "error": "\(error)"])
                // Nobody there: no request of the group is to blame, and halves of it would only ask as often.
                if (error as? PgError)?.isUnreachable == true { return refuse(group) }
            }
        }
        guard group.count > 1 else { return refuse(group) }
        let middle = group.count / 2
        await perform(Array(group[..<middle]), routes, now)
        await perform(Array(group[middle...]), routes, now)
    }

    private func refuse(_ group: [PendingRequest]) {
        for request in group { request.answer(.refused(.unavailable, after: 2)) }
    }

    private func decide(
        _ group: [PendingRequest], _ routes: RouteTable, _ now: Timestamp
    ) async throws -> GroupDecision {
        try await connection.run { link in
            let plan = GroupPlan(group, routes: routes, now: now)
            let decision = GroupDecision(plan, try link.openGroup(plan.question), objectionHold: limits.objectionHold)
            try link.finishGroup(decision.writes)
            return decision
        }
    }
}
