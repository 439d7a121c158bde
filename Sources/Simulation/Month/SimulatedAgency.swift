// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// One agency with its people, its client and what it believes. Acts once per tick; the day's order is that of an
/// office: report what was done since the last tick, ask for more time, pull, then give back.
actor SimulatedAgency {
    let agency: AgencyID
    let seed: UInt64
    let posts: [ContractBook.Post]
    let period: Period
    let behaviour: Behaviour
    var state: AgencyState
    let link: AgencyLink
    var log: AgencyLog
    var counts = MonthCounts()
    var random = SplitMix64(seed: 0)
    /// Posts and strategies that brought nothing today.
    var exhausted: Set<PullKey> = []
    private var hasToResume = false
    /// Posts and strategies for which nothing was dealt to the contract.
    var undealt: Set<PullKey> = []
    /// Whether the daemon has no key to contact data, so that asking is of no use.
    let closedContacts: ClosedContacts
    /// The second client of a cloned one.
    var copy: AgencyLink?

    struct PullKey: Hashable {
        var contract: ContractID
        var delegation: Delegation
        var strategy: Strategy
    }

    /// - Parameter closedContacts: shared by all agencies of a run.
    init(
        _ state: AgencyState, posts: [ContractBook.Post], seed: UInt64, period: Period, behaviour: Behaviour,
        link: AgencyLink, log: AgencyLog, closedContacts: ClosedContacts
    ) {
        self.closedContacts = closedContacts
        self.agency = state.agency
        self.state = state
        self.posts = posts
        self.seed = seed
        self.period = period
        self.link = link
        self.log = log
        self.behaviour = behaviour
    }

    /// Connects, so that a run learns of a refusal before it moves the clock.
    func signIn() async throws {
        _ = try await link.connect()
        hasToResume = true
    }

    /// - Returns: what it did in this tick.
    func act(_ tick: Tick) async throws -> MonthCounts {
        counts = MonthCounts()
        log.now = tick.now
        random = SplitMix64(seed: seed, 0x71C, Int(agency.value), Int(tick.now.microseconds / 1_000_000))
        if tick.now.local(offsetSeconds: 0).secondOfDay < 20 * 3_600 { exhausted = [] }
        if random.chance(behaviour.crashes) { await link.cut() }
        if try await link.connect() || hasToResume {
            hasToResume = false
            try await resume(tick)
        }
        forgetExpired(tick)
        if tick.effortPercent > 0 {
            var returns: [Giving] = []
            if behaviour.worksAt(tick) { returns = try await work(tick) }
            try await cheat(tick)
            if behaviour.isOpen(tick) {
                try await extendNear(tick)
                if behaviour.cheat != .pullsNothing { for post in posts { try await pull(post, tick) } }
                // Last: what is given back frees quota once the nodes have counted it, which a pull must not race with.
                try await giveBack(returns + pickedOut(tick), tick)
            }
        }
        try log.flush()
        counts.held = state.cases.count
        return counts
    }

    func leave() async { await link.leave() }

    func stateText(margin: Int64) async -> String {
        state.sequence = await link.sequence
        return state.text(margin: margin)
    }

    /// Payments due by the day, in the order of their days; they leave the state.
    func takePayments(through day: LocalDate) -> [PlannedPayment] {
        let due = state.payments.filter { $0.on <= day }
        state.payments.removeAll { $0.on <= day }
        return due
    }

    func nextKey() -> Int64 {
        defer { state.nextKey += 1 }
        return state.nextKey
    }

    /// The announced term is the last instant at which the agency works an account.
    private func forgetExpired(_ tick: Tick) {
        state.cases = state.cases.filter { $0.value.term > tick.now }
    }

    /// Refusals that change what is held are told to the log with their account; the account is dropped.
    func refused(
        _ reply: ClientReply, verb: String, key: Int64, delegation: Delegation, held: Held?, grant: GrantID? = nil
    ) {
        let evidence = reply.fields.number("evidence")
        log.write(
            key: key, delegation: delegation,
            .refused(
                ClientOperation.Refusal(
                    verb: verb, code: reply.codeText, held: held, grant: grant, evidence: evidence)))
        counts.refused["\(verb) \(reply.codeText)", default: 0] += 1
        if evidence != nil { counts.evidence += 1 }
        if reply.replyClass == .refresh, let held {
            state.cases[CaseKey(delegation: delegation, account: held.account)] = nil
        }
    }

    /// Sends a request again under its key; the reply must be the same, byte for byte. Then another one under the same key, which must be
    /// refused where the first was taken.
    func repeated(_ request: AgentRequest, verb: String, key: Int64, delegation: Delegation, first: ClientReply)
        async throws
    {
        let replies = try await link.send([request])
        guard let reply = replies.first, reply.replyClass != .retry else { return }
        counts.repeats += 1
        let isEqual = reply.text == first.text
        if !isEqual { counts.unequal += 1 }
        log.write(key: key, delegation: delegation, .repeated(verb: verb, isEqual: isEqual))
        guard first.isOK, let other = request.altered, let refusal = try await link.send([other]).first,
            refusal.replyClass != .retry
        else { return }
        log.write(key: key, delegation: delegation, .altered(verb: verb, code: refusal.isOK ? "OK" : refusal.codeText))
    }
}
