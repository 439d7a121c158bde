// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
internal import PgStore

/// The root of a closed month: what was hashed, what was signed, and by whom.
package struct SignedRoot: Sendable {
    package var period: Int32
    /// Lines without their breaks.
    package var leaves: [String]
    package var root: [UInt8]
    package var message: String
    package var key: String
    /// 32 bytes, Ed25519; `nil` where there is no such key.
    package var publicKey: [UInt8]?
    package var signature: [UInt8]

    package init(
        period: Int32, leaves: [String], root: [UInt8], message: String, key: String, publicKey: [UInt8]?,
        signature: [UInt8]
    ) {
        self.period = period
        self.leaves = leaves
        self.root = root
        self.message = message
        self.key = key
        self.publicKey = publicKey
        self.signature = signature
    }
}

extension HistoryReader {
    /// In the order in which they were signed.
    package func signedRoots() throws -> [SignedRoot] {
        try link.run(
            """
            SELECT r.period, r.leaves, r.root, r.message, r.key_id, k.public_key, r.signature
              FROM period_root r LEFT JOIN signing_key k USING (key_id) ORDER BY r.number
            """
        ).map { row in
            SignedRoot(
                period: row.int32(0), leaves: row.text(1).split(separator: "\n").map(String.init), root: row.bytes(2),
                message: row.text(3), key: row.text(4), publicKey: row.optionalBytes(5), signature: row.bytes(6))
        }
    }
}

/// What the other checks take from a root's lines was signed: the root is that of the lines, the signed text names it, the month and the
/// root before, and the signature is that of its key over the text. Which keys are to be trusted is for `dispatcherd ledger verify`.
package struct SignedRootChecks {
    let roots: [SignedRoot]

    /// - Parameter roots: in the order in which they were signed.
    package init(roots: [SignedRoot]) { self.roots = roots }

    /// - Parameter delegation: what a break is told of: it is none's.
    package func verdict(_ delegation: Delegation) -> Verdict {
        var verdict = Verdict()
        var before = "none"
        for signed in roots {
            verdict.count(.ledger)
            let name = Period(number: signed.period)?.description ?? "\(signed.period)"
            for (found, told) in wrong(signed, name, after: before) {
                verdict.add(Finding(.ledger, delegation, found, events: ["the root of \(name)"] + told))
            }
            before = "\(name):\(Hex.text(signed.root))"
        }
        return verdict
    }

    private func wrong(_ signed: SignedRoot, _ name: String, after before: String) -> [(String, [String])] {
        var wrong: [(String, [String])] = []
        let made = Merkle.root(signed.leaves.map { Merkle.leaf(Array($0.utf8)[...]) })
        if made != signed.root {
            wrong.append(
                (
                    "a signed root is not that of its lines",
                    ["it is \(Hex.text(signed.root))", "its \(signed.leaves.count) lines make \(Hex.text(made))"]
                ))
        }
        let fields = LogFields("root " + signed.message.replacing("\n", with: " "))
        let told = [
            "period": name, "root": Hex.text(signed.root), "previous": before, "key": signed.key,
        ]
        let differing = told.keys.sorted().filter { fields[Substring($0)].map(String.init) != told[$0] }
        if !differing.isEmpty {
            wrong.append(
                (
                    "a signed text is not of its root",
                    [
                        "it says "
                            + differing.map { "\($0)=\(fields[Substring($0)] ?? "nothing")" }.joined(separator: " ")
                    ]
                ))
        }
        let key = signed.publicKey.flatMap { try? Curve25519.Signing.PublicKey(rawRepresentation: $0) }
        if key?.isValidSignature(signed.signature, for: Array(signed.message.utf8)) != true {
            wrong.append(
                (
                    "a root's signature is not one of its key",
                    [key == nil ? "there is no key \(signed.key)" : "key \(signed.key) did not sign that text"]
                ))
        }
        return wrong
    }
}
