// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Makes rows of the placement table in COPY's binary form.
///
/// All that two accounts with the same outcome have in common is laid out once per outcome; what is left to do per account
/// is to copy it and to put the account's number and offers in.
package struct PlacementEncoder: Sendable {
    /// What a row says beside who it is about.
    package struct Content: Hashable, Sendable {
        package let placement: Placement?
        package let tactic: String?
        package let rule: String
        package let exclusion: String?

        package init(placement: Placement, tactic: String, rule: String) {
            self.placement = placement
            self.tactic = tactic
            self.rule = rule
            self.exclusion = nil
        }

        package init(exclusion: String, rule: String) {
            self.placement = nil
            self.tactic = nil
            self.rule = rule
            self.exclusion = exclusion
        }
    }

    /// Rows that are ready to be sent.
    package struct Rows: Sendable {
        package fileprivate(set) var bytes: [UInt8] = []
        package fileprivate(set) var count = 0

        package init() {}
    }

    /// Where the account's number lies in a row: behind the count, the period, the delegation and its own length.
    private static let accountOffset = 2 + 8 + 6 + 4
    private static let columns: Int16 = 10
    private let heads: [UInt8]
    private let tails: [[UInt8]]

    /// - Parameter contents: one per outcome, numbered by its place; `nil` for those that have no row.
    package init(period: Period, delegation: Delegation, contents: [Content?]) {
        var head: [UInt8] = []
        head.append(bigEndian: Self.columns)
        head.appendSized { $0.append(bigEndian: period.number) }
        head.appendSized { $0.append(bigEndian: delegation.value) }
        head.append(bigEndian: Int32(8))
        self.heads = head + [UInt8](repeating: 0, count: 8)
        self.tails = contents.map { content in content.map(Self.tail) ?? [] }
    }

    private static func tail(_ content: Content) -> [UInt8] {
        var tail: [UInt8] = []
        func number(_ value: Int16?) {
            guard let value else { return tail.append(bigEndian: Int32(-1)) }
            tail.appendSized { $0.append(bigEndian: value) }
        }
        func text(_ value: String?) {
            guard let value else { return tail.append(bigEndian: Int32(-1)) }
            tail.appendSized { $0.append(contentsOf: value.utf8) }
        }
        number(content.placement?.strategy.rawValue)
        text(content.tactic)
        number(content.placement?.portfolio.rawValue)
        number(content.placement?.priority)
        text(content.rule)
        text(content.exclusion)
        tail.append(bigEndian: Int32(8))
        return tail + [UInt8](repeating: 0, count: 8)
    }

    /// Appends the row of one account; nothing for an outcome without one.
    package func append(_ account: Int64, outcome: Int, offers: UInt64, to rows: inout Rows) {
        let tail = tails[outcome]
        guard !tail.isEmpty else { return }
        let start = rows.bytes.count
        rows.bytes.append(contentsOf: heads)
        rows.bytes.append(contentsOf: tail)
        rows.count += 1
        let end = rows.bytes.count
        rows.bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: account.bigEndian, toByteOffset: start + Self.accountOffset, as: Int64.self)
            bytes.storeBytes(of: offers.bigEndian, toByteOffset: end - 8, as: UInt64.self)
        }
    }
}
