// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What is signed at the end of a month: one root over the end of every chain and the digest of every statement.
///
/// docs/ledger.md says the bytes; this is where they are made.
package struct PeriodRoot: Equatable, Sendable {
    /// One line per chain, ascending by delegation, then one per statement, ascending by contract, then what these rest on.
    package let leaves: [String]

    /// - Parameters:
    ///   - chains: what a chain's blocks and heads are, from the first one on.
    ///   - grounds: one line per schedule and per scorecard, see ``PeriodGrounds``.
    package init(
        chains: [(delegation: Delegation, links: [(root: [UInt8], head: [UInt8])])],
        statements: [(contract: Int32, digest: [UInt8])], grounds: [String] = []
    ) {
        let ends = chains.sorted { $0.delegation < $1.delegation }.compactMap { chain in
            chain.links.last.map { last in
                "chain delegation=\(chain.delegation) height=\(chain.links.count) head=\(LedgerTree.hex(last.head))"
                    + " tree=\(LedgerTree.hex(LedgerTree.root(Self.chainLeaves(chain.links))))"
            }
        }
        let digests = statements.sorted { $0.contract < $1.contract }.map {
            "statement contract=\($0.contract) digest=\(LedgerTree.hex($0.digest))"
        }
        leaves = ends + digests + grounds
    }

    package init(leaves: [String]) { self.leaves = leaves }

    package var leafHashes: [[UInt8]] { leaves.map { LedgerTree.leaf(Array($0.utf8)) } }
    package var hash: [UInt8] { LedgerTree.root(leafHashes) }

    package static func chainLeaves(_ links: [(root: [UInt8], head: [UInt8])]) -> [[UInt8]] {
        links.enumerated().map {
            LedgerTree.chainLeaf(height: Int64($0.offset) + 1, root: $0.element.root, head: $0.element.head)
        }
    }

    /// The text whose UTF-8 bytes are signed.
    ///
    /// - Parameter previous: the root that was signed before this one, of whatever period.
    package func message(
        period: Period, previous: (period: Period, root: [UInt8])?, signedAt: Timestamp, key: String
    ) -> String {
        let before = previous.map { "\($0.period):\(LedgerTree.hex($0.root))" } ?? "none"
        return "\(Self.label)\nperiod=\(period)\nroot=\(LedgerTree.hex(hash))\nprevious=\(before)\nsigned=\(signedAt)\n"
            + "key=\(key)\n"
    }

    package static let label = "reparto-period-root-1"
}

/// The fields of a signed text or of a record: a label or kind, then `key=value`.
package struct LedgerFields: Sendable {
    package let kind: String
    private let values: [String: String]

    /// - Parameter text: words divided by spaces or line breaks. A key that stands twice makes it unreadable.
    package init?(_ text: some StringProtocol) {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard let kind = words.first, !kind.contains("=") else { return nil }
        var values: [String: String] = [:]
        for word in words.dropFirst() {
            let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, values.updateValue(String(pair[1]), forKey: String(pair[0])) == nil else {
                return nil
            }
        }
        self.kind = String(kind)
        self.values = values
    }

    package subscript(_ key: String) -> String? { values[key] }
    package func number(_ key: String) -> Int64? { values[key].flatMap { Int64(canonicalDigits: $0) } }
    package func hash(_ key: String) -> [UInt8]? { values[key].flatMap { LedgerTree.bytes(hex: $0) } }
}
