// SPDX-License-Identifier: Apache-2.0

import Assignment
import Simulation
import Testing

struct ClientLogTests {
    @Test func `what is written is read again`() throws {
        var operations =
            try History.sound().operations + [
                .sample(
                    4, .extended(ClientOperation.Extension(grant: History.first, term: .hour(800))), receipt: [1, 254]),
                .sample(
                    5,
                    .refused(ClientOperation.Refusal(verb: "REPORT", code: "CLOSED", held: .sample(102), evidence: 9))),
                .sample(0, .disclosed(.sample(101)), receipt: [3, 4], at: .hour(2)),
                .sample(0, .compared(.sample(101), isHeld: false), at: .hour(2)),
                .sample(0, .refused(ClientOperation.Refusal(verb: "CONTACT", code: "RECALLED", held: .sample(101)))),
                .sample(7, .refused(ClientOperation.Refusal(verb: "EXTEND", code: "EXPIRED", grant: History.first))),
                .sample(6, .repeated(verb: "LEASE", isEqual: true)),
                .sample(6, .altered(verb: "LEASE", code: "KEY-REUSED"), at: .hour(3)),
            ]
        let agency = try #require(AgencyID(7))
        var agreed = try ClientOperation.Report.sample(101, outcome: 9)
        agreed.solution = "restructure"
        operations.append(try .sample(8, .reported(agreed)))
        let text = ([ClientLog.header(agency: agency, instance: "sim")] + operations.map(ClientLog.line)).map {
            $0 + "\n"
        }.joined()

        let read = try ClientLog.read(text, name: "ACE07.log")

        #expect(read.map(\.reply) == operations.map(\.reply))
        #expect(read.map(\.key) == operations.map(\.key))
        #expect(read.map(\.receipt) == operations.map(\.receipt))
        #expect(read.map(\.answeredAt) == operations.map(\.answeredAt))
        #expect(read.first?.place == "ACE07.log:2")
    }

    @Test func `a last line without its end is left out, a broken one before it is refused`() throws {
        let header = ClientLog.header(agency: try #require(AgencyID(7)), instance: "sim")
        let good = "REPEAT key=1 delegation=14 verb=REPORT equal=yes"

        #expect(try ClientLog.read("\(header)\n\(good)\nREPO", name: "a").count == 1)
        // The next run began behind it: whatever a torn line still says was never written whole.
        for torn in ["REPO", "NO key=2 delegation=14 verb=REPORT code=CLOSED account=102"] {
            let text = "\(header)\n\(good)\n\(torn)\(header)\n\(good)\n"
            #expect(try ClientLog.read(text, name: "a").map(\.place) == ["a:2", "a:4"])
            #expect(ClientLog.installations(text) == ["ACE07 sim"])
        }
        #expect(throws: SimulationFailure.self) { try ClientLog.read("\(header)\nREPO\n\(good)\n", name: "a") }
    }
}
