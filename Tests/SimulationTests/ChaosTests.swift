// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation
import Testing

struct ChaosTests {
    @Test func `a seed decides the order of the faults, each of which comes once`() {
        let order = ChaosFault.schedule(ChaosFault.allCases, seed: 7)

        #expect(order == ChaosFault.schedule(ChaosFault.allCases, seed: 7))
        #expect(order != ChaosFault.schedule(ChaosFault.allCases, seed: 8))
        #expect(Set(order) == Set(ChaosFault.allCases) && order.count == ChaosFault.allCases.count)
    }

    @Test func `a folder that has a run is not written into again`() async throws {
        let folder = try TemporaryFolder()
        try Folder.make(folder.path + "/clients")
        let settings = ChaosSettings(folder: folder.path, program: "/nowhere/dispatcherd", policies: "policies")
        let failure = await #expect(throws: SimulationFailure.self) { try await ChaosRun(settings).run { _ in } }

        #expect(failure?.exit == .usage)
        #expect(failure?.remedy.contains("--out") == true)
    }
}
