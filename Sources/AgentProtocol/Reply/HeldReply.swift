// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The answer to `RESUME`: that both sides agree, with what came meanwhile where that was asked for; or a page of what the agency
/// does hold, from which the client computes what it lost and what it had forgotten.
package struct HeldComparison: Equatable, Sendable {
    package var held: Int64
    package var isMatch: Bool
    /// Ordered by delegation, then account; on a match only accounts of which something came.
    package var page: [HeldAccount]
    /// Where the next page starts; `nil` on the last.
    package var next: HeldCursor?

    package init(held: Int64, isMatch: Bool, page: [HeldAccount] = [], next: HeldCursor? = nil) {
        self.held = held
        self.isMatch = isMatch
        self.page = page
        self.next = next
    }

    func write(to output: inout [UInt8]) {
        output.append(field: "held", held)
        output.append(field: "match", text: isMatch ? "yes" : "no")
        output.append(field: "next", next)
    }
}

/// One account that the agency holds.
package struct HeldAccount: Equatable, Sendable {
    package var delegation: Delegation
    package var account: AccountID
    package var epoch: Epoch
    package var grant: GrantID
    package var term: Timestamp
    /// What came since the lease: `paid`, `paid-on`, `reversed`, `recall`, `recall-reason`, `objection`; empty where nothing did.
    package var news: [ReplyField]

    package init(
        delegation: Delegation, account: AccountID, epoch: Epoch, grant: GrantID, term: Timestamp,
        news: [ReplyField] = []
    ) {
        self.news = news
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
        self.grant = grant
        self.term = term
    }

    func write(_ tag: Tag, to output: inout [UInt8]) {
        output.append(tag: tag)
        output.append(text: " -")
        output.append(field: "delegation", delegation)
        output.append(field: "account", account)
        output.append(field: "epoch", epoch)
        output.append(field: "grant", grant)
        output.append(field: "term", text: term.description)
        for field in news { field.write(to: &output) }
        output.append(.lineFeed)
    }
}
