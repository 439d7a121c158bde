// SPDX-License-Identifier: Apache-2.0

/// One credit in collection (crédito, cuenta): the institution's own number of it.
///
/// Range: 1...9_999_999_999, checked here and nowhere else. Written as plain digits.
package struct AccountID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let range: ClosedRange<Int64> = 1...9_999_999_999
    package let value: Int64

    package init?(_ value: Int64) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }

    /// Reads plain digits; signs, spaces and leading zeros are refused, so that a number has one spelling.
    package init?(text: some StringProtocol) {
        guard let value = Int64(canonicalDigits: text) else { return nil }
        self.init(value)
    }

    package static func < (left: AccountID, right: AccountID) -> Bool { left.value < right.value }
    package var description: String { String(value) }
}

/// One collection agency (ACE).
///
/// Range: 1...99_999. Written `ACE07`: the prefix and at least two digits.
package struct AgencyID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let range: ClosedRange<Int32> = 1...99_999
    package let value: Int32

    package init?(_ value: Int32) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }

    package init?(text: some StringProtocol) {
        guard text.hasPrefix("ACE"), let value = Int32(text.dropFirst(3)), let agency = AgencyID(value),
            agency.description == text
        else { return nil }
        self = agency
    }

    package static func < (left: AgencyID, right: AgencyID) -> Bool { left.value < right.value }
    package var description: String { value < 10 ? "ACE0\(value)" : "ACE\(value)" }
}

/// One contract of an agency. Range: 1...99_999. Written as plain digits.
package struct ContractID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let range: ClosedRange<Int32> = 1...99_999
    package let value: Int32

    package init?(_ value: Int32) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }

    package init?(text: some StringProtocol) {
        guard let value = Int64(canonicalDigits: text), let narrow = Int32(exactly: value) else { return nil }
        self.init(narrow)
    }

    package static func < (left: ContractID, right: ContractID) -> Bool { left.value < right.value }
    package var description: String { String(value) }
}

/// The accounts leased by one request: its hand and the first position that it took.
///
/// Written as one number, hand × 2³² + first position, so that the key of the row can be read off it.
package struct GrantID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let hand: Int32
    package let first: Int32

    package init(hand: Int32, first: Int32) {
        self.hand = hand
        self.first = first
    }

    package init?(text: some StringProtocol) {
        guard let value = Int64(canonicalDigits: text), let hand = Int32(exactly: value >> 32), hand > 0,
            let first = Int32(exactly: value & 0xFFFF_FFFF), first > 0
        else { return nil }
        self.init(hand: hand, first: first)
    }

    package var number: Int64 { Int64(hand) << 32 | Int64(UInt32(bitPattern: first)) }
    package static func < (left: GrantID, right: GrantID) -> Bool { left.number < right.number }
    package var description: String { String(number) }
}

/// The number of an account's deal. It only rises and lives once, and so it fences: what quotes an older epoch
/// is a former holder's.
///
/// Value: incarnation × 2³² + number. The incarnation rises after a restore of the database, so that no epoch
/// handed out before is ever handed out again.
package struct Epoch: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let value: Int64

    package init?(_ value: Int64) {
        guard value > 0 else { return nil }
        self.value = value
    }

    package init?(text: some StringProtocol) {
        guard let value = Int64(canonicalDigits: text) else { return nil }
        self.init(value)
    }

    package static func < (left: Epoch, right: Epoch) -> Bool { left.value < right.value }
    package var description: String { String(value) }
}

extension Int64 {
    /// Reads one of 0, 1, 2, … in its only spelling: digits, no sign, no leading zero.
    package init?(canonicalDigits text: some StringProtocol) {
        let digits = text.utf8
        guard let head = digits.first, digits.count <= 19, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            head != 0x30 || digits.count == 1, let value = Int64(text)
        else { return nil }
        self = value
    }
}
