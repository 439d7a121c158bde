// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// Computes the ledger again, and from it hands, leases, counters, statements and the bases of fees, and compares all with what is
/// stored.
///
/// Reads one snapshot, one delegation and month after the other; memory stays with the largest of them.
package struct LedgerVerification {
    /// One contradiction, in a sentence for people. Names numbers, never a debtor.
    package struct Finding: Equatable, Sendable, Encodable {
        package let place: String
        package let found: String
    }

    package struct Report: Equatable, Sendable, Encodable {
        package var places = 0
        package var blocks = 0
        package var records = 0
        package var roots = 0
        package var findings: [Finding] = []
        /// What is no fault and yet no proof.
        package var notes: [String] = []
        /// What the chain has not come to yet, which is no fault: a node does it.
        package var unchained: [Unchained] = []
    }

    /// Blocks of a chain that stand behind its head: whole in themselves, and not yet hashed into it.
    package struct Unchained: Equatable, Sendable, Encodable {
        /// Delegation and month.
        package let place: String
        package let blocks: Int
    }

    /// Findings that are kept; a ledger that was rewritten would give one per record.
    package static let findingsMax = 1_000

    private let link: PgLink
    private let store: ProofStore

    package init(_ link: PgLink) {
        self.link = link
        store = ProofStore(link)
    }

    /// - Parameters:
    ///   - sample: how many delegations to look at, chosen by `seed`; all of them without it. Roots and keys always.
    ///   - step: told how many of the places are done.
    package func run(
        sample: Int? = nil, seed: UInt64 = 0, step: (Int, Int) -> Void = { _, _ in }
    ) throws -> Report {
        try link.snapshot { try runInSnapshot(sample: sample, seed: seed, step: step) }
    }

    /// The delegations that a sample would look at, ascending.
    package func delegations(sample: Int, seed: UInt64) throws -> [Int16] {
        let all = Set(try store.places().map(\.delegation)).union(try RecordedHands(link).delegations())
        return Self.choose(sample, of: all.sorted(), seed: seed).map(\.value).sorted()
    }

    /// The same in a transaction of the caller's, on one snapshot.
    func runInSnapshot(
        sample: Int?, seed: UInt64, step: (Int, Int) -> Void = { _, _ in }
    ) throws -> Report {
        var report = Report()
        let places = try store.places()
        let recorded = Set(places.map(\.delegation))
        // Where every block is gone, what was dealt is there still.
        let dealt = Set(try RecordedHands(link).delegations())
        let chosen = Self.choose(sample, of: recorded.union(dealt).sorted(), seed: seed)
        let wanted = places.filter { chosen.contains($0.delegation) }
        let roots = Dictionary(uniqueKeysWithValues: try store.roots().map { ($0.period, $0) })
        try RootCheck(store, cutOf: sample == nil ? nil : chosen).run(&report)
        // A signed month's chains are held to the lines of its root.
        for place in try store.endsWithoutBlock()
        where roots[place.period] == nil && (sample == nil || chosen.contains(place.delegation)) {
            report.add("delegation \(place.delegation), \(place.period)", "the last block of its chain is gone")
        }
        var whole = try WholeRecords(store, roots: roots)
        var check: DelegationCheck?
        for (index, place) in wanted.enumerated() {
            if check?.delegation != place.delegation {
                try check?.finish(link, &report)
                check = DelegationCheck(place.delegation)
            }
            try check?.month(place.period, signed: roots[place.period], store, &whole, &report)
            report.places += 1
            step(index + 1, wanted.count)
        }
        try check?.finish(link, &report)
        for delegation in dealt.subtracting(recorded).intersection(chosen).sorted() {
            var check = DelegationCheck(delegation)
            try check.finish(link, &report)
        }
        try whole.finish(store, isComplete: wanted.count == places.count, &report)
        return report
    }

    private static func choose(_ sample: Int?, of all: [Delegation], seed: UInt64) -> Set<Delegation> {
        guard let sample, sample < all.count else { return Set(all) }
        var rest = all
        var random = SplitMix64(seed: seed)
        var chosen: Set<Delegation> = []
        while chosen.count < sample {
            chosen.insert(rest.remove(at: Int(random.next() % UInt64(rest.count))))
        }
        return chosen
    }
}

extension LedgerVerification.Report {
    mutating func add(_ place: String, _ found: String) {
        if findings.count < LedgerVerification.findingsMax {
            findings.append(LedgerVerification.Finding(place: place, found: found))
        } else if findings.count == LedgerVerification.findingsMax, notes.last != Self.more {
            notes.append(Self.more)
        }
    }

    private static let more = "there are more findings than \(LedgerVerification.findingsMax); the others are left out"

    package var lines: [String] {
        var lines = findings.map { "\($0.place): \($0.found)" } + notes.map { "note: \($0)" }
        if !unchained.isEmpty {
            let blocks = unchained.reduce(0) { $0 + $1.blocks }
            lines.append(
                "note: \(Words.counted(Int64(blocks), "block waits", "blocks wait")) to be hashed into \(Words.counted(Int64(unchained.count), "chain", "chains")), which "
                    + "a node does within seconds (`dispatcherd serve`); --json names them")
        }
        let looked =
            "\(grouped(Int64(records))) records in \(grouped(Int64(blocks))) blocks of \(places) chains, \(roots) signed root\(roots == 1 ? "" : "s")"
        lines.append(findings.isEmpty ? "the ledger is whole: \(looked)" : "\(findings.count) findings in \(looked)")
        return lines
    }
}

/// The signed roots, the keys that signed them, and the statements, schedules and scorecards under them.
struct RootCheck {
    private let store: ProofStore
    /// Whose cuts are digested again; `nil`: all.
    private let delegations: Set<Delegation>?

