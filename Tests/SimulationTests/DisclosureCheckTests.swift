// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

/// What a client was told of a debtor against what the ledger says of it.
struct DisclosureCheckTests {
    /// Agency 7 holds 101 from hour 10 on, and 102 until it gave it back at hour 30; it says that it was told of 101.
    private static func broken(_ records: [String]) throws -> [String] {
        var history = try History.sound()
        history.hasLedger = true
        history.blocks = records.enumerated().map { number, text in
            let bytes = Array(text.utf8)
            return History.Block(
                id: Int64(number) + 1, period: 202_404, records: [0, 0, 0, UInt8(bytes.count)] + bytes, count: 1,
                root: Array(SHA256.hash(data: [0] + bytes)))
        }
        history.operations.append(try .sample(0, .disclosed(.sample(101))))
        return Judge.judge(history).findings.filter { $0.invariant == .disclosures }.map(\.found)
    }

    private static func record(_ account: Int, agency: String = "ACE07", instance: Int = 1, hour: Int = 20) -> String {
        "disclosure delegation=14 account=\(account) epoch=1 agency=\(agency) instance=\(instance) "
            + "at=\(Timestamp.hour(hour))"
    }
    private static let unrecorded = "contact data was given, and that is not recorded"
    private static let stranger = "contact data was given to somebody who did not hold the account"

    @Test func `what was told to the holder and is recorded of it is sound`() throws {
        #expect(try Self.broken([Self.record(101)]) == [])
        // A log that was cut, or an answer that was lost.
        #expect(try Self.broken([Self.record(101), Self.record(101, hour: 21), Self.record(102)]) == [])
    }

    @Test func `what was told and is recorded of nobody, or of another installation, is found`() throws {
        #expect(try Self.broken([]) == [Self.unrecorded])
        #expect(try Self.broken([Self.record(101, instance: 2)]) == [Self.unrecorded])
        #expect(try Self.broken([Self.record(102)]) == [Self.unrecorded])
    }

    @Test func `what was told to another one, or after the lease, is found`() throws {
        #expect(try Self.broken([Self.record(101), Self.record(101, agency: "ACE08")]) == [Self.stranger])
        #expect(try Self.broken([Self.record(101), Self.record(102, hour: 31)]) == [Self.stranger])
        #expect(try Self.broken([Self.record(101), Self.record(103)]) == [Self.stranger])
    }
}
