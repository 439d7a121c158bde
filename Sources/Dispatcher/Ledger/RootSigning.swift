// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Glibc
package import PgStore

/// Signs the root of a closed period, makes keys and proofs.
package struct RootSigning {
    private let link: PgLink
    private let store: ProofStore

    package init(_ link: PgLink) {
        self.link = link
        store = ProofStore(link)
    }

    // MARK: - Keys

    /// Makes the next key: writes it to `path`, and keeps its public half with the endorsement of the key before it.
    ///
    /// - Parameters:
    ///   - former: the file of the key in use; it signs who follows it.
    ///   - isLost: go on without the former key's endorsement, which every check will tell.
    package func makeKey(at path: String, former: String?, isLost: Bool) throws -> SigningKeyRow {
        let last = try store.keys().last
        var signer: SigningKey?
        if let last, !isLost {
            guard let former else {
                throw CommandFailure(
                    .usage, "key \(last.id) is in use, and the next one needs its signature",
                    remedy: "Name its file with --former, or say --former-is-lost.")
            }
            let key = try SigningKey(file: former)
            guard key.id == last.id else {
                throw CommandFailure(
                    .usage, "\(former) is key \(key.id), and \(last.id) is in use", remedy: "Name the file of that one."
                )
            }
            signer = key
        }
        let key = SigningKey()
        let message = SigningKeyRow.message(publicKey: key.publicKey, previous: last?.id, at: try link.readNow())
        let row = SigningKeyRow(
            id: key.id, publicKey: key.publicKey, number: (last?.number ?? 0) + 1, message: message,
            endorsement: try signer?.sign(message))
        try key.write(to: path)
        do {
            try store.add(row)
        } catch {
            // A key that nobody knows would only be taken for the one in use.
            unlink(path)
            throw error
        }
        return row
    }

    // MARK: - Roots

    package static let waitMax = Duration.seconds(60)

    /// Chains what is left of a closed period and signs its root; what is signed already stays as it is.
    ///
    /// - Throws: ``CommandFailure`` where the period is not closed, the key is not the one in use, or a transaction keeps the
    ///   period's last block from being chained for longer than a minute.
    @discardableResult
    package func sign(_ period: Period, with key: SigningKey) throws -> PeriodRootRow {
        if let signed = try store.root(of: period) { return signed }
        guard try PeriodStore(link, period: period).state() == .closed else {
            throw CommandFailure(
                .usage, "\(period) is not closed", remedy: "Close it with `dispatcherd close --period \(period)`.")
        }
        try requireInUse(key)
        try chainAll(of: period)
        let root = try link.transaction {
            _ = try PeriodStore(link, period: period).lock()
            if let signed = try store.root(of: period) { return signed }
            let root = try PeriodRoot(store, period: period)
            let former = try store.roots()
            let now = try link.readNow()
            let message = root.message(
                period: period, previous: former.last.map { ($0.period, $0.root) }, signedAt: now, key: key.id)
            let row = PeriodRootRow(
                period: period, leaves: root.leaves, root: root.hash, message: message, key: key.id,
                signature: try key.sign(message))
            try store.add(row, number: Int32(former.count) + 1)
            try link.insertBlocks(LedgerBlock.seal([.root(row, at: now)]))
            return row
        }
        // That record's chain goes on without waiting for a node; where it cannot, nodes chain it, and the root is signed all the same.
        do {
            try Sequencer.run(link)
        } catch {
            Console.note("note: the root of \(period) is signed, and a node has to chain the record of that: \(error)")
        }
        return root
    }

    /// - Throws: ``CommandFailure`` (usage) for a key that is not the latest one of the ledger.
    package func requireInUse(_ key: SigningKey) throws {
        guard let last = try store.keys().last, last.id == key.id else {
            throw CommandFailure(
                .usage, "key \(key.id) is not the one in use",
                remedy: "`dispatcherd ledger key list` shows which is; ledger.key-file names its file.")
        }
    }

    private func chainAll(of period: Period) throws {
        let deadline = ContinuousClock.now.advanced(by: Self.waitMax)
        while true {
            try Sequencer.run(link)
            let left = try store.unchained(period)
            if left == 0 { return }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .environment, "\(left) blocks of \(period) wait for transactions that began before them",
                    remedy:
                        "End those, then run `dispatcherd ledger sign --period \(period)`; it stays closed meanwhile.")
            }
            // The server tells nobody when a transaction of another session ends.
            usleep(50_000)
        }
    }

    // MARK: - Proofs

    /// The proof of the record that a receipt is of.
    ///
    /// - Throws: ``CommandFailure`` where no signed period has it.
    package func prove(receipt: [UInt8], delegation: Delegation? = nil) throws -> LedgerProof {
        try prove(beginning: LedgerTree.hex(receipt), delegation: delegation)
    }

    /// The same of a receipt's beginning, where no other record's begins so.
    ///
    /// - Parameter digits: small hexadecimal digits; all 64 of them are of one record.
    /// - Throws: ``CommandFailure`` where no signed period has such a record, or where there are several.
    package func prove(beginning digits: String, delegation: Delegation? = nil) throws -> LedgerProof {
        guard let found = try find(digits, delegation) else { throw Self.unknown }
        guard let root = try store.roots().first(where: { $0.period == found.period }) else {
            throw CommandFailure(
                .findings, "the receipt is in \(found.period), whose root is not signed yet",
                remedy: "It is signed when the month is closed; `dispatcherd ledger sign` signs a closed one.")
        }
        let links = try store.links(found.delegation, found.period)
        guard let leaf = root.leaves.firstIndex(where: { $0.hasPrefix("chain delegation=\(found.delegation) ") }),
            let end = LedgerFields(root.leaves[leaf])?.number("height"), found.height > 0, found.height <= end,
            links.count >= end
        else { throw Self.unknown }
        return LedgerProof(
            record: found.record, index: found.index, leaves: found.leaves, height: found.height,
            links: Array(links.prefix(Int(end))), leaf: leaf, signed: root, keys: try store.keys())
    }

    private static var unknown: CommandFailure {
        CommandFailure(
            .findings, "no signed period has a record with this receipt",
            remedy: "Check the receipt; `dispatcherd ledger verify` tells whether the ledger is whole.")
    }

    private struct Found {
        let delegation: Delegation
        let period: Period
        let record: [UInt8]
        let index: Int
        let leaves: [[UInt8]]
        let height: Int64
    }

    /// The one record whose receipt begins so. A whole receipt ends the search where it is found; of a beginning all is looked at.
    private func find(_ digits: String, _ delegation: Delegation?) throws -> Found? {
        var found: Found?
        for place in try store.places() where delegation == nil || delegation == place.delegation {
            var isSeveral = false
            try store.eachBlock(place.delegation, place.period) { block in
                guard found == nil || digits.count < 64, !isSeveral else { return }
                let records = LedgerBlock.unpack(block.records)
                let leaves = records.map(LedgerTree.leaf)
                for (index, leaf) in leaves.enumerated() where LedgerTree.hex(leaf).hasPrefix(digits) {
                    if let former = found {
                        isSeveral = isSeveral || former.leaves[former.index] != leaf
                        continue
                    }
                    found = Found(
                        delegation: place.delegation, period: place.period, record: records[index], index: index,
                        leaves: leaves, height: block.link?.height ?? 0)
                }
            }
            guard !isSeveral else {
                throw CommandFailure(
                    .usage, "several receipts begin with \(digits)",
                    remedy: "Give more of its digits; `statement explain --json` has all 64.")
            }
            if found != nil, digits.count == 64 { break }
        }
        return found
    }
}

extension PeriodRoot {
    /// The root of a period as its chains and statements are now.
    init(_ store: ProofStore, period: Period) throws {
        let chains = try store.places().filter { $0.period == period }.map {
            (delegation: $0.delegation, links: try store.links($0.delegation, period))
        }
        let statements = try PeriodStore(store.link, period: period).statements()
        self.init(
            chains: chains, statements: statements.map { ($0.contract, $0.digest) },
            grounds: try PeriodGrounds.lines(store.link, period))
    }
}
