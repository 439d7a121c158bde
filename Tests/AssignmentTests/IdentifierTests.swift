// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

/// Numbers have one spelling and a range, and what reads them knows no other.
struct IdentifierTests {
    @Test(
        arguments: [
            ("ACE01", 1), ("ACE09", 9), ("ACE10", 10), ("ACE9999", 9_999), ("ACE10000", 10_000), ("ACE99999", 99_999),
        ] as [(String, Int32)])
    func `an agency is written with two digits at least, and has up to five`(text: String, number: Int32) throws {
        let agency = try #require(AgencyID(text: text))

        #expect(agency.value == number)
        #expect(agency.description == text)
    }

    @Test(arguments: ["ACE0", "ACE00", "ACE1", "ACE001", "ACE100000", "ACE-1", "ACE+1", "ace07", "07", "ACE", "ACE 7"])
    func `another spelling, or a number out of range, is no agency`(text: String) {
        #expect(AgencyID(text: text) == nil)
    }

    /// Numbers that would be others, or none, in sixteen bits.
    @Test func `former holders are those that were given, whatever their numbers`() throws {
        let numbers: [Int32] = [65_537, 32_768, 99_999, 40_000, 1]
        let agencies = try numbers.map { try #require(AgencyID($0)) }
        let packed: [Int64] = [65_537 | 32_768 << 32, 99_999 | 40_000 << 32]

        for former in [FormerHolders(agencies), FormerHolders(packed: packed[0], packed[1])] {
            #expect(agencies.map(former.contains) == [true, true, true, true, false])
        }
        #expect(FormerHolders(packed: 65_537) == FormerHolders([agencies[0]]))
        #expect(
            FormerHolders(packed: packed[0], packed[1]).adding([agencies[4]])
                == FormerHolders(agencies.suffix(1) + agencies.prefix(3)))
    }
}
