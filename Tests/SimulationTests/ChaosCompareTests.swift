// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
@testable import Simulation
import TestSupport
import Testing

/// What an agency of a chaos run makes of the answers to `RESUME`.
struct ChaosCompareTests {
    private static let epoch = Epoch(1)

    /// An agency that works for a moment, and a node.
    private static func with(
        _ body: (ChaosAgency, LoadSite, _ log: String) async throws -> Void
    ) async throws {
        try await LoadSite.with(handSize: 300) { site in
            let folder = try TemporaryFolder()
            let agency = try #require(AgencyID(1))
            let key = try AgencyKey(path: "\(site.settings.keysFolder)/\(agency).key")
            let time = ChaosTime(try #require(Timestamp(text: "2024-03-04T15:00:00Z")))
            let chaos = try ChaosAgency(
                agency, key: try #require(AgencyPrivateKey(bytes: key.secret)),
                posts: try ContractBook(path: site.settings.contractsPath).posts[agency] ?? [],
                ports: [site.settings.addresses[0].port], time: time, seed: 7, folder: folder.path)
            let working = Task { try await chaos.work() }
            try await until { try site.number("SELECT coalesce(sum(accounts), 0)::bigint FROM lease_grant") > 20 }
            time.finish(within: .seconds(30))
            try await working.value
            try await body(chaos, site, "\(folder.path)/\(agency).log")
            withExtendedLifetime(folder) {}
        }
    }

    /// By digest or by list, as it draws: several times, so that both had their turn.
    @Test(.timeLimit(.minutes(2)))
    func `an agency believes what it is told, be it by digest or by list, and writes all of it down`() async throws {
        try await Self.with { chaos, site, log in
            let held = await chaos.leases
            let forgotten = try #require(held.first)
            let invented = ChaosAgency.Lease(
                delegation: forgotten.delegation,
                held: Held(account: try #require(AccountID(77)), epoch: try #require(Self.epoch)),
                grant: forgotten.grant, term: forgotten.term)
            let before = await chaos.counts
            for round in 1...12 {
                await chaos.believe(held.dropFirst() + [invented])
                let read = try ClientLog.read(try Folder.text(log), name: "a").count
                try await chaos.compare()

                #expect(Set(await chaos.leases.map(\.held)) == Set(held.map(\.held)), "round \(round)")
                let lines = try ClientLog.read(try Folder.text(log), name: "a").dropFirst(read)
                #expect(lines.count == held.count + 1)
                #expect(lines.filter { $0.reply == .compared(invented.held, isHeld: false) }.count == 1)
                let told = lines.compactMap { line in
                    if case .compared(let account, true) = line.reply { account } else { nil }
                }
                #expect(Set(told) == Set(held.map(\.held)))
            }
            let counts = await chaos.counts
            #expect(counts.comparisons - before.comparisons == 12)
            #expect(counts.toldLost - before.toldLost == 12 && counts.toldHeld - before.toldHeld == 12)
            // What is agreed on is told as held, too.
            try await chaos.compare()
            #expect(await chaos.counts.toldLost == counts.toldLost)
            #expect(await chaos.leases.count == held.count)
        }
    }
}

extension ChaosAgency {
    fileprivate func believe(_ leases: [Lease]) { self.leases = leases }
}
