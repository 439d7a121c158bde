// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One hand, by its key.
package struct HandKey: Hashable, Sendable, Comparable {
    package let delegation: Delegation
    package let hand: Int32

    package init(delegation: Delegation, hand: Int32) {
        self.delegation = delegation
        self.hand = hand
    }

    package static func < (left: HandKey, right: HandKey) -> Bool {
        (left.delegation, left.hand) < (right.delegation, right.hand)
    }
}

/// One quota, by its key.
package struct QuotaKey: Hashable, Sendable, Comparable {
    package let delegation: Delegation
    package let quota: Int32

    package init(delegation: Delegation, quota: Int32) {
        self.delegation = delegation
        self.quota = quota
    }

    package static func < (left: QuotaKey, right: QuotaKey) -> Bool {
        (left.delegation, left.quota) < (right.delegation, right.quota)
    }
}

/// One deal of one account: what a holder quotes.
package struct LeaseKey: Hashable, Sendable {
    package let delegation: Delegation
    package let account: AccountID
    package let epoch: Epoch

    package init(delegation: Delegation, account: AccountID, epoch: Epoch) {
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
    }
}

/// One grant, by its key.
package struct GrantKey: Hashable, Sendable {
    package let delegation: Delegation
    package let grant: GrantID

    package init(delegation: Delegation, grant: GrantID) {
        self.delegation = delegation
        self.grant = grant
    }
}

