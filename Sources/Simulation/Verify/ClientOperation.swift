// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One line of a client's log: what the server acknowledged or refused, as the client saw it.
package struct ClientOperation: Equatable, Sendable {
    package enum Reply: Equatable, Sendable {
        case granted(Grant)
        case reported(Report)
        case extended(Extension)
        case returned(Return)
        /// The contact data of an account; what it was is in no log.
        case disclosed(Held)
        /// What a comparison (`RESUME`) said of an account of which the client believed otherwise.
        case compared(Held, isHeld: Bool)
        case refused(Refusal)
        /// A request sent again under its key; `isEqual` tells whether the reply was the same, byte for byte.
        case repeated(verb: String, isEqual: Bool)
        /// Another request under a key that was acknowledged before, and the code of what came back; `OK` where it was taken.
        case altered(verb: String, code: String)
    }

    package struct Grant: Equatable, Sendable {
        package var grant: GrantID
        package var strategy: Strategy
        package var term: Timestamp
        package var accounts: [Held]
        /// Seconds behind the term, as the reply said; `nil` in logs that do not say it.
        package var grace: Int64?
        package init(
            grant: GrantID, strategy: Strategy, term: Timestamp, accounts: [Held], grace: Int64? = nil
        ) {
            self.grace = grace
            self.grant = grant
            self.strategy = strategy
            self.term = term
            self.accounts = accounts
        }
    }

    package struct Report: Equatable, Sendable {
        package var held: Held
        package var at: Timestamp
        package var channel: String
        package var contact: String
        package var result: String
        package var amount: Cents?
        package var promised: LocalDate?
        /// What was agreed on; `nil` also in logs that do not say it.
        package var solution: String?
        package var outcome: Int64
        package init(
            held: Held, at: Timestamp, channel: String, contact: String, result: String, amount: Cents? = nil,
            promised: LocalDate? = nil, solution: String? = nil, outcome: Int64
        ) {
            self.solution = solution
            self.held = held
            self.at = at
            self.channel = channel
            self.contact = contact
            self.result = result
            self.amount = amount
            self.promised = promised
            self.outcome = outcome
        }
    }

    package struct Extension: Equatable, Sendable {
        package var grant: GrantID
        package var term: Timestamp
        package init(grant: GrantID, term: Timestamp) {
            self.grant = grant
            self.term = term
        }
    }

    package struct Return: Equatable, Sendable {
        package var held: Held
        package var reason: String
        package init(held: Held, reason: String) {
            self.held = held
            self.reason = reason
        }
    }

    package struct Refusal: Equatable, Sendable {
        package var verb: String
        package var code: String
        package var held: Held?
        /// Of an extension; `nil` in logs that do not say it.
        package var grant: GrantID?
        package var evidence: Int64?
        package init(
            verb: String, code: String, held: Held? = nil, grant: GrantID? = nil, evidence: Int64? = nil
        ) {
            self.grant = grant
            self.verb = verb
            self.code = code
            self.held = held
            self.evidence = evidence
        }
    }

    /// Whether the server said that it was done, and not that it was refused, nor once more.
    package var isAcknowledged: Bool {
        switch reply {
        case .granted, .reported, .extended, .returned, .disclosed: true
        case .compared, .refused, .repeated, .altered: false
        }
    }

    /// Where the line is, as in `ACE07.log:12`.
    package var place: String
    package var agency: AgencyID
    package var instance: String
    /// 0 of what has none.
    package var key: Int64
    package var delegation: Delegation
    package var reply: Reply
    /// 32 bytes; the hash of the ledger's record of it.
    package var receipt: [UInt8]?
    /// The client's clock when it was answered; `nil` in logs that do not say it.
    package var answeredAt: Timestamp?

    package init(
        place: String, agency: AgencyID, instance: String, key: Int64, delegation: Delegation, reply: Reply,
        receipt: [UInt8]? = nil, answeredAt: Timestamp? = nil
    ) {
        self.answeredAt = answeredAt
        self.place = place
        self.agency = agency
        self.instance = instance
        self.key = key
        self.delegation = delegation
        self.reply = reply
        self.receipt = receipt
    }
}

/// An account under the epoch that it was leased with.
package struct Held: Hashable, Sendable, CustomStringConvertible {
    package var account: AccountID
    package var epoch: Epoch

    package init(account: AccountID, epoch: Epoch) {
        self.account = account
        self.epoch = epoch
    }

    package var description: String { "\(account):\(epoch)" }
}
