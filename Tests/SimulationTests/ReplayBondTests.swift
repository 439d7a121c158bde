// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
@testable import Simulation
import TestSupport
import Testing

/// Whom bonds keep from everybody, in a replay.
struct ReplayBondTests {
    @Test func `a replay names the accounts that quotas are left for and no bond has room for`() throws {
        let folder = try TemporaryFolder()
        let period = try #require(Period(text: "2024-03"))
        let specification = try PortfolioSpecification(
            accounts: 3_000, seed: 7, period: period, agencies: 29, contracts: 88, zones: ZoneMap())
        _ = try PortfolioFolder(specification).write(to: folder.path) { _ in }
        let (cut, contracts) = ("\(folder.path)/cut.csv", "\(folder.path)/contracts.csv")
        let policy = ModelPolicy(
            name: "the usual",
            policy: try PolicyFile(path: "\(Checkout.root)/policies/infonavit-2023.yaml").policy(for: period),
            settings: .standard)
        func deal() throws -> (ModelWorld, ModelDeal) {
            let world = try ModelWorld(cut: cut, contracts: contracts, facts: nil, period: period)
            return (world, try ModelDeal(world, ModelPlacement(world, policy.policy), policy, seed: 7))
        }
        let (world, usual) = try deal()
        let hand = try #require(usual.hands.first)
        let agency = try #require(world.contracts.first { $0.contract == hand.contract }?.agency)
        let epoch = try #require(Epoch(1))
        var log = try AgencyLog(folder: folder.path, agency: agency, instance: "sim")
        log.write(
            key: 1, delegation: hand.pool.delegation,
            .granted(
                ClientOperation.Grant(
                    grant: GrantID(hand: 1, first: 1), strategy: hand.pool.strategy,
                    term: try #require(Timestamp(text: "2024-04-03T06:00:00Z")),
                    accounts: hand.positions.map {
                        Held(account: world.accounts[$0.place].account, epoch: epoch)
                    })))
        try log.flush()
        func replay() throws -> ReplayRun {
            try ReplayRun(
                .logs(folder.path), cut: cut, contracts: contracts, period: period, policy: policy, seed: 7)
        }
        let drawn = try Folder.text(contracts)
        func put(_ bond: String, _ basis: String, each adviser: String) throws {
            let rows = drawn.split(separator: "\n").enumerated().map { number, line in
                // From behind, because names have commas: bond, basis and factor stand before the last three.
                var row = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                let place = row.count - 6
                if number == 0 {
                    #expect(row[place...].prefix(3) == ["bond", "exposure_basis", "exposure_factor"])
                } else {
                    (row[place], row[place + 1], row[place + 2]) = (bond, basis, "100")
                    // What an adviser carries, by telephone and by visit.
                    (row[place - 2], row[place - 1]) = (adviser, adviser)
                }
                return row.joined(separator: ",")
            }
            try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: contracts))
        }
        // Some find no room for want of people, and no bond has a part in it.
        try put("1.00", "none", each: "1")
        let (_, unbonded) = try deal()
        #expect(unbonded.unplaced > 0 && unbonded.bonded == [])
        // Every bond now covers the whole debt of two accounts as they are on the average; many are larger than that.
        try put("700000.00", "total", each: "150")
        let (scarceWorld, scarce) = try deal()
        let told = try replay()

        let dealt = Set(scarce.hands.flatMap { $0.positions.map(\.place) })
        #expect(!scarce.bonded.isEmpty && dealt.isDisjoint(with: scarce.bonded))
        #expect(scarce.unplaced == scarce.placed - dealt.count)
        #expect(told.bonded.map(\.account) == scarce.bonded.map { scarceWorld.accounts[$0].account })
        #expect(told.unplaced >= told.bonded.count)
        let first = try #require(told.bonded.first)
        let line = try #require(told.lines.first { $0.contains("no bond has room for them: ") })
        #expect(line.contains("\(first.account) in delegation \(first.delegation)"))
        #expect(
            told.json.contains("\"no_bond\": [{\"delegation\": \(first.delegation), \"account\": \(first.account)}"))
    }
}
