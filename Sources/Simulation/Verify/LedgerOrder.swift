// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// In which order things were committed, by the blocks of their records.
///
/// Under a virtual clock a half day's work has one instant. What made room for a grant had been committed before it, and so has the
/// lower block; what was in one group with it made none. A group that works in two months writes a block for each, whose order says
/// nothing.
struct LedgerOrder {
    /// When a sweep ran, and what it said of the end, both as its record has them.
    struct Sweep {
        let ranAt: Timestamp
        let end: Timestamp
    }

    /// The transaction of each block.
    private var groups: [Int64: Int64] = [:]
    private var grants: [GrantID: Int64] = [:]
    private var sweeps: [GrantID: Int64] = [:]
    private var endings: [Held: Int64] = [:]
    private var outcomes: [Int64: Int64] = [:]
    private var decisions: [Int64: Int64] = [:]
    private var runs: [GrantID: Sweep] = [:]

    init(_ history: History, _ records: LedgerRecords) {
        guard history.hasLedger else { return }
        for block in history.blocks { groups[block.id] = block.transaction }
        for kind in ["grant", "ending", "sweep", "outcome", "adjudication"] {
            for record in records.of(kind) { add(record.fields, record.block) }
        }
    }

    private mutating func add(_ fields: LogFields, _ place: Int64) {
        switch fields.kind {
        case "grant":
            if let grant = fields["id"].flatMap({ GrantID(text: $0) }) { grants[grant] = place }
        case "ending":
            if let held = fields.held { endings[held] = place }
        case "outcome":
            if let number = fields.number("number") { outcomes[number] = place }
        case "adjudication":
            if fields["decision"] == "accepted", let number = fields.number("evidence") { decisions[number] = place }
        default:
            guard let grant = fields.grant else { return }
            sweeps[grant] = place
            if let at = fields.instant("at"), let end = fields.instant("end") {
                runs[grant] = Sweep(ranAt: at, end: end)
            }
        }
    }

    /// Whether a block was written behind another one, and not with it.
    func isBehind(_ block: Int64, _ other: Int64) -> Bool {
        block > other && (groups[block] == nil || groups[block] != groups[other])
    }

    /// `nil` where no record of it is known, as in all that follow.
    func sweep(of grant: GrantID) -> Sweep? { runs[grant] }
    func block(ofSweep grant: GrantID) -> Int64? { sweeps[grant] }
    func block(ofOutcome number: Int64) -> Int64? { outcomes[number] }
    /// Of the decision that accepted a piece of evidence.
    func block(ofAcceptance number: Int64) -> Int64? { decisions[number] }

    /// Whether what stands in a block came behind the end of a lease; `false` where that is not known.
    func isBehind(_ block: Int64?, theEndOf lease: Lease) -> Bool {
        guard lease.until != nil, let block, let end = self.block(ofEndOf: lease) else { return false }
        return isBehind(block, end)
    }

    /// Whether an account was given back behind the sweep that had closed its grant.
    func isReturned(_ held: Held, behindSweepOf grant: GrantID) -> Bool {
        guard let ending = endings[held], let sweep = sweeps[grant] else { return false }
        return isBehind(ending, sweep)
    }

    /// Where a lease begins and ends among the blocks.
    func words(of lease: Lease) -> String {
        let end = lease.until == nil ? nil : block(ofEndOf: lease)
        return "the grant's block is \(grants[lease.grant.grant].map(String.init) ?? "unknown")"
            + (end.map { ", that of its end \($0)" } ?? "")
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
