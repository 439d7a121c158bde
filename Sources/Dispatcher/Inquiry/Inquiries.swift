// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Logging
internal import PgStore

/// Answers the verbs that only ask, and those that set an agency's own state, on a connection of their own: however long they take,
/// no group waits for them.
struct Inquiries: Sendable {
    /// What is asked of it begins with a question, so that the first after a restart of the database is answered.
    let connection: PgConnection
    let engine: LeaseEngine
    /// Opens contact data; `nil` where the node has no key to it.
    let cipher: ContactCipher?
    let logger: Logger

    /// Accounts of one page.
    static let pageMax: Int32 = 1_000

    // MARK: - HELD

    func held(_ request: HeldRequest, for identity: AgentIdentity) async -> Reply {
        await answered("held") {
            try await connection.ask { link in
                let limit = request.max.map(Int32.init) ?? Self.pageMax
                let after = request.after.map { ($0.delegation.value, $0.hand, $0.position) } ?? (0, 0, 0)
                let page = try link.readHeldDetails(
                    of: identity.agency, in: request.delegation, after: after, limit: limit)
                let now = try link.readNow()
                var end = [ReplyField("listed", Int64(page.count))]
                if page.count == Int(limit), let last = page.last {
                    let place = HeldPlace(
                        delegation: last.lease.delegation, hand: last.grant.hand, position: last.position)
                    end.append(ReplyField("next", place))
                }
                return .listed(page.map { $0.fields(at: now) }, end: end)
            }
        }
    }

    // MARK: - STATUS

    func status(_ request: StatusRequest, for identity: AgentIdentity) async -> Reply {
        await answered("status") {
            try await connection.ask { link in
                let standings = try link.readStandings(
                    of: identity.agency, in: request.delegation, strategy: request.strategy)
                let held = standings.reduce(0) { $0 + $1.quota.heldAccounts }
                // About no strategy; who asks for one is spared them.
                let warnings =
                    request.strategy == nil
                    ? try ProjectionStore(link).warnings(of: identity.agency, in: request.delegation) : []
                return .listed(
                    standings.map(\.statusFields) + warnings.map(\.fields), end: [ReplyField("held", held)])
            }
        }
    }

    // MARK: - EXPLAIN

    func explain(_ request: ExplainRequest, for identity: AgentIdentity) async -> Reply {
        await answered("explain") {
            try await connection.ask { link in
                switch request.subject {
                case .account(let account):
                    let deals = try link.readAccountDeals(
                        of: identity.agency, in: request.delegation, account: account)
                    guard !deals.isEmpty else { return .refused(.unknown) }
                    let late = try link.readEvidence(
                        of: identity.agency, in: request.delegation, account: account)
                    let now = Period.ofWork(at: try link.readNow())
                    let first = deals.map { Period.ofWork(at: $0.grantedAt) }.reduce(now, min)
                    let outcomes = try link.readAccountOutcomes(
                        of: identity.agency, in: request.delegation, account: account, months: first...now)
                    let reported = Dictionary(grouping: outcomes, by: \.epoch)
                    return .listed(
                        deals.flatMap { $0.history(reported[$0.epoch] ?? []) } + late.map(\.event), end: [])
                case .strategy(let strategy):
                    let standings = try link.readStandings(
                        of: identity.agency, in: request.delegation, strategy: strategy)
                    let place = AgencyPlace(
                        delegation: request.delegation, agency: identity.agency, strategy: strategy)
                    // As LEASE: where a contract goes so far, nothing was dealt; where none does, nothing can be.
                    guard try !standings.isEmpty || link.readPlaces().contains(place) else {
                        return .refused(.scope, ScopePart.strategy.fields(request.delegation))
                    }
                    return .listed(standings.map(\.explanation), end: [])
                }
            }
        }
    }

    // MARK: - QUIET

    /// The agency's own pause: for all of its installations, until it is lifted.
    func quiet(_ request: QuietRequest, for identity: AgentIdentity) async -> Reply {
        let place = AgencyPlace(
            delegation: request.delegation, agency: identity.agency, strategy: request.strategy)
        return await answered("quiet") {
            if try await connection.ask({ try $0.awaitsRecovery() }) { return .awaitsRecovery }
            let isPaused: Bool? = try await connection.ask { link in
                guard try link.readPlaces().contains(place) else { return nil }
                _ = try link.transaction {
                    try Pauses.set(link, [place], side: .agency, isPaused: request.state == .on, reason: "quiet")
                }
                return try link.readPauses().contains { $0.place == place }
            }
            guard let isPaused else { return .refused(.scope, ScopePart.strategy.fields(request.delegation)) }
            engine.note(place, isPaused: isPaused)
            return .listed([], end: [ReplyField("paused", isPaused)])
        }
    }

    // MARK: - RESUME

    /// Compares what a client believes that it holds with what it does.
    func resume(_ request: ResumeRequest, for identity: AgentIdentity) async -> Reply {
        await answered("resume") {
            try await connection.ask { link in
                switch request.belief {
                case .digest(let count, let sum):
                    try HeldDifference.byDigest(
                        count, sum, after: request.after, since: request.since, of: identity.agency, link)
                case .list(let list, let through):
                    try HeldDifference.byList(
                        list, after: request.after, through: through, of: identity.agency, link)
                }
            }
        }
    }

    func answered(_ what: String, _ body: () async throws -> Reply) async -> Reply {
        do {
            return try await body()
        } catch {
            logger.failed("Inquiry failed", error, ["inquiry": "\(what)"])
            return .refused(.unavailable, after: 2)
        }
    }
}
