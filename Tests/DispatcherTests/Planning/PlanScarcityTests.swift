// SPDX-License-Identifier: Apache-2.0

@testable import Assignment
@testable import Dispatcher
import Testing

struct PlanScarcityTests {
    @Test func `more of a limit that would place nothing more is no advice`() throws {
        let contract = try #require(ContractID(7))
        func line(_ accounts: Int64, _ weight: Int64) -> PlanReport.Worth? {
            PlanScarcity.line(.bond(contract), "1,000,000.00 of bond", PlanWorth(weight: weight, accounts: accounts))
        }
        #expect(line(0, 0) == nil)
        #expect(line(0, 3)?.weight == 3)
        #expect(line(2, 9)?.accounts == 2)
    }
}
