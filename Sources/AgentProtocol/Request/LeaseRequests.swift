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

/// Compares what the client believes that it holds with what it does hold.
package struct ResumeRequest: Equatable, Sendable {
    package var count: Int64
    /// The 16 bytes of the client's ``HeldDigest``.
    package var digest: [UInt8]
    /// The last account of the previous page of the difference.
    package var after: HeldCursor?

    package init(count: Int64, digest: [UInt8], after: HeldCursor? = nil) {
        self.count = count
        self.digest = digest
        self.after = after
    }

    init(_ line: RequestLine) throws(Refusal) {
        count = try line.required(.count)
        digest = (try line.required(.digest) as HexBytes).bytes
        after = try line.optional(.after)
        guard digest.count == 16 else { throw .badValue(.digest, expected: "16 bytes in lowercase hexadecimal") }
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "count", count)
        output.append(field: "digest", HexBytes(digest))
        output.append(field: "after", after)
    }
}

/// A place in the list of held accounts, which is ordered by delegation, then account. Written `14:1900012345`.
package struct HeldCursor: Hashable, Sendable, Comparable, WireValue {
    static var expected: String { "delegation:account, as 14:1900012345" }
    package let delegation: Delegation
    package let account: AccountID

    package init(delegation: Delegation, account: AccountID) {
        self.delegation = delegation
        self.account = account
    }

    init?(wire bytes: ArraySlice<UInt8>) {
        guard let colon = bytes.firstIndex(of: 0x3A), let delegation = Delegation(wire: bytes[..<colon]),
            let account = AccountID(wire: bytes[(colon + 1)...])
        else { return nil }
        self.init(delegation: delegation, account: account)
    }

    func write(to output: inout [UInt8]) {
        delegation.write(to: &output)
        output.append(0x3A)
        account.write(to: &output)
    }

    package static func < (left: HeldCursor, right: HeldCursor) -> Bool {
        (left.delegation, left.account) < (right.delegation, right.account)
    }
}
