// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import FoundationEssentials
internal import PgStore

/// A plan with all that it was made from, as it is kept: enough to verify it years later without any other table.
struct PlanProof: Codable, Hashable, Sendable {
    /// Of this shape; another one is refused by name.
    static let version = 1

    let version: Int
    let seed: Int64
    /// In hexadecimal digits, as in the ledger.
    let segmentation: String
    let settings: String
    let input: PlanInput
    let plan: AllocationPlan

    init(seed: Int64, segmentation: [UInt8], settings: [UInt8], input: PlanInput, plan: AllocationPlan) {
        self.version = Self.version
        self.seed = seed
        self.segmentation = LedgerTree.hex(segmentation)
        self.settings = LedgerTree.hex(settings)
        self.input = input
        self.plan = plan
    }

    /// - Throws: ``CommandFailure`` (environment) where the text is damaged or of another version.
    init(text: String) throws(CommandFailure) {
        do {
            self = try JSONDecoder().decode(PlanProof.self, from: Data(text.utf8))
        } catch {
            throw CommandFailure(
                .environment, "the record of the plan cannot be read: it is damaged, or of another version",
                remedy: "Restore the table plan_proof from a backup, or use the version that wrote it")
        }
        guard version == Self.version else {
            throw CommandFailure(
                .environment, "the record of the plan is of version \(version), this program reads \(Self.version)",
                remedy: "Use the version that wrote it")
        }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// SHA-256 over the seed, the placements' and the settings' digests and every quota: two plans of one digest deal
    /// the same.
    var digest: [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("plan seed=\(seed) segmentation=\(segmentation) settings=\(settings)\n".utf8))
        for quota in plan.quotas {
            let exposure = quota.exposureMax.map(String.init) ?? "none"
            let (cell, contract) = (quota.key.cell, quota.key.contract)
            var line = "\(cell.pool.words) contract=\(contract) \(quota.accounts) \(exposure)"
            if cell.band != 0 { line += " band=\(cell.band)" }
            if quota.arm != 0 { line += " arm=\(quota.arm)" }
            hash.update(data: Array("\(line)\n".utf8))
        }
        for key in input.shared ?? [] {
            hash.update(data: Array("shared delegation=\(key.delegation) strategy=\(key.strategy.name)\n".utf8))
        }
        return Array(hash.finalize())
    }

    /// The limits that the plan puts in force, by pool and contract: what is held and what is dealt on top. A quota that
    /// the plan gives nothing keeps what it holds, so that nothing more is granted and nothing is over the limit.
    /// Where hands are shared, what a contract may pull beyond its quota comes on top. Where more is held than a bond
    /// covers or advisers carry, limits are below that (``PlanContract/withinBond(_:elsewhere:)``,
    /// ``PlanContract/withinAdvisers(_:elsewhere:)``).
    var limits: [QuotaRow] {
        var limits: [Place: (accounts: Int64, exposure: Int64?)] = [:]
        for contract in input.contracts {
            for (cell, held) in contract.held {
                let place = Place(pool: cell.pool, contract: contract.contract)
                let before = limits[place] ?? (0, contract.exposure.isLimiting ? 0 : nil)
                limits[place] = (before.accounts + held.accounts, before.exposure.map { $0 + held.exposure })
            }
        }
        for quota in plan.quotas {
            let place = Place(pool: quota.key.cell.pool, contract: quota.key.contract)
            let before = limits[place] ?? (0, quota.exposureMax.map { _ in 0 })
            limits[place] = (
                before.accounts + quota.accounts, quota.exposureMax.map { $0 + (before.exposure ?? 0) }
            )
        }
        for (key, more) in SharedRoom(input, planned: plan.byPool, bonds: plan.bondsByPool).extra {
            limits[Place(pool: key.cell.pool, contract: key.contract)]?.accounts += more
        }
        let places = Dictionary(grouping: limits.keys.sorted(), by: \.contract)
        for contract in input.contracts where !contract.held.isEmpty || contract.exposure.isLimiting {
            let mine = places[contract.contract] ?? []
            var held: [PoolKey: PlanContract.Held] = [:]
            for (cell, more) in contract.held {
                held[cell.pool, default: PlanContract.Held(accounts: 0)].accounts += more.accounts
                held[cell.pool]?.exposure += more.exposure
            }
            let accounts = contract.withinAdvisers(
                mine.map { ($0.pool, limits[$0]?.accounts ?? 0, held: held[$0.pool]?.accounts ?? 0) })
            for (place, limit) in zip(mine, accounts) { limits[place]?.accounts = limit }
            guard contract.exposure.isLimiting else { continue }
            let exposures = contract.withinBond(
                mine.map { (limits[$0]?.exposure ?? 0, held: held[$0.pool]?.exposure ?? 0) })
            for (place, exposure) in zip(mine, exposures) { limits[place]?.exposure = exposure }
        }
        return limits.keys.sorted().compactMap { place in
            limits[place].map {
                QuotaRow(
                    pool: place.pool, contract: place.contract, limitAccounts: $0.accounts, limitExposure: $0.exposure)
            }
        }
    }

    private struct Place: Hashable, Comparable {
        let pool: PoolKey
        let contract: ContractID

        static func < (left: Place, right: Place) -> Bool {
            (left.pool, left.contract) < (right.pool, right.contract)
        }
    }
}

extension PoolKey {
    /// As in reports and in the ledger.
    var target: TargetKey { TargetKey(delegation: delegation, strategy: strategy) }

    var words: String { "delegation=\(delegation) strategy=\(strategy.name) portfolio=\(portfolio.name)" }
}
