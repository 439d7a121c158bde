// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What waits to be dealt again, parted so that a plan counts for nobody what it may not be given: a pool's accounts by who
/// had them last within the month and by suspended bands, each part a cell of its own.
struct RedealDemands {
    private struct Part: Hashable, Comparable {
        let former: Int32
        let band: String

        static let open = Part(former: 0, band: "")

        static func < (left: Part, right: Part) -> Bool { (left.former, left.band) < (right.former, right.band) }
    }

    private let parts: [Part]
    /// By cell.
    let demands: [PlanDemand]

    /// - Parameter byFormer: whether parts go by former holders too. Where a whole pool is dealt they are few in it, and
    ///   the dealing keeps accounts from them all the same.
    init(_ rows: [RedealDemand], byFormer: Bool) {
        func part(_ row: RedealDemand) -> Part {
            Part(former: byFormer ? row.former?.value ?? 0 : 0, band: row.band)
        }
        // What everybody may have is the pool itself, as plans of a month have it.
        let parts = [Part.open] + Set(rows.map(part)).subtracting([Part.open]).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: parts.enumerated().map { ($1, Int16(clamping: $0)) })
        var demands: [PlanCell: PlanDemand] = [:]
        for row in rows {
            let cell = PlanCell(row.pool, band: numbers[part(row)] ?? 0)
            demands[cell, default: PlanDemand(cell: cell, classes: [])].add(row.accounts)
        }
        self.parts = parts
        self.demands = demands.values.sorted { $0.cell < $1.cell }
    }

    var accounts: Int64 { demands.reduce(0) { $0 + $1.accounts } }

    /// Keeps from a contract the parts that its agency may not have (ASG-06).
    func restrict(_ contract: inout PlanContract, _ suspensions: Set<SuspensionRow>) {
        for (number, part) in parts.enumerated() {
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
    fileprivate mutating func add(_ more: PriorityClass) {
        guard let index = classes.firstIndex(where: { $0.priority == more.priority }) else {
            return classes.append(more)
        }
        classes[index].accounts += more.accounts
        classes[index].overdue += more.overdue
        classes[index].balance += more.balance
    }
}
