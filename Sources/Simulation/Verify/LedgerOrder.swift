// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// In which order grants and endings were committed, by the blocks of their records.
///
/// Under a virtual clock a half day's work has one instant. What made room for a grant had been committed before it, and so has the
/// lower block; what was in one group with it has the same one, and made none.
struct LedgerOrder {
    private var grants: [GrantID: Int64] = [:]
    private var sweeps: [GrantID: Int64] = [:]
    private var endings: [Held: Int64] = [:]

    init(_ history: History) {
        guard history.hasLedger else { return }
        for block in history.blocks {
            for bytes in Merkle.records(block.records) {
                let isGrant = bytes.starts(with: "grant ".utf8)
                guard isGrant || bytes.starts(with: "ending ".utf8) || bytes.starts(with: "sweep ".utf8) else {
                    continue
                }
                let fields = LogFields(String(decoding: bytes, as: UTF8.self)[...])
                if isGrant {
                    if let grant = fields["id"].flatMap({ GrantID(text: $0) }) { grants[grant] = block.id }
                } else if let held = fields.held {
                    endings[held] = block.id
                } else if let grant = fields.grant {
                    sweeps[grant] = block.id
                }
            }
        }
    }

    /// `nil` where no record of it is known.
    func block(of grant: GrantID) -> Int64? { grants[grant] }

    /// The block of what ended a lease that has ended.
    func block(ofEndOf lease: Lease) -> Int64? {
        let (ending, sweep) = (endings[lease.held], sweeps[lease.grant.grant])
        return lease.end == "closed" ? sweep ?? ending : ending ?? sweep
    }
}

/// What of some leases had ended before a grant: by the order of their records where each of them is known, else by their instants.
struct Releases {
    private let order: LedgerOrder?
    private let ended: [(place: Int64, exposure: Int64)]
    /// Of the first ones, by how many.
    private var exposures: [Int64] = [0]

    init(_ leases: [Lease], before grants: [History.Grant], _ order: LedgerOrder) {
        let gone = leases.filter { $0.until != nil }
        let blocks = gone.map { order.block(ofEndOf: $0) }
        let isKnown = !blocks.contains(nil) && grants.allSatisfy { order.block(of: $0.grant) != nil }
        self.order = isKnown ? order : nil
        ended = zip(gone, blocks).map { lease, block in
            ((isKnown ? block : lease.until?.microseconds) ?? 0, lease.exposure)
        }.sorted { $0.place < $1.place }
        for end in ended { exposures.append((exposures.last ?? 0) + end.exposure) }
    }

    /// What ended in the instant of the grant counts as released before it, where nothing else is known.
    func before(_ grant: History.Grant) -> (accounts: Int, exposure: Int64) {
        let place = order?.block(of: grant.grant)
        let count = partition { $0 < place ?? .max && (place != nil || $0 <= grant.grantedAt.microseconds) }
        return (count, exposures[count])
    }

    /// Where a grant stands among others.
    func place(of grant: History.Grant) -> Int64 { order?.block(of: grant.grant) ?? grant.grantedAt.microseconds }

    /// The number of leading ends for which the claim holds; it holds for none after the first that it fails for.
    private func partition(_ holds: (Int64) -> Bool) -> Int {
        var low = 0
        var high = ended.count
        while low < high {
            let middle = (low + high) / 2
            if holds(ended[middle].place) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
