// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A grant to insert.
package struct GrantRow: Sendable {
    package let key: IdempotencyKey?
    package let agency: AgencyID
    package let instance: Int32
    package let delegation: Delegation
    package let grant: GrantID
    package let last: Int32
    package let quota: Int32
    package let contract: ContractID
    package let requestHash: [UInt8]
    package let skipped: [Int32]
    package let accounts: Int
    package let exposure: Cents
    package let totalAccounts: Int64
    package let totalExposure: Cents
    package let left: Int64
    package let stop: PullStop
    package let heldDigest: [UInt8]
    package let term: Timestamp
    package let ceiling: Timestamp
    package let grace: Duration

    package init(
        key: IdempotencyKey?, agency: AgencyID, instance: Int32, delegation: Delegation, grant: GrantID, last: Int32,
        quota: Int32,
        contract: ContractID, requestHash: [UInt8], skipped: [Int32], accounts: Int, exposure: Cents,
        totalAccounts: Int64,
        totalExposure: Cents, left: Int64, stop: PullStop, heldDigest: [UInt8], term: Timestamp, ceiling: Timestamp,
        grace: Duration
    ) {
        self.key = key
        self.agency = agency
        self.instance = instance
        self.delegation = delegation
        self.grant = grant
        self.last = last
        self.quota = quota
        self.contract = contract
        self.requestHash = requestHash
        self.skipped = skipped
        self.accounts = accounts
        self.exposure = exposure
        self.totalAccounts = totalAccounts
        self.totalExposure = totalExposure
        self.left = left
        self.stop = stop
        self.heldDigest = heldDigest
        self.term = term
        self.ceiling = ceiling
        self.grace = grace
    }
}

/// One gestión as it is stored. Everything that its ledger record, and so its receipt, is made of.
package struct OutcomeRow: Sendable, Equatable {
    package let key: IdempotencyKey
    package let period: Period
    package let number: Int64
    package let account: AccountID
    package let epoch: Epoch
    package let contract: ContractID
    package let workedAt: Timestamp
    package let receivedAt: Timestamp
    package let channel: String
    package let contact: String
    package let result: String
    package let amount: Cents?
    package let promisedOn: LocalDate?
    package let requestHash: [UInt8]

    package init(
        key: IdempotencyKey, period: Period, number: Int64, account: AccountID, epoch: Epoch, contract: ContractID,
        workedAt: Timestamp, receivedAt: Timestamp, channel: String, contact: String, result: String, amount: Cents?,
        promisedOn: LocalDate?, requestHash: [UInt8]
    ) {
        self.key = key
        self.period = period
        self.number = number
        self.account = account
        self.epoch = epoch
        self.contract = contract
        self.workedAt = workedAt
        self.receivedAt = receivedAt
        self.channel = channel
        self.contact = contact
        self.result = result
        self.amount = amount
        self.promisedOn = promisedOn
        self.requestHash = requestHash
    }
}

/// Where an outcome belongs, and what is not part of its record.
package struct OutcomeInsert: Sendable {
    package let row: OutcomeRow
    package let hand: Int32
    package let position: Int32
    /// Contact rules that it broke: recorded, not refused.
    package let marks: [String]
    /// The fields that no rule reads yet, as JSON; `nil` without any.
    package let extra: String?

    package init(row: OutcomeRow, hand: Int32, position: Int32, marks: [String], extra: String?) {
        self.row = row
        self.hand = hand
        self.position = position
        self.marks = marks
        self.extra = extra
    }
}

/// The verbs whose words about an account are kept where they come too late.
package enum LateVerb: String, Sendable { case report = "REPORT", `return` = "RETURN", object = "OBJECT" }

/// What came too late or to the wrong lease: kept, with what was answered.
package struct EvidenceRow: Sendable {
    package let verb: LateVerb
    package let key: IdempotencyKey
    package let number: Int64
    package let code: StaleReason
    package let account: AccountID
    package let epoch: Epoch
    package let liveEpoch: Epoch?
    /// `nil`: a person decides. Only a report counts for anything.
    package let counts: Bool?
    package let content: String
    package let requestHash: [UInt8]

    package init(
        verb: LateVerb, key: IdempotencyKey, number: Int64, code: StaleReason, account: AccountID, epoch: Epoch,
        liveEpoch: Epoch?,
        counts: Bool?, content: String, requestHash: [UInt8]
    ) {
        self.verb = verb
        self.key = key
        self.number = number
        self.code = code
        self.account = account
        self.epoch = epoch
        self.liveEpoch = liveEpoch
        self.counts = counts
        self.content = content
        self.requestHash = requestHash
    }
}

/// What ends one leased account now.
package struct EndingRow: Sendable {
    package let lease: LeaseKey
    package let kind: EndingKind
    package let reason: String
    package let hand: Int32
    package let position: Int32
    package let quota: Int32
    package let exposure: Cents

    package init(
        lease: LeaseKey, kind: EndingKind, reason: String, hand: Int32, position: Int32, quota: Int32, exposure: Cents
    ) {
        self.lease = lease
        self.kind = kind
        self.reason = reason
        self.hand = hand
        self.position = position
        self.quota = quota
        self.exposure = exposure
    }
}

/// An objection to a pending recall.
package struct ObjectionRow: Sendable {
    package let lease: LeaseKey
    package let reason: String
    package let heldUntil: Timestamp

    package init(lease: LeaseKey, reason: String, heldUntil: Timestamp) {
        self.lease = lease
        self.reason = reason
        self.heldUntil = heldUntil
    }
}

/// The reply of a rare verb, kept as it was sent.
package struct KeptReplyRow: Sendable {
    package let verb: KeptVerb
    package let key: IdempotencyKey
    package let requestHash: [UInt8]
    package let reply: String

    package init(verb: KeptVerb, key: IdempotencyKey, requestHash: [UInt8], reply: String) {
        self.verb = verb
        self.key = key
        self.requestHash = requestHash
        self.reply = reply
    }
}

/// The records of one transaction in one delegation and period, sealed.
package struct BlockRow: Sendable {
    package let delegation: Delegation
    package let period: Period
    package let records: [UInt8]
    package let count: Int
    package let root: [UInt8]

    package init(delegation: Delegation, period: Period, records: [UInt8], count: Int, root: [UInt8]) {
        self.delegation = delegation
        self.period = period
        self.records = records
        self.count = count
        self.root = root
    }
}

/// Everything that a group writes, in one transaction.
package struct GroupWrites: Sendable {
    package var now: Timestamp
    package var outage: Duration
    package var grants: [GrantRow] = []
    package var outcomes: [OutcomeInsert] = []
    package var evidence: [EvidenceRow] = []
    package var endings: [EndingRow] = []
    package var extensions: [(grant: GrantKey, term: Timestamp)] = []
    package var objections: [ObjectionRow] = []
    package var replies: [KeptReplyRow] = []
    package var blocks: [BlockRow] = []

    package init(now: Timestamp, outage: Duration) {
        self.now = now
        self.outage = outage
    }
}