/// The scope in which a request's key is unique, within its verb.
package struct IdempotencyKey: Hashable, Sendable {
    package let delegation: Delegation
    package let agency: AgencyID
    package let instance: Int32
    package let key: Int64

    package init(delegation: Delegation, agency: AgencyID, instance: Int32, key: Int64) {
        self.delegation = delegation
        self.agency = agency
        self.instance = instance
        self.key = key
    }

    /// The advisory lock of it as a report's. Two keys of one lock only cost a client a repetition. The bits are mixed as by
    /// SplitMix64, so that no two of a client's ascending keys are one, and none is a lock of something else.
    var lock: Int64 {
        func mixed(_ value: UInt64) -> UInt64 {
            var z = value &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        let owner = UInt64(UInt32(bitPattern: instance)) << 32 | UInt64(UInt32(bitPattern: agency.value))
        let place = mixed(owner) &+ UInt64(UInt16(bitPattern: delegation.value))
        return Int64(bitPattern: mixed(mixed(place) ^ UInt64(bitPattern: key)))
    }
}

/// The rare verbs whose replies are kept as they were sent.
package enum KeptVerb: String, Sendable { case extend = "EXTEND", `return` = "RETURN", object = "OBJECT" }

/// What a group needs to lock and to know. Keys may repeat across requests; each list holds a key once.
package struct GroupQuestion: Sendable {
    /// Hands to draw from, with how many positions the group may take from each.
    package var hands: [HandKey: Int] = [:]
    package var quotas: Set<QuotaKey> = []
    /// Where agencies ask for accounts.
    package var pulls: Set<AgencyPlace> = []
    package var leases: Set<LeaseKey> = []
    package var grants: Set<GrantKey> = []
    package var leaseKeys: Set<IdempotencyKey> = []
    package var reportKeys: Set<IdempotencyKey> = []
    package var keptKeys: [KeptVerb: Set<IdempotencyKey>] = [:]
    /// The periods in which a report's key may have been used.
    package var periods: Set<Period> = []
    /// Whether the group extends or returns, which locks its grants exclusively.
    package var changesGrants = false

    package init() {}
}

/// What the database said, read after all locks were held.
package struct GroupAnswer: Sendable {
    package struct Hand: Sendable {
        package let isOpen: Bool
        package let size: Int32
        package let cursor: Int32
        /// The next accounts that may be leased, in order, as many as were asked for or as there are up to ``seen``.
        package var window: [DealtAccount]
        package internal(set) var seen: Int32
        /// Contracts that draw from it no more.
        package let barred: [Int32]

        mutating func noteSeen(want: Int32) {
            let isFull = window.count >= Int(want)
            seen =
                isFull
                ? window.last?.position.position ?? cursor : min(size, cursor + want + EngineStatements.windowSlack)
        }
    }
    package struct Lease: Sendable {
        package let grant: GrantID
        package let hand: Int32
        package let position: Int32
        package let exposure: Cents
        package let municipality: Municipality?
        package let quota: Int32
        package let contract: ContractID?
        package let facts: LeaseFacts
        /// The recall that was noticed, whatever became of it.
        package let notice: RecallNotice?
        /// The objection to that recall, where there is one.
        package let objection: Objection?
        /// The rule packs that the hand was dealt under.
        package let contactRules: ContactRules
        package let tactic: String
        /// Whether the packs have no visits there.
        package let isVisitBanned: Bool

        /// The same lease, ended.
        package func ended(_ ending: LeaseFacts.Ending) -> Lease {
            Lease(
                grant: grant, hand: hand, position: position, exposure: exposure, municipality: municipality,
                quota: quota,
                contract: contract, facts: facts.ended(ending), notice: notice, objection: objection,
                contactRules: contactRules, tactic: tactic, isVisitBanned: isVisitBanned)
        }
    }
    package struct Objection: Sendable {
        package let row: ObjectionRow
        package let at: Timestamp

        package init(row: ObjectionRow, at: Timestamp) {
            self.row = row
            self.at = at
        }
    }
    package struct Grant: Sendable {
        package let holder: AgencyID?
        package let machine: GrantStateMachine
        package let credit: Duration
        /// What keeps it from being extended.
        package let bar: GrantStateMachine.ExtensionBar?
        /// Accounts of it that are held, counted up to a thousand.
        package let held: Int64
    }
    package struct KnownLease: Sendable {
        package let grant: GrantID
        package let contract: ContractID?
        package let portfolio: Portfolio?
        package let last: Int32
        package let skipped: [Int32]
        package let requestHash: [UInt8]
        package let left: Int64
        package let stop: PullStop
        package let term: Timestamp
        package let ceiling: Timestamp
        package let grace: Duration
        /// When the grant ended, or will end if nothing is extended.
        package let end: Timestamp
        package let grantedAt: Timestamp
        package let activityDays: Int?
        package let contactRules: ContactRules
        package var accounts: [DealtAccount]
    }
    package struct KnownOutcome: Sendable {
        package let requestHash: [UInt8]
        package let outcome: OutcomeRow
        /// Whether it was marked as a visit where none may be made.
        package let isVisitBanned: Bool
    }
    package struct KnownEvidence: Sendable {
        package let evidence: Int64
        package let requestHash: [UInt8]
        package let code: StaleReason
        package let liveEpoch: Epoch?
        /// `nil`: a person decides, and nobody did when it was answered.
        package let counts: Bool?
    }
    package struct KnownReply: Sendable {
        package let requestHash: [UInt8]
        package let reply: String
    }

    package var now = Timestamp(microseconds: 0)
    package var outage = Duration.zero
    /// The database was restored, and nobody has said yet what was lost: nothing is granted, and nothing taken down.
    package var awaitsRecovery = false
    /// Keys of reports that another node is at work on just now.
    package var busyKeys: Set<IdempotencyKey> = []
    package var openPeriods: Set<Period> = []
    package var knownPeriods: Set<Period> = []
    package var hands: [HandKey: Hand] = [:]
    /// Of the pulls' places those that somebody has paused.
    package var paused: Set<AgencyPlace> = []
    package var quotas: [QuotaKey: QuotaBalance] = [:]
    package var leases: [LeaseKey: Lease] = [:]
    package var grants: [GrantKey: Grant] = [:]
    package var knownLeases: [IdempotencyKey: KnownLease] = [:]
    package var knownOutcomes: [IdempotencyKey: KnownOutcome] = [:]
    package var knownEvidence: [IdempotencyKey: KnownEvidence] = [:]
    package var knownReplies: [KeptVerb: [IdempotencyKey: KnownReply]] = [:]
    /// Numbers reserved for the group's outcomes and evidence, ascending.
    package var outcomeNumbers: [Int64] = []
    package var evidenceNumbers: [Int64] = []
}

/// A dealt account with what the holder is told about it.
package struct DealtAccount: Sendable {
    package let position: DealtPosition
    package let tactic: String
    package let arrears: Int16
    package let due: Cents
    package let overdue: Cents
    package let municipality: Municipality?
    package let reference: String
}
