// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment
internal import Crypto
internal import PgStore

/// One request in the engine's queue, with the way back to its connection.
struct PendingRequest: Sendable {
    enum Work: Sendable {
        case lease(LeaseRequest)
        case report(ReportRequest)
        case extend(ExtendRequest)
        case giveBack(ReturnRequest)
        case object(ObjectRequest)
    }
    let identity: AgentIdentity
    let work: Work
    /// When it came.
    let asked: ContinuousClock.Instant
    let answer: @Sendable (Reply) -> Void
    /// Of a pull: the limits that it has found used up, and has passed by.
    private(set) var full: Set<QuotaKey> = []
    /// What was to be said of the first one of them, where no other limit has room.
    private(set) var firstFull: Reply?

    /// The same pull, to be decided once more by the hands that draw on another limit.
    func passing(_ quota: QuotaKey, saying reply: Reply) -> PendingRequest {
        var other = self
        other.full.insert(quota)
        other.firstFull = firstFull ?? reply
        return other
    }

    init(identity: AgentIdentity, work: Work, answer: @escaping @Sendable (Reply) -> Void) {
        self.identity = identity
        self.work = work
        self.asked = .now
        self.answer = answer
    }

    var key: IdempotencyKey {
        switch work {
        case .lease(let request): scoped(request.delegation, request.key)
        case .report(let request): scoped(request.delegation, request.key)
        case .extend(let request): scoped(request.delegation, request.key)
        case .giveBack(let request): scoped(request.delegation, request.key)
        case .object(let request): scoped(request.delegation, request.key)
        }
    }

    /// How many accounts it asks for or speaks of.
    var accounts: Int {
        switch work {
        case .lease(let request): request.max
        case .report, .extend, .giveBack, .object: 1
        }
    }

    /// Tells apart the keys of different verbs.
    var verb: Int {
        switch work {
        case .lease: 0
        case .report: 1
        case .extend: 2
        case .giveBack: 3
        case .object: 4
        }
    }

    static let contentHashBytes = 16

    /// The first bytes of SHA-256 over what the request means: the same key with another hash is refused.
    var contentHash: [UInt8] {
        let content: [UInt8] =
            switch work {
            case .lease(let request): request.canonicalContent
            case .report(let request): request.canonicalContent
            case .extend(let request): request.canonicalContent
            case .giveBack(let request): request.canonicalContent
            case .object(let request): request.canonicalContent
            }
        return Array(SHA256.hash(data: content).prefix(Self.contentHashBytes))
    }

    private func scoped(_ delegation: Delegation, _ key: Int64) -> IdempotencyKey {
        IdempotencyKey(delegation: delegation, agency: identity.agency, instance: identity.instanceID, key: key)
    }
}

/// What a group needs from the database before it can be decided, and what can be answered without it.
struct GroupPlan {
    struct Step {
        let request: PendingRequest
        let key: IdempotencyKey
        let hash: [UInt8]
        /// For a lease: where it draws from, or why nowhere.
        let choice: RouteTable.Choice?
    }
    private(set) var steps: [Step] = []
    private(set) var question = GroupQuestion()

    init(_ requests: [PendingRequest], routes: RouteTable, now: Timestamp) {
        let today = MexicanTimeZone.mexicoCity.local(now).date
        for request in requests {
            switch request.work {
            case .lease(let lease):
                add(lease, request, routes, today)
            case .report(let report):
                question.reportKeys.insert(request.key)
                question.leases.insert(
                    LeaseKey(delegation: report.delegation, account: report.account, epoch: report.epoch))
                // A key can have been used for work of the month before or after.
                let period = Period.ofWork(at: report.at)
                question.periods.formUnion([period.advanced(byMonths: -1), period, period.advanced(byMonths: 1)])
                append(request)
            case .extend(let extend):
                question.keptKeys[.extend, default: []].insert(request.key)
                question.grants.insert(GrantKey(delegation: extend.delegation, grant: extend.grant))
                question.changesGrants = true
                append(request)
            case .giveBack(let giveBack):
                question.keptKeys[.return, default: []].insert(request.key)
                question.leases.insert(
                    LeaseKey(delegation: giveBack.delegation, account: giveBack.account, epoch: giveBack.epoch))
                question.changesGrants = true
                append(request)
            case .object(let object):
                // The grant's lock keeps the recall's decision and its date out until the objection is there.
                question.keptKeys[.object, default: []].insert(request.key)
                question.leases.insert(
                    LeaseKey(delegation: object.delegation, account: object.account, epoch: object.epoch))
                question.changesGrants = true
                append(request)
            }
        }
    }

    private mutating func add(
        _ lease: LeaseRequest, _ request: PendingRequest, _ routes: RouteTable, _ today: LocalDate
    ) {
        question.leaseKeys.insert(request.key)
        // Without a hand the key is still looked up before the refusal: it may have been used while there was one.
        let choice = routes.choose(lease, for: request.identity.agency, on: today, full: request.full)
        if case .hand(let route, _, _) = choice {
            question.pulls.insert(lease.place(of: request.identity.agency))
            question.hands[route.key, default: 0] += lease.max
            question.quotas.insert(route.quota)
        }
        append(request, choice)
    }

    private mutating func append(_ request: PendingRequest, _ choice: RouteTable.Choice? = nil) {
        steps.append(Step(request: request, key: request.key, hash: request.contentHash, choice: choice))
    }
}

extension LeaseRequest {
    /// Where it asks for accounts.
    func place(of agency: AgencyID) -> AgencyPlace {
        AgencyPlace(delegation: delegation, agency: agency, strategy: strategy)
    }
}

extension Period {
    /// The month in which work done at `instant` counts: that of Mexico City's calendar, so that the month follows from the
    /// report alone and a retry finds the same one.
    package static func ofWork(at instant: Timestamp) -> Period {
        MexicanTimeZone.mexicoCity.local(instant).date.period
    }
}
