// SPDX-License-Identifier: Apache-2.0

/// The beginning of a plan's digest, as somebody copied it from a preview.
///
/// Range: 8 to 64 hexadecimal digits.
package struct PlanDigest: Hashable, Sendable, CustomStringConvertible {
    private static let digitsMin = 8
    private static let digitsMax = 64

    /// In small letters.
    package let description: String

    /// - Throws: ``CommandFailure`` (usage).
    package init(text: String) throws(CommandFailure) {
        let digits = text.lowercased()
        guard (Self.digitsMin...Self.digitsMax).contains(digits.utf8.count), digits.allSatisfy(\.isHexDigit) else {
            throw CommandFailure(
                .usage, "'\(text)' is no digest of a plan",
                remedy: "Give \(Self.digitsMin) to \(Self.digitsMax) of its digits, as plan preview ends with them")
        }
        self.description = digits
    }

    func fits(_ digest: [UInt8]) -> Bool { LedgerTree.hex(digest).hasPrefix(description) }
}
