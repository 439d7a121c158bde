// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Accounts that some contracts may not be dealt, where the others may: those of a band that is suspended for the agency
/// (ASG-06, SUS-01), and of a municipality where the contract's rule pack has no visits (GEO-02). A band is a tactic of the
/// policy.
struct DealBars {
    /// Contracts that are barred, by the numbers that candidates get, from 1 on.
    private(set) var sets: [Set<ContractID>] = []

    private struct Case: Hashable {
        let strategy: Strategy
        let tactic: ShortText
        /// 0 where it does not matter.
        let municipality: Int32
    }

    private let contracts: [ContractID: ContractRow]
    private let suspended: [Case: Set<AgencyID>]
    /// Rule packs without visits, by municipality.
    private let visitless: [Int32: Set<String>]
    private var numbers: [Case: Int16] = [:]

    init(_ contracts: [ContractID: ContractRow], _ link: PgLink) throws {
        self.contracts = contracts
        self.suspended = Dictionary(
            grouping: try link.readSuspensions().filter { 1...ShortText.bytesMax ~= $0.band.utf8.count }
        ) {
            Case(strategy: $0.strategy, tactic: ShortText($0.band), municipality: 0)
        }.mapValues { Set($0.map(\.agency)) }
        var visitless: [Int32: Set<String>] = [:]
        for (ban, _) in try link.readVisitBans() {
            if let place = ban.municipality { visitless[place.value, default: []].insert(ban.pack.rawValue) }
        }
        self.visitless = visitless
    }

    /// Both lists are in one order.
    mutating func barring(_ candidates: [DealCandidate], _ rows: [DealableRow]) -> [DealCandidate] {
        guard !suspended.isEmpty || !visitless.isEmpty else { return candidates }
        var barred = candidates
        for (index, row) in rows.enumerated() { barred[index].bar = number(row) }
        return barred
    }

    private mutating func number(_ row: DealableRow) -> Int16 {
        let packs = row.portfolio == .homeVisit ? visitless[row.municipality] : nil
        let agencies = suspended[Case(strategy: row.strategy, tactic: row.tactic, municipality: 0)]
        guard packs != nil || agencies != nil else { return 0 }
        let place = Case(
            strategy: row.strategy, tactic: row.tactic, municipality: packs == nil ? 0 : row.municipality)
        if let known = numbers[place] { return known }
        let barred = contracts.values.filter { contract in
            agencies?.contains(contract.agency) ?? false || contract.packs.contains { packs?.contains($0) ?? false }
        }.map(\.contract)
        var number = Int16(0)
        if !barred.isEmpty, sets.count < Int16.max {
            let set = Set(barred)
            number = Int16(1 + (sets.firstIndex(of: set) ?? sets.count))
            if number > sets.count { sets.append(set) }
        }
        numbers[place] = number
        return number
    }
}
