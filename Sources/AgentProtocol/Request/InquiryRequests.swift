// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Asks for the contact data of one held account. Each answer is a disclosure, and a record of the ledger.
package struct ContactRequest: Equatable, Sendable {
    package var delegation: Delegation
    package var account: AccountID
    package var epoch: Epoch

    package init(delegation: Delegation, account: AccountID, epoch: Epoch) {
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
    }

    init(_ line: RequestLine) throws(Refusal) {
        delegation = try line.required(.delegation)
        account = try line.required(.account)
        epoch = try line.required(.epoch)
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "delegation", delegation)
        output.append(field: "account", account)
        output.append(field: "epoch", epoch)
    }
}

/// Lists what the agency holds, page by page.
package struct HeldRequest: Equatable, Sendable {
    package var delegation: Delegation?
    /// Accounts of one page, 1 to the announced `batch-max`.
    package var max: Int?
    /// The previous page's `next=`.
    package var after: HeldPlace?

    package init(delegation: Delegation? = nil, max: Int? = nil, after: HeldPlace? = nil) {
        self.delegation = delegation
        self.max = max
        self.after = after
    }

    init(_ line: RequestLine, batchMax: Int) throws(Refusal) {
        delegation = try line.optional(.delegation)
        after = try line.optional(.after)
        if let max = try line.optional(.max) as Int64? {
            guard (1...Int64(batchMax)).contains(max) else { throw .badValue(.max, expected: "1 to \(batchMax)") }
            self.max = Int(max)
        }
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "delegation", delegation)
        output.append(field: "max", max.map(Int64.init))
        output.append(field: "after", after)
    }
}

/// A place in the list of `HELD`, which follows the hands. Written `14.3.120`; only its maker reads it.
package struct HeldPlace: Hashable, Sendable, WireValue {
    static var expected: String { "what next= was" }
    package let delegation: Delegation
    package let hand: Int32
    package let position: Int32

    package init(delegation: Delegation, hand: Int32, position: Int32) {
        self.delegation = delegation
        self.hand = hand
        self.position = position
    }

    init?(wire bytes: ArraySlice<UInt8>) {
        let parts = bytes.split(separator: UInt8.period, omittingEmptySubsequences: false)
        guard parts.count == 3, let delegation = Delegation(wire: parts[0]),
            let hand = Int64(wire: parts[1]).flatMap(Int32.init(exactly:)),
            let position = Int64(wire: parts[2]).flatMap(Int32.init(exactly:))
        else { return nil }
        self.init(delegation: delegation, hand: hand, position: position)
    }

    func write(to output: inout [UInt8]) {
        delegation.write(to: &output)
        for number in [hand, position] {
            output.append(.period)
            Int64(number).write(to: &output)
        }
    }
}

/// Asks how the agency stands: per delegation, contract, strategy and portfolio.
package struct StatusRequest: Equatable, Sendable {
    package var delegation: Delegation?
    package var strategy: Strategy?

    package init(delegation: Delegation? = nil, strategy: Strategy? = nil) {
        self.delegation = delegation
        self.strategy = strategy
    }

    init(_ line: RequestLine) throws(Refusal) {
        delegation = try line.optional(.delegation)
        strategy = try line.optional(.strategy)
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "delegation", delegation)
        output.append(field: "strategy", strategy)
    }
}

/// Asks why: about one account that the agency holds or held, or about how many it gets of one strategy.
package struct ExplainRequest: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        case account(AccountID)
        case strategy(Strategy)
    }
    package var delegation: Delegation
    package var subject: Subject

    package init(delegation: Delegation, subject: Subject) {
        self.delegation = delegation
        self.subject = subject
    }

    init(_ line: RequestLine) throws(Refusal) {
        delegation = try line.required(.delegation)
        let account: AccountID? = try line.optional(.account)
        let strategy: Strategy? = try line.optional(.strategy)
        switch (account, strategy) {
        case (let account?, nil): subject = .account(account)
        case (nil, let strategy?): subject = .strategy(strategy)
        case (nil, nil): throw .missing(.account, expected: "account or strategy")
        case (_?, _?): throw .badValue(.strategy, expected: "either an account or a strategy")
        }
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "delegation", delegation)
        switch subject {
        case .account(let account): output.append(field: "account", account)
        case .strategy(let strategy): output.append(field: "strategy", strategy)
        }
    }
}

/// The agency stops taking accounts of one strategy there, or goes on. It sets a state, so it can be repeated at will.
package struct QuietRequest: Equatable, Sendable {
    package var delegation: Delegation
    package var strategy: Strategy
    package var state: QuietState

    package init(delegation: Delegation, strategy: Strategy, state: QuietState) {
        self.delegation = delegation
        self.strategy = strategy
        self.state = state
    }

    init(_ line: RequestLine) throws(Refusal) {
        delegation = try line.required(.delegation)
        strategy = try line.required(.strategy)
        state = try line.required(.state)
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "delegation", delegation)
        output.append(field: "strategy", strategy)
        output.append(field: "state", state)
    }
}

/// Whether an agency takes no accounts for now.
package enum QuietState: String, Sendable, CaseIterable, WireWord {
    case on, off
    static let table = WordTable(allCases, word: \.rawValue)
}
