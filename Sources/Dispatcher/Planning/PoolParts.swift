// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What waits to be dealt, parted so that a plan counts for nobody what it may not be given: a pool's accounts by who had
/// them last within the month, by suspended bands and by where there are no visits, each part a cell of its own.
struct PoolParts {
    private struct Part: Hashable, Comparable {
        let former: Int32
        let band: String
        /// Rule packs that have no visits there.
        let packs: [String]

        static let open = Part(former: 0, band: "", packs: [])

        static func < (left: Part, right: Part) -> Bool {
            (left.former, left.band, left.packs.joined(separator: " "))
                < (right.former, right.band, right.packs.joined(separator: " "))
        }

        var words: String {
            var words: [String] = []
            if let agency = AgencyID(former) { words.append("had by \(agency)") }
            if !band.isEmpty { words.append("band \(band)") }
            if !packs.isEmpty { words.append("no visits under \(packs.joined(separator: ", "))") }
            return words.joined(separator: ", ")
        }
    }

    private let parts: [Part]
    /// By cell.
    let demands: [PlanDemand]

    /// - Parameter byFormer: whether parts go by former holders too. Where a whole pool is dealt they are few in it, and
    ///   the dealing keeps accounts from them all the same.
    init(_ rows: [DemandRow], byFormer: Bool) {
        func part(_ row: DemandRow) -> Part {
            Part(former: byFormer ? row.former?.value ?? 0 : 0, band: row.band, packs: row.packs)
        }
        // What everybody may have is the pool itself.
        let parts = [Part.open] + Set(rows.map(part)).subtracting([Part.open]).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: parts.enumerated().map { ($1, Int16(clamping: $0)) })
        var demands: [PlanCell: PlanDemand] = [:]
        for row in rows {
            let cell = PlanCell(row.pool, band: numbers[part(row)] ?? 0)
            demands[cell, default: PlanDemand(cell: cell, classes: [])].add(row)
        }
        self.parts = parts
        self.demands = demands.values.sorted { $0.cell < $1.cell }
    }

    /// Of a plan that was kept: its cells have numbers, and no record of what the parts were.
    init(recorded demands: [PlanDemand]) {
        self.parts = []
        self.demands = demands
    }

    var accounts: Int64 { demands.reduce(0) { $0 + $1.accounts } }

    /// What a part is, in words; empty for the pool itself.
    func words(_ band: Int16) -> String { parts.indices.contains(Int(band)) ? parts[Int(band)].words : "part \(band)" }

    /// Keeps from a contract the parts that it may not have (ASG-06, GEO-02).
    func restrict(_ contract: inout PlanContract, _ suspensions: Set<SuspensionRow>, packs: [String]) {
        for (number, part) in parts.enumerated() {
            if !Set(part.packs).isDisjoint(with: packs) {
                contract.visitless = (contract.visitless ?? []) + [Int16(clamping: number)]
            }
            for strategy in contract.strategies {
                let isSuspended = suspensions.contains(
                    SuspensionRow(agency: contract.agency, strategy: strategy, band: part.band))
                guard part.former == contract.agency.value || (!part.band.isEmpty && isSuspended) else { continue }
                contract.suspended.append(PlanContract.Suspension(strategy: strategy, band: Int16(clamping: number)))
            }
        }
    }
}

extension PlanDemand {
    fileprivate mutating func add(_ row: DemandRow) {
        banned += row.banned
        let more = row.accounts
        guard let index = classes.firstIndex(where: { $0.priority == more.priority }) else {
            return classes.append(more)
        }
        classes[index].accounts += more.accounts
        classes[index].overdue += more.overdue
        classes[index].balance += more.balance
    }
}
