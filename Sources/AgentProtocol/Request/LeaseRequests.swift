// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Asks for the next accounts of one delegation and strategy.
package struct LeaseRequest: Equatable, Sendable, KeyedRequest {
    static let verb = Verb.lease
    package var key: Int64
    package var delegation: Delegation
    package var strategy: Strategy
    /// Needed where the agency has two contracts for that strategy there; without it the lowest one serves.
    package var contract: ContractID?
    package var portfolio: Portfolio?
    package var tactic: Token?
    /// 1 to the announced `batch-max`.
    package var max: Int

    package init(
        key: Int64, delegation: Delegation, strategy: Strategy, contract: ContractID? = nil,
        portfolio: Portfolio? = nil,
        tactic: Token? = nil, max: Int
    ) {
        self.key = key
        self.delegation = delegation
        self.strategy = strategy
        self.contract = contract
        self.portfolio = portfolio
        self.tactic = tactic
        self.max = max
    }

    init(_ line: RequestLine, batchMax: Int) throws(Refusal) {
        key = try line.required(.key)
        delegation = try line.required(.delegation)
        strategy = try line.required(.strategy)
        contract = try line.optional(.contract)
        portfolio = try line.optional(.portfolio)
        tactic = try line.optional(.tactic)
        let max: Int64 = try line.required(.max)
        guard (1...Int64(batchMax)).contains(max) else { throw .badValue(.max, expected: "1 to \(batchMax)") }
        self.max = Int(max)
    }

    func write(key: Int64?, to output: inout [UInt8]) {
        output.append(field: "key", key)
        output.append(field: "delegation", delegation)
        output.append(field: "strategy", strategy)
        output.append(field: "contract", contract)
        output.append(field: "portfolio", portfolio)
        output.append(field: "tactic", tactic)
        output.append(field: "max", max)
    }

    package var canonicalContent: [UInt8] { content }
}

/// Asks for a later term of a whole grant.
package struct ExtendRequest: Equatable, Sendable, KeyedRequest {
    static let verb = Verb.extend
    package var key: Int64
    package var delegation: Delegation
    package var grant: GrantID
    package var until: Timestamp

    package init(key: Int64, delegation: Delegation, grant: GrantID, until: Timestamp) {
        self.key = key
        self.delegation = delegation
        self.grant = grant
        self.until = until
    }

    init(_ line: RequestLine) throws(Refusal) {
        key = try line.required(.key)
        delegation = try line.required(.delegation)
        grant = try line.required(.grant)
        until = try line.required(.until)
    }

    func write(key: Int64?, to output: inout [UInt8]) {
        output.append(field: "key", key)
        output.append(field: "delegation", delegation)
        output.append(field: "grant", grant)
        output.append(field: "until", until)
    }

    package var canonicalContent: [UInt8] { content }
}

/// Gives one account back before its term.
package struct ReturnRequest: Equatable, Sendable, KeyedRequest {
    static let verb = Verb.giveBack
    package var key: Int64
    package var delegation: Delegation
    package var account: AccountID
    package var epoch: Epoch
    package var reason: ReturnReason

    package init(key: Int64, delegation: Delegation, account: AccountID, epoch: Epoch, reason: ReturnReason) {
        self.key = key
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
        self.reason = reason
    }

    init(_ line: RequestLine) throws(Refusal) {
        key = try line.required(.key)
        delegation = try line.required(.delegation)
        account = try line.required(.account)
        epoch = try line.required(.epoch)
        reason = try line.required(.reason)
    }

    func write(key: Int64?, to output: inout [UInt8]) {
        output.append(field: "key", key)
        output.append(field: "delegation", delegation)
        output.append(field: "account", account)
        output.append(field: "epoch", epoch)
        output.append(field: "reason", reason)
    }

    package var canonicalContent: [UInt8] { content }
}

extension ReturnRequest {
    /// The return again, from what was kept of it (``canonicalContent``).
    package init?(kept content: String, key: Int64) {
        guard let line = RequestLine(kept: content, key: key, verb: .giveBack), let request = try? ReturnRequest(line)
        else { return nil }
        self = request
    }
}

/// Objects to the recall of one account.
package struct ObjectRequest: Equatable, Sendable, KeyedRequest {
    static let verb = Verb.object
    package var key: Int64
    package var delegation: Delegation
    package var account: AccountID
    package var epoch: Epoch
    package var reason: ObjectionReason

    package init(key: Int64, delegation: Delegation, account: AccountID, epoch: Epoch, reason: ObjectionReason) {
        self.key = key
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
        self.reason = reason
    }

    init(_ line: RequestLine) throws(Refusal) {
        key = try line.required(.key)
        delegation = try line.required(.delegation)
        account = try line.required(.account)
        epoch = try line.required(.epoch)
        reason = try line.required(.reason)
    }

    func write(key: Int64?, to output: inout [UInt8]) {
        output.append(field: "key", key)
        output.append(field: "delegation", delegation)
        output.append(field: "account", account)
        output.append(field: "epoch", epoch)
        output.append(field: "reason", reason)
    }

    package var canonicalContent: [UInt8] { content }
}

extension ObjectRequest {
    /// The objection again, from what was kept of it (``canonicalContent``).
    package init?(kept content: String, key: Int64) {
        guard let line = RequestLine(kept: content, key: key, verb: .object), let request = try? ObjectRequest(line)
        else { return nil }
        self = request
    }
}
