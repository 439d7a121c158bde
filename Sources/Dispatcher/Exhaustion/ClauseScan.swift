// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Asks every account of a cut about the clauses of a sheet: several links of one snapshot, a stretch of the table each at
/// a time, so that the table is read once in whatever order its rows lie.
struct ClauseScan {
    /// Accounts that meet all clauses, or all but one; with what the clauses read, in one array for all of them.
    struct List: Sendable {
        static let none: UInt8 = .max

        fileprivate(set) var accounts: [Int64] = []
        /// The number of the clause that is missing, or ``none``.
        fileprivate(set) var missing: [UInt8] = []
        /// ``ClauseSheet/shown`` of the first account, then of the second; ``AccountRow/missing`` where there is none.
        fileprivate(set) var values: [Int64] = []

        /// Places of the accounts, by their numbers.
        var order: [Int] { accounts.indices.sorted { accounts[$0] < accounts[$1] } }

        fileprivate mutating func add(_ other: List) {
            accounts += other.accounts
            missing += other.missing
            values += other.values
        }
    }

    struct Result: Sendable {
        fileprivate(set) var accounts: Int64 = 0
        /// Accounts that miss exactly one clause, listed or not.
        fileprivate(set) var nearMisses: Int64 = 0
        /// By delegation number.
        fileprivate(set) var lists = [List](repeating: List(), count: Int(Delegation.range.upperBound) + 1)

        fileprivate mutating func add(_ other: Result) {
            accounts += other.accounts
            nearMisses += other.nearMisses
            for index in lists.indices { lists[index].add(other.lists[index]) }
        }
    }

    private let sheet: ClauseSheet
    private let cut: LocalDate
    private let includesNear: Bool

    /// - Parameter includesNear: whether accounts that miss exactly one clause are listed too.
    init(_ sheet: ClauseSheet, cut: LocalDate, includesNear: Bool) {
        self.sheet = sheet
        self.cut = cut
        self.includesNear = includesNear
    }

    /// Runs inside the caller's snapshot.
    func run(_ link: PgLink, period: Period) throws -> Result {
        let store = SegmentationStore(link, period: period)
        let read = Set(sheet.fields).union([.delegation])
        let fields = AccountField.stored.filter { read.contains($0) }
        let (scan, open, snapshot) = (self, link.opener("dispatcherd clauses"), try store.exportSnapshot())
        let stretches = try store.stretches()
        let overlay = try store.readOverlay(cut: cut, fields: fields)
        var result = Result()
        try OrderedWork.run(
            parts: stretches.count, threads: OrderedWork.threads,
            worker: {
                let store = SegmentationStore(try open(), period: period)
                try store.beginReading(snapshot)
                let batch = ColumnBatch(fields: fields)
                return { number in
                    var part = Result()
                    try store.readColumns(stretches[number], overlay: overlay, into: batch) {
                        scan.ask($0, into: &part)
                    }
                    return part
                }
            },
            take: { next in
                while let part = try next() {
                    result.add(part)
                    Console.progress("asked", done: Int(result.accounts), of: nil)
                }
            })
        Console.progress("asked", done: Int(result.accounts), of: nil, isDone: true)
        return result
    }

    private func ask(_ batch: ColumnBatch, into part: inout Result) {
        let delegations = batch.delegations
        var row = AccountRow(cut: cut)
        for index in 0..<batch.count {
            for field in sheet.fields {
                let value = batch.raw(field, index)
                row[field] = value == AccountRow.missing ? nil : value
            }
            let met = sheet.met(by: row)
            let missing = met.count { !$0 }
            part.accounts += 1
            if missing == 1 { part.nearMisses += 1 }
            guard missing == 0 || missing == 1 && includesNear else { continue }
            let delegation = Int(delegations[index])
            part.lists[delegation].accounts.append(batch.accounts[index])
            part.lists[delegation].missing.append(met.firstIndex(of: false).map { UInt8(clamping: $0) } ?? List.none)
            for field in sheet.shown { part.lists[delegation].values.append(batch.raw(field, index)) }
        }
    }
}
