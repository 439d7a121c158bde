// SPDX-License-Identifier: Apache-2.0

/// What the server says without being asked. Pushes have no tag and need no answer; what they tell can be read again with `HELD`,
/// `STATUS` and `RESUME`.
package struct Push: Equatable, Sendable {
    package enum Name: String, Sendable, CaseIterable {
        /// This node is going away: finish, say `BYE`, connect to another one. New requests are refused from here on.
        case draining = "DRAINING"
        /// A grant's term is near.
        case expiring = "EXPIRING"
        /// More was pushed than this connection could take; the rest was thrown away.
        case missed = "MISSED"
        /// No accounts of a strategy are given for now.
        case paused = "PAUSED"
        /// An account is taken back, or will be.
        case recall = "RECALL"
        /// A pause is over.
        case resumed = "RESUMED"
        /// What a payment, or something that happened to its debtor, changed about a held account.
        case update = "UPDATE"

        /// Whether it is about how things stand, and so is told to each connection when it has signed in.
        package var isOfStanding: Bool {
            switch self {
            case .expiring, .paused, .resumed: true
            case .draining, .missed, .recall, .update: false
            }
        }
    }
    package let name: Name
    package let fields: [ReplyField]

    package init(_ name: Name, _ fields: [ReplyField]) {
        self.name = name
        self.fields = fields
    }

    static func draining(afterSeconds: Int64) -> Push { Push(.draining, [ReplyField("after", afterSeconds)]) }
    static func missed(_ count: Int64) -> Push { Push(.missed, [ReplyField("pushes", count)]) }

    func write(to output: inout [UInt8]) {
        output.append(text: "* ")
        output.append(contentsOf: name.rawValue.utf8)
        for field in fields { field.write(to: &output) }
        output.append(.lineFeed)
    }
}
