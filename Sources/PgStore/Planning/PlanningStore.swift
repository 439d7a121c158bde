// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A plan that is not discarded.
package struct PlanRow: Sendable {
    package let id: Int64
    package let state: String
    package let seed: Int64
    package let segmentationDigest: [UInt8]
    package let digest: [UInt8]
    /// Whether another command deals it at this moment.
    package let isBeingDealt: Bool
}

/// A plan of a later period that is not discarded.
package struct LaterPlan: Sendable {
    package let period: Period
    package let id: Int64
    /// `dealing` or `applied`.
    package let state: String
}

/// What a plan must know of a contract.
package struct ContractRow: Sendable {
    package let contract: ContractID
    package let agency: AgencyID
    package let agencyStatus: String
    /// Why the agency is on hold or terminated; empty where nobody said.
    package let motive: String
    package let strategies: [Strategy]
    package let startsOn: LocalDate
    package let endsOn: LocalDate
    package let capacityBasis: PlanContract.CapacityBasis
    package let bond: Int64
    package let exposure: Exposure
    package let packs: [String]
    package let penaltySchedule: String
}

/// A contract's advisers in one delegation and portfolio.
package struct CapacityRow: Sendable {
    package let contract: ContractID
    package let station: Station
    package let committed: Int32
    package let accountsPerAdviser: Int32
    /// By the latest staffing fact; `nil` where there is none.
    package let present: Int32?
}

/// What a quota's live grants hold.
package struct HoldingRow: Sendable {
    package let pool: PoolKey
    package let contract: ContractID
    package let accounts: Int64
    package let exposure: Int64
}

/// Reads what a period's plan is made from. Decides nothing.
package struct PlanningStore {
    package let link: PgLink
    package let period: Period
    /// Stops count from the day that the cut shows.
    package let cut: LocalDate

    package init(_ link: PgLink, period: Period, cut: LocalDate) {
        self.link = link
        self.period = period
        self.cut = cut
    }

    /// The state of the period; `nil` where nothing of it was ever imported.
    /// - Locks: every period that is not closed, until the transaction ends, against imports, plans and the close.
    package func lockPeriods() throws(PgError) -> String? {
        var state: String?
        for row in try link.run(PlanningStatements.lockPeriods, [.int32(period.number)])
        where row.int32(0) == period.number { state = row.text(1) }
        return state
    }

    package func plan() throws(PgError) -> PlanRow? {
        try link.run(PlanningStatements.plan, [.int32(period.number)]).first.map { row in
            PlanRow(
                id: row.int64(0), state: row.text(1), seed: row.int64(2), segmentationDigest: row.bytes(3),
                digest: row.bytes(4), isBeingDealt: row.text(1) == "dealing" && row.bool(5))
        }
    }

    /// The first later period that has a plan, applied or being dealt.
    package func laterPlan() throws(PgError) -> LaterPlan? {
        try link.run(PlanningStatements.laterPlan, [.int32(period.number)]).first.flatMap { row in
            Period(number: row.int32(0)).map { LaterPlan(period: $0, id: row.int64(1), state: row.text(2)) }
        }
    }

    /// By contract.
    package func contracts() throws(PgError) -> [ContractRow] {
        try link.run(PlanningStatements.contracts).compactMap { row in
            guard let contract = ContractID(row.int32(0)), let agency = AgencyID(row.int32(1)),
                let basis = Exposure.Basis(rawValue: row.text(8)),
                let capacityBasis = PlanContract.CapacityBasis(rawValue: row.text(6))
            else { return nil }
            return ContractRow(
                contract: contract, agency: agency, agencyStatus: row.text(2), motive: row.optionalText(10) ?? "",
                strategies: row.int16s(3).compactMap(Strategy.init(rawValue:)), startsOn: row.date(4),
                endsOn: row.date(5), capacityBasis: capacityBasis, bond: row.int64(7),
                exposure: Exposure(basis: basis, factorBasisPoints: Int64(row.int32(9))),
                packs: row.texts(11), penaltySchedule: row.text(12))
        }
    }

    /// By contract, delegation and portfolio.
    ///
    /// - Parameter staffedBy: the last day whose staffing facts count.
    package func capacities(staffedBy day: LocalDate) throws(PgError) -> [CapacityRow] {
        try link.run(PlanningStatements.capacities, [.date(day)]).compactMap { row in
            guard let contract = ContractID(row.int32(0)), let delegation = Delegation(row.int16(1)),
                let portfolio = Portfolio(rawValue: row.int16(2))
            else { return nil }
            return CapacityRow(
                contract: contract, station: Station(delegation: delegation, portfolio: portfolio),
                committed: row.int32(3), accountsPerAdviser: row.int32(4), present: row.optionalInt32(5))
        }
    }

    package func holdings() throws(PgError) -> [HoldingRow] {
        try link.run(PlanningStatements.holdings).compactMap { row in
            guard let pool = Self.pool(row, 0, 2, 3), let contract = ContractID(row.int32(1)) else { return nil }
            return HoldingRow(pool: pool, contract: contract, accounts: row.int64(4), exposure: row.int64(5))
        }
    }

    /// What each contract had of each pool by the latest plan of an earlier period, held accounts included.
    package func lastMonth() throws(PgError) -> [PlanKey: Int64] {
        var found: [PlanKey: Int64] = [:]
        for row in try link.run(PlanningStatements.lastMonth, [.int32(period.number)]) {
            guard let pool = Self.pool(row, 0, 2, 3), let contract = ContractID(row.int32(1)) else { continue }
            found[PlanKey(cell: PlanCell(pool), contract: contract)] = row.int64(4)
        }
        return found
    }

    /// The accounts of one delegation that a plan leaves out wherever they are placed: those held, and those stopped.
    /// Ascending, each once.
    package func undealable(_ delegation: Delegation) throws -> [Int64] {
        var accounts: [Int64] = []
        let sql = PlanningStatements.copyUndealable(
            delegation: delegation.value, cut: cut, lastDay: period.lastDay)
        try link.copyOut(sql) { reader in accounts.append(reader.int64()) }
        return accounts
    }

    static func pool(_ row: PgRow, _ delegation: Int, _ strategy: Int, _ portfolio: Int) -> PoolKey? {
        guard let delegation = Delegation(row.int16(delegation)),
            let strategy = Strategy(rawValue: row.int16(strategy)),
            let portfolio = Portfolio(rawValue: row.int16(portfolio))
        else { return nil }
        return PoolKey(delegation: delegation, strategy: strategy, portfolio: portfolio)
    }
}
