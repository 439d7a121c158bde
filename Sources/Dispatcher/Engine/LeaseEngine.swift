// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment
package import Logging
package import PgStore
internal import Synchronization

/// Runs the requests of all connections as groups: while one group is at the database, the next one gathers.
///
/// Agencies take turns (``FairQueue``), each with as many requests as it has pools dealt to it; one that asks for many accounts counts
/// as several. So the next request of an agency that has none waiting is, at the latest, in the group after ⌈turns of all waiting
/// agencies ÷ `groupMax`⌉ others and the one under way, however much the others send; and no agency can take more than half of the
/// queue. Each of these groups may have others behind it, of its own pulls alone that pass by a limit which is used up: as many as
/// one agency has limits in one place, which is one for each portfolio of its contracts there. Two kinds may be later: a lease that
/// asks for more accounts than `groupAccountsMax` ÷ `groupMax` where others do too, and any request where groups are of one delegation
/// each. They wait for one group at most of each agency whose turn is before theirs.
///
/// Nobody's lock holds up those who do not need it: a group that has waited `lockWait` for one goes on without the requests that
/// do. They wait aside (``Detained``), and are refused after `lockPatience`.
///
/// Holds nothing that cannot be lost: requests that were not answered are asked again under their keys.
package final class LeaseEngine: Sendable {
    /// The bounds of the queue.
    package struct Limits: Sendable {
        /// Requests of one group at most.
        package var groupMax = 256
        /// Accounts from which on a group takes no more large leases, so that one of them is no longer under way than one of small
        /// ones; a lease that asks for more is the only large one. Small are those of no more than one `groupMax`th of it.
        package var groupAccountsMax = 20_000
        /// Whether all requests of one group are of one delegation, so that it stays on one shard of a distributed PostgreSQL.
        package var isOneDelegation = false
        /// Requests waiting at most; more are refused with BUSY. One agency's are refused from half of it on.
        package var queueMax = 20_000
        /// How long a group waits at most for those who were answered just now (``Linger``). `zero`: never.
        package var linger: Duration = .microseconds(100)
        /// How long a group waits for a lock that somebody else keeps, before it goes on without those who need it.
        package var lockWait: Duration = .milliseconds(250)
        /// How long a request waits for such a lock, before it is refused with BUSY.
        package var lockPatience: Duration = .seconds(5)
        /// What came too late and is kept of one agency a day (``EvidenceBounds``).
        package var evidencePerDay = 200_000
        /// How long an undecided objection holds a recall's date up.
        package var objectionHold: Duration = .seconds(10 * 86_400)

        package init() {}
    }

    private struct State {
        var waiting = FairQueue<AgencyID, PendingRequest>()
        var detained = Detained()
        var isRunning = false
        var isClosed = false
        var linger: Linger
        var evidence: EvidenceBounds
        /// The group that waits for company.
        var lingering = LingeringGroup<CheckedContinuation<Void, Never>>()
        var routes = RouteTable()
        var now: Timestamp
        /// Pauses that this node knows of and a reading of the routes may not have seen yet.
        var notes: [AgencyPlace: (isPaused: Bool, number: Int)] = [:]
        /// Of notes and of readings that began, in their order.
        var latestNumber = 0
        /// What ``beginReading()`` said to the reading that the routes are of.
        var routesBegun = 0
    }

    private let state: Mutex<State>
    private let connection: PgConnection
    private let limits: Limits
    private let logger: Logger
    private let start = ContinuousClock.now

    /// - Parameters:
    ///   - connection: used by groups alone; its links must have gone through ``EngineLink`` for ``EngineLink/Use/requests``.
    ///   - now: the database's time at the start.
    package init(connection: PgConnection, limits: Limits, now: Timestamp, logger: Logger) {
        self.state = Mutex(
            State(
                linger: Linger(longest: limits.linger, groupMax: limits.groupMax),
                evidence: EvidenceBounds(perDay: limits.evidencePerDay), now: now))
        self.connection = connection
        self.limits = limits
        self.logger = logger
    }

    /// The domain's time as last read from the database: to be shown, never to decide with.
    package var shownNow: Timestamp { state.withLock { $0.now } }

    /// Takes note of the time as the upkeep has read it.
    package func refresh(now: Timestamp) { state.withLock { $0.now = now } }

    /// To be asked before the routes are read: what is noted later, the reading may not have seen.
    package func beginReading() -> Int {
        state.withLock { state in
            state.latestNumber += 1
            return state.latestNumber
        }
    }

    /// Takes note of the open hands and of the contracts' places as they were read.
    ///
    /// A reading that was begun before the one that the routes are of is dropped: it would bring back what that one replaced.
    ///
    /// - Parameters:
    ///   - begun: what ``beginReading()`` said.
    ///   - tactics: the names that pulls may use; `nil`: those that are known already.
    package func refresh(_ routing: Routing, begun: Int, tactics: [String]? = nil) {
        state.withLock { state in
            guard begun >= state.routesBegun else { return }
            state.routesBegun = begun
            state.routes = RouteTable(routing, tactics: tactics ?? state.routes.tactics)
            state.notes = state.notes.filter { $0.value.number > begun }
            for (place, note) in state.notes { state.routes.note(place, isPaused: note.isPaused) }
        }
    }

    /// Takes note of a pause that was booked or lifted and that the routes may not show yet.
    func note(_ place: AgencyPlace, isPaused: Bool) {
        state.withLock { state in
            state.latestNumber += 1
            state.notes[place] = (isPaused, state.latestNumber)
            state.routes.note(place, isPaused: isPaused)
        }
    }

    /// Refuses everything that comes from here on; what is waiting is still answered.
    package func close() { state.withLock { $0.isClosed = true } }

    /// Queues one request; `answer` is called exactly once, from any thread.
    func submit(_ request: PendingRequest) {
        enum Turn { case queued, start, refuse, complete(CheckedContinuation<Void, Never>) }
        let turn: Turn = state.withLock { state in
            let agency = request.identity.agency
            guard !state.isClosed, state.waiting.count + state.detained.count < limits.queueMax,
                state.waiting.count(of: agency) + state.detained.count(of: agency) < max(1, limits.queueMax / 2)
            else { return .refuse }
            state.waiting.append(request, of: agency)
            if let group = state.lingering.came(state.waiting.count) { return .complete(group) }
            guard !state.isRunning else { return .queued }
            state.isRunning = true
            return .start
        }
        switch turn {
        case .queued: break
        case .complete(let group): group.resume()
        case .start: Task { await run() }
        case .refuse: request.answer(.refused(.busy, after: 1))
        }
    }

    private func run() async {
        while true {
            await linger()
            await releaseDetained()
            switch nextGroup() {
            case .group(let all, let routes, let now):
                let group = detaining(all, routes, now)
                if !group.isEmpty { await perform(group, routes, now) }
            // Nothing cancels this task, so the sleep always runs its time.
            case .onlyDetained: try? await Task.sleep(for: Self.lockPause)
            case .nothing: return
            }
        }
    }

    /// Waits for those who are on their way, where that pays.
    private func linger() async {
        let (wait, had, number) = state.withLock { state in
            (state.linger.wait(for: state.waiting.count, at: .now), state.waiting.count, state.lingering.next())
        }
        guard let (count, end) = wait else { return }
        let timer = Task {
            // Cancelled, the group goes on already; one that slept to its end all the same must not end a younger wait.
            if (try? await ContinuousClock().sleep(until: end)) != nil { goOn(number) }
        }
        await withCheckedContinuation { continuation in
            let isComplete = state.withLock { state in
                // All of them, or the end of the wait, came before this.
                guard state.waiting.count < count, .now < end else { return true }
                state.lingering.wait(number, for: count, continuation)
                return false
            }
            if isComplete { continuation.resume() }
        }
        timer.cancel()
        state.withLock { $0.linger.waited(for: count - had, came: $0.waiting.count - had) }
    }

    private func goOn(_ number: Int) { state.withLock { $0.lingering.end(number) }?.resume() }

    private enum Next {
        case group([PendingRequest], RouteTable, Timestamp)
        /// All that waits, waits for somebody's lock.
        case onlyDetained
        case nothing
    }

    /// The next requests in turns; a second one with the same key waits for the next group, which then sees the first one's row.
    private func nextGroup() -> Next {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                guard state.detained.isEmpty else { return .onlyDetained }
                state.isRunning = false
                return .nothing
            }
            var room = GroupRoom(limits)
            let routes = state.routes
            let group = state.waiting.take(
                limits.groupMax, weight: { routes.weight(of: $0) }, size: { limits.size(of: $0) },
                while: { room.admits($0) })
            return .group(group, routes, state.now)
        }
    }

    // MARK: - Somebody's locks

    /// Between two looks at what somebody else keeps locked, while anything waits for it.
    private static let lockPause: Duration = .milliseconds(20)

    /// Sets those aside that need what is known to be locked.
    private func detaining(_ group: [PendingRequest], _ routes: RouteTable, _ now: Timestamp) -> [PendingRequest] {
        guard state.withLock({ !$0.detained.isEmpty }) else { return group }
        let steps = GroupPlan(group, routes: routes, now: now).steps
        return state.withLock { state in
            steps.filter { !state.detained.detainsKnown($0) }.map(\.request)
        }
    }

    /// Takes up those whose lock is free by now, and refuses those who have waited long enough.
    private func releaseDetained() async {
        let clock = ContinuousClock.now
        let (overdue, question) = state.withLock { state in
            let patience = state.isClosed ? .zero : limits.lockPatience
            return (state.detained.removeOverdue(at: clock, patience: patience), state.detained.question(at: clock))
        }
        for request in overdue { request.answer(.refused(.busy, after: 1)) }
        guard let question else { return }
        do {
            let locked = try await connection.run { try $0.findLocked(question) }
            let (group, routes, now) = state.withLock { state in
                var room = GroupRoom(limits)
                let group = state.detained.removeFree(locked, at: clock + Self.lockPause) { room.admits($0) }
                return (group, state.routes, state.now)
            }
            if !group.isEmpty { await perform(group, routes, now) }
        } catch {
            logger.failed("Locks were not looked at", error)
        }
    }

    /// Splits a group that has waited too long for a lock.
    ///
    /// - Returns: those that need nothing that is locked; `nil` where nothing is any more, or what it is was not found.
    private func withoutLocked(
        _ group: [PendingRequest], _ routes: RouteTable, _ now: Timestamp
    ) async -> [PendingRequest]? {
        let plan = GroupPlan(group, routes: routes, now: now)
        guard let locked = try? await connection.run({ try $0.findLocked(plan.question) }), !locked.isEmpty else {
            return nil
        }
        logger.info(
            "Requests wait for locks",
            metadata: [
                "locked.hands": "\(locked.hands.count)", "locked.quotas": "\(locked.quotas.count)",
                "locked.grants": "\(locked.grants.count)",
            ])
        let free = state.withLock { state in
            plan.steps.filter { !state.detained.detain($0, by: locked) }.map(\.request)
        }
        return free.count < group.count ? free : nil
    }

    /// Runs a group, once more where that can help, and then in halves until the culprit stands alone.
    private func perform(_ group: [PendingRequest], _ routes: RouteTable, _ now: Timestamp) async {
        for attempt in 1...2 {
            do {
                let decision = try await decide(group, routes, now)
                state.withLock { state in
                    for (hand, cursor) in decision.cursors { state.routes.note(hand, cursor: cursor) }
                    state.now = max(state.now, decision.writes.now)
                    for (agency, count) in decision.evidenceCounts {
                        state.evidence.keep(count, of: agency, at: uptime)
                    }
                    // Before anybody can have come again.
                    state.linger.answered(group.count, waiting: state.waiting.count, at: .now)
                }
                var passing: [PendingRequest] = []
                for (index, (request, reply)) in zip(group, decision.replies).enumerated() {
                    if let quota = decision.passed[index] {
                        passing.append(request.passing(quota, saying: reply))
                    } else {
                        request.answer(reply)
                    }
                }
                // Each passes one more limit by; an agency has one for each portfolio of its contracts in that place.
                if !passing.isEmpty { await perform(passing, state.withLock { $0.routes }, now) }
                return
            } catch {
                if (error as? PgError)?.isLockTimeout == true, let free = await withoutLocked(group, routes, now) {
                    if !free.isEmpty { await perform(free, routes, now) }
                    return
                }
                logger.failed("Group failed", error, ["group.size": "\(group.count)", "attempt": "\(attempt)"])
                // Nobody there, nobody who answers, or a server that is not safe: no request of the group is to blame, and halves
                // of it would only ask as often.
                let failure = error as? PgError
                if failure?.isUnreachable == true || failure?.isUnanswered == true || error is CommandFailure {
                    return refuse(group)
                }
            }
        }
        guard group.count > 1 else { return refuse(group) }
        let middle = group.count / 2
        await perform(Array(group[..<middle]), routes, now)
        await perform(Array(group[middle...]), routes, now)
    }

    /// Microseconds since the engine began.
    private var uptime: Int64 { (ContinuousClock.now - start).microseconds }

    private func refuse(_ group: [PendingRequest]) {
        for request in group { request.answer(.refused(.unavailable, after: 2)) }
    }

    private func decide(
        _ group: [PendingRequest], _ routes: RouteTable, _ now: Timestamp
    ) async throws -> GroupDecision {
        let (evidence, uptime) = (state.withLock { $0.evidence }, self.uptime)
        return try await connection.run { link in
            let plan = GroupPlan(group, routes: routes, now: now)
            let answer = try link.openGroup(plan.question)
            let decision = GroupDecision(
                plan, answer, objectionHold: limits.objectionHold, evidence: evidence, uptime: uptime)
            try link.finishGroup(decision.writes)
            return decision
        }
    }
}
