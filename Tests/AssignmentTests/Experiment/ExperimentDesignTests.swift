// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct ExperimentDesignTests {
    private static let march = Period(monthsSinceYear0: 2024 * 12 + 2)

    private func design(
        _ arms: [(name: String, share: Int64, agencies: [Int32])], months: Int = 2
    ) throws -> ExperimentDesign {
        ExperimentDesign(
            name: "letters", strategy: .administrative, delegations: [Delegation.all[8], Delegation.all[13]],
            first: Self.march, last: Self.march.advanced(byMonths: months), traits: [], smallestSample: 100,
            arms: try arms.enumerated().map { index, arm in
                ExperimentDesign.Arm(
                    number: Int16(index) + 1, name: arm.name, share: try #require(BasisPoints(arm.share)),
                    agencies: try arm.agencies.map { try #require(AgencyID($0)) })
            })
    }

    @Test func `arms share the whole, each agency is in one, and there is a challenger`() throws {
        #expect(try design([("a", 8_000, [1]), ("b", 2_000, [2])]).fault == nil)
        #expect(try design([("a", 8_000, [1]), ("b", 1_999, [2])]).fault?.contains("99.99 %") == true)
        #expect(try design([("a", 8_000, [1]), ("b", 2_001, [2])]).fault?.contains("100.01 %") == true)
        #expect(try design([("a", 8_000, [1]), ("b", 2_000, [1])]).fault == "an agency is in two arms")
        #expect(try design([("a", 8_000, [1]), ("a", 2_000, [2])]).fault == "two arms have one name")
        #expect(try design([("a", 8_000, [1]), ("b", 2_000, [])]).fault == "arm b has no agency")
        #expect(try design([("a", 10_000, [1])]).fault?.hasPrefix("it has 1 arm") == true)
        #expect(try design([("a", 8_000, [1]), ("b", 2_000, [2])], months: -1).fault == "it ends before it begins")
    }

    @Test func `its months, delegations and strategy take the arms as shares, and no others`() throws {
        let design = try design([("a", 8_000, [1]), ("b", 2_000, [2])])
        let contracts = Self.contracts([[9, 14], [9, 14]])
        let day = contracts[0].firstDay
        let targets = design.targets(in: Self.march.advanced(byMonths: 2), contracts: contracts, on: day)
        let target = try #require(targets[TargetKey(delegation: Delegation.all[8], strategy: .administrative)])

        #expect(targets.count == 2)
        #expect(target.arm(of: try #require(ContractID(12))) == 2)
        #expect(target.parts(of: contracts.map(\.contract)) == [800_000, 200_000])
        #expect(design.targets(in: Self.march.advanced(byMonths: 3), contracts: contracts, on: day).isEmpty)
        #expect(design.targets(in: Self.march.advanced(byMonths: -1), contracts: contracts, on: day).isEmpty)
    }

    /// Contracts 11 and 12 of agencies 1 and 2, each in so many delegations.
    private static func contracts(_ delegations: [[Int16]]) -> [PlanContract] {
        delegations.enumerated().map { index, places in
            var contract = PlanContract.contract(Int32(index) + 11, advisers: 1, in: places)
            contract.agency = .number(Int32(index) + 1)
            return contract
        }
    }

    @Test func `where an arm has no contract nothing is compared, and others are not kept out`() throws {
        let design = try design([("a", 8_000, [1]), ("b", 2_000, [2])])
        var contracts = Self.contracts([[9, 14], [14]])
        let day = contracts[0].firstDay
        func places() -> [Int16] {
            design.targets(in: Self.march, contracts: contracts, on: day).keys.map(\.delegation.value).sorted()
        }
        #expect(places() == [14])
        contracts[1].strategies = [.dual]
        #expect(places() == [])
        contracts[1].strategies = [.dual, .administrative]
        contracts[1].firstDay = day.advanced(byDays: 1)
        #expect(places() == [])
        contracts[1].firstDay = day
        contracts[1].lastDay = day
        #expect(places() == [14])
    }
}
