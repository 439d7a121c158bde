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
        var counts = MonthCounts()
        try await LoadSite.with(handSize: 300) { site in
            let folder = try TemporaryFolder()
            let agency = try #require(AgencyID(1))
            let instance = try #require(Token("sim"))
            let key = try AgencyKey(path: "\(site.settings.keysFolder)/\(agency).key")
            let secret = try #require(AgencyPrivateKey(bytes: key.secret))
            var behaviour = Behaviour()
            behaviour.crashes = crashes
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
                counts.add(try await simulated.act(tick))
            }
            await simulated.leave()
        }
        return counts
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