    init(_ store: ProofStore, cutOf delegations: Set<Delegation>?) {
        self.store = store
        self.delegations = delegations
    }

    func run(_ report: inout LedgerVerification.Report) throws {
        let keys = try store.keys()
        checkKeys(keys, addedAt: try store.addedKeys(), &report)
        if try !store.areRootsNumbered() {
            report.add("signed roots", "they are not numbered one behind the other, as they were signed")
        }
        var previous: PeriodRootRow?
        for root in try store.roots() {
            report.roots += 1
            checkSignature(root, after: previous, keys, &report)
            try checkStatements(root, &report)
            try checkGrounds(root, &report)
            previous = root
        }
        let signed = Set(try store.roots().map(\.period))
        let unsigned = try store.closedPeriods().filter { !signed.contains($0) }
        for period in unsigned { report.notes.append("\(period) is closed and its root is not signed") }
    }

    /// The text of a key, whole, is made again from what it says; its row was written a moment behind it.
    private func checkKeys(
        _ keys: [SigningKeyRow], addedAt: [String: Timestamp], _ report: inout LedgerVerification.Report
    ) {
        var former: SigningKeyRow?
        for (index, key) in keys.enumerated() {
            let fields = LedgerFields(key.message)
            let added = fields?["added"].flatMap { Timestamp(text: $0) }
            let text = added.map {
                SigningKeyRow.message(publicKey: key.publicKey, previous: former?.id, at: $0)
            }
            let distance = added.flatMap { added in addedAt[key.id].map { abs($0.microseconds - added.microseconds) } }
            if key.number != Int32(index) + 1 || text != key.message || distance.map({ $0 >= 60_000_000 }) ?? true
                || key.id != SigningKeyRow.id(of: key.publicKey) || fields?["public"] != Base64.text(key.publicKey)
                || fields?["previous"] != former?.id ?? "none"
            {
                report.add("key \(key.id)", "its name, its public key and the text that was endorsed do not fit")
            }
            if let endorsement = key.endorsement {
                if former.map({ !LedgerSignature.isValid(endorsement, of: key.message, by: $0.publicKey) }) ?? true {
                    report.add("key \(key.id)", "its endorsement is not one of the key before it")
                }
            } else if former != nil {
                report.notes.append("key \(key.id) follows a key that was lost, and has no endorsement")
            }
            former = key
        }
    }

    private func checkSignature(
        _ root: PeriodRootRow, after previous: PeriodRootRow?, _ keys: [SigningKeyRow],
        _ report: inout LedgerVerification.Report
    ) {
        let place = "\(root.period)"
        let hash = PeriodRoot(leaves: root.leaves).hash
        let fields = LedgerFields(root.message)
        if hash != root.root || fields?.hash("root") != hash || fields?["period"] != place || fields?["key"] != root.key
        {
            report.add(place, "the signed root is not that of its leaves")
        }
        let before = previous.map { "\($0.period):\(LedgerTree.hex($0.root))" } ?? "none"
        if fields?["previous"] != before { report.add(place, "it does not name the root that was signed before it") }
        guard let key = keys.first(where: { $0.id == root.key }),
            LedgerSignature.isValid(root.signature, of: root.message, by: key.publicKey)
        else { return report.add(place, "the signature is not one of key \(root.key)") }
    }

    /// Schedules, scorecards, contracts and the cut. A root that was signed before there were any in it has none to compare.
    private func checkGrounds(_ root: PeriodRootRow, _ report: inout LedgerVerification.Report) throws {
        let kinds = PeriodGrounds.generations.filter { kinds in root.leaves.contains { Self.isOf($0, kinds) } }
        guard !kinds.isEmpty else { return }
        let all = try PeriodGrounds.lines(store.link, root.period, cutOf: delegations)
        for kinds in kinds {
            let signed = root.leaves.filter { Self.isOf($0, kinds) && isLookedAt($0) }
            let now = Set(all.filter { Self.isOf($0, kinds) })
            for line in signed where !now.contains(line) {
                report.add("\(root.period)", "\(PeriodGrounds.name(line)) is not the one that was signed, or is gone")
            }
            let known = Set(signed.map(PeriodGrounds.name))
            for line in now.sorted() where !known.contains(PeriodGrounds.name(line)) {
                report.add("\(root.period)", "\(PeriodGrounds.name(line)) was never signed")
            }
        }
    }

    private static func isOf(_ line: String, _ kinds: [String]) -> Bool { kinds.contains { line.hasPrefix($0 + " ") } }

    /// A sample digests the cut of its own delegations alone.
    private func isLookedAt(_ line: String) -> Bool {
        guard let delegations, Self.isOf(line, [PeriodGrounds.cut]) else { return true }
        let number = LedgerFields(line)?.number("delegation").flatMap { Int16(exactly: $0) }
        return number.flatMap(Delegation.init).map(delegations.contains) ?? true
    }

    private func checkStatements(_ root: PeriodRootRow, _ report: inout LedgerVerification.Report) throws {
        let place = "\(root.period)"
        var signed: [Int64: [UInt8]] = [:]
        for leaf in root.leaves {
            guard let fields = LedgerFields(leaf), fields.kind == "statement", let contract = fields.number("contract")
            else { continue }
            signed[contract] = fields.hash("digest")
        }
        for statement in try PeriodStore(store.link, period: root.period).statements() {
            let digest = LedgerTree.hash(Array(statement.body.utf8), [])
            if signed.removeValue(forKey: Int64(statement.contract)) != digest || statement.digest != digest {
                report.add(place, "the statement of contract \(statement.contract) is not the one that was signed")
            }
        }
        for contract in signed.keys.sorted() {
            report.add(place, "the statement of contract \(contract) that was signed is gone")
        }
    }
}
