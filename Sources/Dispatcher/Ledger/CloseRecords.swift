// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What the ledger says of closed months, signed or not: the digest of each statement, and each root that was signed.
///
/// Whoever takes a signed root out, so that nothing vouches for the statements under it, is found by both.
struct CloseRecords {
    private struct Place: Hashable {
        let period: Period
        let contract: Int64
    }

    /// Of every kept statement: what its text hashes to now, and what is stored as that.
    private let kept: [Place: (computed: [UInt8], stored: [UInt8])]
    private let roots: [Period: PeriodRootRow]
    private var recorded: Set<Place> = []
    private var found: Set<Place> = []
    /// Of which a record says that they were closed, or signed.
    private var closed: Set<Period> = []
    private var signed: Set<Period> = []

    private static let kinds = ["statement ", "root "].map { Array($0.utf8) }

    init(_ store: ProofStore, roots: [Period: PeriodRootRow]) throws {
        var kept: [Place: (computed: [UInt8], stored: [UInt8])] = [:]
        for row in try store.statementDigests() {
            kept[Place(period: row.period, contract: Int64(row.contract))] = (row.computed, row.stored)
        }
        self.kept = kept
        self.roots = roots
    }

    /// - Parameter period: whose chain the record is in.
    mutating func take(_ record: [UInt8], _ period: Period, _ report: inout LedgerVerification.Report) {
        guard Self.kinds.contains(where: { record.starts(with: $0) }),
            let fields = LedgerFields(String(decoding: record, as: UTF8.self))
        else { return }
        if fields.kind == "root" { root(fields, &report) } else { statement(fields, period, &report) }
    }

    /// Each delegation's record has the digest of the whole statement; it is told once.
    private mutating func statement(
        _ fields: LedgerFields, _ period: Period, _ report: inout LedgerVerification.Report
    ) {
        guard let contract = fields.number("contract") else { return }
        let place = Place(period: period, contract: contract)
        closed.insert(period)
        recorded.insert(place)
        let digest = fields.hash("digest")
        guard kept[place].map({ $0.computed != digest || $0.stored != digest }) ?? true, found.insert(place).inserted
        else { return }
        report.add(
            "\(period)",
            kept[place] == nil
                ? "the statement of contract \(contract) that the close recorded is gone"
                : "the statement of contract \(contract) is not the one that the close recorded")
    }

    private mutating func root(_ fields: LedgerFields, _ report: inout LedgerVerification.Report) {
        guard let period = fields["period"].flatMap({ Period(text: $0) }) else { return }
        signed.insert(period)
        guard let root = roots[period] else {
            return report.add("\(period)", "its root was signed by key \(fields["key"] ?? ""), and is gone")
        }
        guard root.root == fields.hash("root"), root.key == fields["key"] else {
            return report.add("\(period)", "its signed root is not the one that was recorded")
        }
    }

    /// A close is for good: a month that has statements or a signed root, or is recorded to have had them, is closed, and its row
    /// names its root.
    func compareStates(_ rows: [ProofStore.PeriodState], _ report: inout LedgerVerification.Report) {
        let withStatements = closed.union(kept.keys.map(\.period))
        // A sample may know of a signed month alone; each of these was closed, and nothing takes its row away.
        let gone = withStatements.union(signed).union(roots.keys).subtracting(rows.map(\.period))
        for period in gone.sorted() { report.add("\(period)", "it was closed, and its row is gone") }
        for row in rows {
            let place = "\(row.period)"
            let root = roots[row.period]
            let isSigned = root != nil || signed.contains(row.period)
            if row.state != .closed, isSigned || withStatements.contains(row.period) {
                report.add(
                    place, "it was closed\(isSigned ? " and signed" : ""), and is stored as \(row.state.rawValue)")
            }
            if let root {
                if row.root != root.root { report.add(place, "its row does not name the root that was signed") }
            } else if row.root != nil, !signed.contains(row.period) {
                report.add(place, "its row names a root, and none is signed")
            }
        }
    }

    /// After the chains of all delegations: signatures and statements that nothing recorded.
    func finish(_ report: inout LedgerVerification.Report) {
        for period in roots.keys.filter({ !signed.contains($0) }).sorted() {
            report.add("\(period)", "it was signed, and the record of that is gone")
        }
        let never = kept.keys.filter { !recorded.contains($0) }
        for place in never.sorted(by: { ($0.period, $0.contract) < ($1.period, $1.contract) }) {
            report.add("\(place.period)", "the statement of contract \(place.contract) was recorded by no close")
        }
    }
}
