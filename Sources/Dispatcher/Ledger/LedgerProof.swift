// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import FoundationEssentials
internal import PgStore

/// That one record is in the ledger of a signed period: everything it takes to check it without a database.
///
/// docs/ledger.md has the form and the steps of the check, for who writes a checker of their own.
package struct LedgerProof: Codable, Equatable, Sendable {
    package struct Chain: Codable, Equatable, Sendable {
        package let height: Int64
        package let head: String
        package let path: [String]
    }
    package struct Root: Codable, Equatable, Sendable {
        package let leaf: String
        package let path: [String]
        package let message: String
        package let signature: String
    }
    package struct Key: Codable, Equatable, Sendable {
        package let `public`: String
        package let message: String
        package let endorsement: String?
    }

    package static let format = "reparto-proof-1"

    package let format: String
    package let record: String
    package let receipt: String
    package let block: [String]
    package let chain: Chain
    package let root: Root
    /// The key that signed, and those before it that endorsed one another, back to the first.
    package let keys: [Key]

    /// What a proof that holds says.
    package struct Finding: Equatable, Sendable {
        package let record: String
        package let period: String
        package let delegation: String
        package let signedAt: String
        /// Which key signed.
        package let key: String
        /// Whether that key, or one that leads to it, is the one that the checker trusts; `nil` where none was named.
        package let isTrusted: Bool?
    }

    /// Why a proof does not hold.
    package struct Broken: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter trusted: the 32 bytes of a public key that the checker has from elsewhere.
    package func check(trusted: [UInt8]? = nil) throws(Broken) -> Finding {
        guard format == Self.format else { throw Broken(description: "the format is not \(Self.format)") }
        let leaf = LedgerTree.leaf(Array(record.utf8))
        guard LedgerTree.hex(leaf) == receipt else {
            throw Broken(description: "the receipt is not that of the record")
        }
        guard let blockPath = LedgerPath(words: block), let chainPath = LedgerPath(words: chain.path),
            let rootPath = LedgerPath(words: root.path), let head = LedgerTree.bytes(hex: chain.head)
        else { throw Broken(description: "a path or the head cannot be read") }
        let place = LedgerTree.chainLeaf(height: chain.height, root: blockPath.root(from: leaf), head: head)
        guard let end = LedgerFields(root.leaf), end.kind == "chain", let tree = end.hash("tree"),
            let delegation = end["delegation"]
        else { throw Broken(description: "the chain's end cannot be read") }
        guard chainPath.root(from: place) == tree else {
            throw Broken(description: "the record is not in the chain that the proof names")
        }
        guard let signed = LedgerFields(root.message), signed.kind == PeriodRoot.label, let hash = signed.hash("root"),
            let period = signed["period"], let key = signed["key"], let signedAt = signed["signed"]
        else { throw Broken(description: "the signed text cannot be read") }
        guard rootPath.root(from: LedgerTree.leaf(Array(root.leaf.utf8))) == hash else {
            throw Broken(description: "the chain is not under the root that was signed")
        }
        if let named = LedgerFields(record)?["delegation"], named != delegation {
            throw Broken(description: "the record names delegation \(named), and its chain is that of \(delegation)")
        }
        let rings = try ring()
        guard let signer = rings.first, SigningKeyRow.id(of: signer) == key else {
            throw Broken(description: "the first key is not \(key), which the signed text names")
        }
        guard let signature = Base64.bytes(root.signature),
            LedgerSignature.isValid(signature, of: root.message, by: signer)
        else { throw Broken(description: "the signature is not one of key \(key) over the signed text") }
        return Finding(
            record: record, period: period, delegation: delegation, signedAt: signedAt, key: key,
            isTrusted: trusted.map(rings.contains))
    }

    /// The public keys, each endorsed by the next one; a key behind a missing endorsement is not reached.
    private func ring() throws(Broken) -> [[UInt8]] {
        var rings: [[UInt8]] = []
        var isEndorsed = true
        for (index, key) in keys.enumerated() {
            guard isEndorsed else { break }
            guard let bytes = Base64.bytes(key.public), let fields = LedgerFields(key.message),
                fields.kind == SigningKeyRow.label, fields["public"] == key.public
            else { throw Broken(description: "key \(index + 1) cannot be read") }
            rings.append(bytes)
            isEndorsed = key.endorsement != nil
            guard let endorsement = key.endorsement, index + 1 < keys.count else { continue }
            guard let signature = Base64.bytes(endorsement), let former = Base64.bytes(keys[index + 1].public),
                LedgerSignature.isValid(signature, of: key.message, by: former)
            else { throw Broken(description: "key \(index + 1) is not endorsed by the one that it names") }
        }
        return rings
    }

    // MARK: - Text

    package init(text: [UInt8]) throws(Broken) {
        guard let proof = try? JSONDecoder().decode(LedgerProof.self, from: Data(text)) else {
            throw Broken(description: "the file is no proof")
        }
        // The decoder takes 12.0 for 12, and other checkers do not.
        guard Self.hasWholeNumbers(text) else {
            throw Broken(description: "the file is no proof: its height is written with a point or an exponent")
        }
        self = proof
    }

    /// - Parameter text: JSON that was decoded.
    private static func hasWholeNumbers(_ text: [UInt8]) -> Bool {
        var (isString, isEscaped, former) = (false, false, UInt8(0))
        for byte in text {
            if isString {
                if !isEscaped, byte == UInt8(ascii: "\"") { isString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: "\"") {
                isString = true
            } else if byte == UInt8(ascii: ".") || (byte | 0x20 == UInt8(ascii: "e") && (48...57).contains(former)) {
                return false
            }
            former = byte
        }
        return true
    }

    package var text: String { get throws { try JSONText.of(self) + "\n" } }
}

extension LedgerProof {
    init(
        record: [UInt8], index: Int, leaves: [[UInt8]], height: Int64, links: [(root: [UInt8], head: [UInt8])],
        leaf: Int, signed: PeriodRootRow, keys: [SigningKeyRow]
    ) {
        let tree = PeriodRoot(leaves: signed.leaves)
        format = Self.format
        self.record = String(decoding: record, as: UTF8.self)
        receipt = LedgerTree.hex(leaves[index])
        block = LedgerPath(to: index, in: leaves).words
        chain = Chain(
            height: height, head: LedgerTree.hex(links[Int(height) - 1].head),
            path: LedgerPath(to: Int(height) - 1, in: PeriodRoot.chainLeaves(links)).words)
        root = Root(
            leaf: signed.leaves[leaf], path: LedgerPath(to: leaf, in: tree.leafHashes).words, message: signed.message,
            signature: Base64.text(signed.signature))
        let number = keys.first { $0.id == signed.key }?.number ?? 0
        self.keys = keys.filter { $0.number <= number }.sorted { $0.number > $1.number }.map {
            Key(public: Base64.text($0.publicKey), message: $0.message, endorsement: $0.endorsement.map(Base64.text))
        }
    }
}
