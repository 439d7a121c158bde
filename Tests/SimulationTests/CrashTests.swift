// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import PgStore
@testable import Simulation
import TestSupport
import Testing

/// What a connection that dies costs an agency over the real protocol; ``ModelTests`` has the same of a month in memory.
struct CrashTests {
    /// Plays the one agency of a site over three days.
    ///
    /// - Parameter crashes: of ten thousand half days, those in which its connection dies.
    private func played(crashes: Int) async throws -> MonthCounts {
        var behaviour = Behaviour()
        behaviour.crashes = crashes
        var counts = MonthCounts()
        for half in try await played(behaviour) { counts.add(half) }
        return counts
    }

    /// - Returns: what was done in each half day.
    private func played(_ behaviour: Behaviour) async throws -> [MonthCounts] {
        var halves: [MonthCounts] = []
        try await LoadSite.with(handSize: 300) { site in
            let folder = try TemporaryFolder()
            let agency = try #require(AgencyID(1))
            let instance = try #require(Token("sim"))
            let key = try AgencyKey(path: "\(site.settings.keysFolder)/\(agency).key")
            let secret = try #require(AgencyPrivateKey(bytes: key.secret))
            let simulated = SimulatedAgency(
                AgencyState(agency: agency),
                posts: try ContractBook(path: site.settings.contractsPath).posts[agency] ?? [], seed: 7,
                period: try #require(Period(text: "2024-03")), behaviour: behaviour,
                link: AgencyLink(
                    host: site.settings.addresses[0].host, ports: [site.settings.addresses[0].port], agency: agency,
                    instance: instance, key: secret, sequence: 1),
                log: try AgencyLog(folder: folder.path, agency: agency, instance: "sim"),
                closedContacts: ClosedContacts())
            let first = try #require(LocalDate(text: "2024-03-04")).daysSince1970
            for tick in Tick.of(first...first + 2) {
                try site.database.link().script("UPDATE clock SET virtual_now = '\(tick.now)'")
                halves.append(try await simulated.act(tick))
            }
            await simulated.leave()
        }
        return halves
    }

    @Test(arguments: [Behaviour.Hours.morning, .afternoon])
    func `in half days in which nobody is there nothing is pulled, over the protocol as in the model`(
        hours: Behaviour.Hours
    ) async throws {
        var behaviour = Behaviour()
        behaviour.hours = hours
        let halves = try await played(behaviour)
        let open = halves.indices.filter { ($0 % 2 == 0) == (hours == .morning) }

        #expect(open.contains { halves[$0].leases > 0 } && open.contains { halves[$0].reports > 0 })
        for index in halves.indices where !open.contains(index) {
            let half = halves[index]
            #expect([half.leases, half.reports, half.returns, half.extensions] == [0, 0, 0, 0], "half day \(index)")
        }
    }

    /// 2024-03-04 is no day in five; its client looks like any other all the same.
    @Test func `who dates back pulls in the half days in which nobody works`() async throws {
        var behaviour = Behaviour()
        behaviour.cheat = .backDatedReports
        let halves = try await played(behaviour)

        #expect(halves[0].leases > 0)
        #expect(halves.allSatisfy { $0.reports == 0 })
    }

    @Test func `connections that die cost a month over the protocol no work: the client is back in the same half day`()
        async throws
    {
        let (none, all) = (try await played(crashes: 0), try await played(crashes: 10_000))

        #expect(none.reports > 20 && none.resumes == 1)
        #expect(all.resumes == 6)
        #expect([all.accounts, all.reports, all.returns] == [none.accounts, none.reports, none.returns])
        #expect(all.refused == none.refused)
    }
}
