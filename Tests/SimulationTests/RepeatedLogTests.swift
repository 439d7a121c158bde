// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
@testable import Simulation
import Testing

/// A history that repeats itself proves nothing: two files of one installation are refused, and what stands twice in one is found.
struct RepeatedLogTests {
    private static let report = "REPEAT key=1 delegation=14 verb=REPORT equal=yes"

    /// The logs of a folder, each file with the lines behind its headers.
    private static func read(_ files: [String: [String]]) throws -> Set<String> {
        let folder = try TemporaryFolder()
        for (name, lines) in files {
            try FileOutput(path: "\(folder.path)/\(name)").write((lines.joined(separator: "\n") + "\n").utf8)
        }
        do {
            return try ClientLog.read(folder: folder.path).installations
        } catch let failure {
            throw SimulationFailure(
                failure.exit, failure.found.replacing(folder.path, with: "FOLDER"), remedy: failure.remedy)
        }
    }

    private static func header(_ agency: Int32 = 7, _ instance: String = "sim") throws -> String {
        ClientLog.header(agency: try #require(AgencyID(agency)), instance: instance)
    }

    @Test func `two files of one installation are refused, with both files and lines`() throws {
        let header = try Self.header()
        let failure = #expect(throws: SimulationFailure.self) {
            try Self.read([
                "ACE07.log": [header, Self.report],
                // It need not begin with it.
                "copy.log": [try Self.header(8), Self.report, header, Self.report],
            ])
        }

        #expect(failure?.exit == .usage)
        #expect(
            failure?.found
                == "ACE07.log:1 and copy.log:3 in FOLDER are both the log of ACE07 sim: a history that repeats itself proves nothing"
        )
    }

    @Test func `several runs of one file, other installations and other files are none of that`() throws {
        let header = try Self.header()
        let found = try Self.read([
            "ACE07.log": [header, Self.report, header, Self.report],
            "ACE07-2.log": [try Self.header(7, "other"), Self.report],
            "ACE08.log": [try Self.header(8), Self.report],
            "ACE07.log.old": [header, Self.report],
        ])

        #expect(found == ["ACE07 sim", "ACE07 other", "ACE08 sim"])
    }

    @Test func `an answer that stands twice is found with both lines`() throws {
        for index in 0..<3 {
            var history = try History.sound()
            var again = history.operations[index]
            again.place = "ACE07.log:9"
            history.operations.append(again)
            let findings = Judge.judge(history).findings

            #expect(findings.map(\.invariant) == [.logs])
            let finding = try #require(findings.first)
            #expect(finding.found == "an answer stands twice in its client's log")
            #expect(finding.events.map { String($0.prefix(11)) } == ["ACE07.log:\(index + 2)", "ACE07.log:9"])
        }
    }

    @Test func `a log that was written into itself is one finding, with how many there are`() throws {
        var history = try History.sound()
        history.operations += history.operations
        let findings = Judge.judge(history).findings

        #expect(findings.map(\.invariant) == [.logs])
        #expect(findings.first?.events.last == "and so do 2 more of this installation")
    }

    @Test func `a refusal that was kept stands once, one that binds no key may come again, and so may a comparison`()
        throws
    {
        func judged(_ reply: ClientOperation.Reply, key: Int64) throws -> [Invariant] {
            var history = try History.sound()
            history.evidence = [9: "CLOSED"]
            history.refused = [
                History.Evidence(
                    number: 9, code: "CLOSED", agency: 7, instance: 1, key: 4, held: try .sample(102),
                    receivedAt: .hour(60))
            ]
            for _ in 0..<2 { history.operations.append(try .sample(key, reply, at: .hour(61))) }
            return Judge.judge(history).broken
        }
        let held = try Held.sample(102)
        #expect(
            try judged(
                .refused(ClientOperation.Refusal(verb: "REPORT", code: "CLOSED", held: held, evidence: 9)), key: 4)
                == [.logs])
        #expect(
            try judged(.refused(ClientOperation.Refusal(verb: "REPORT", code: "BUSY", held: .sample(101))), key: 5)
                == [])
        #expect(try judged(.compared(held, isHeld: false), key: 0) == [])
        #expect(try judged(.repeated(verb: "REPORT", isEqual: true), key: 2) == [])
    }

    /// A question has no key. Two of one instant are alike to the last byte of their records.
    @Test(arguments: [(1, 1, true), (1, 2, false), (2, 2, true), (2, 3, false)])
    func `contact data is told no more often than is recorded`(records: Int, lines: Int, isSound: Bool) throws {
        var history = try History.sound()
        history.hasLedger = true
        let text = "disclosure delegation=14 account=101 epoch=1 agency=ACE07 instance=1 at=\(Timestamp.hour(20))"
        let leaf = Array(SHA256.hash(data: [0] + Array(text.utf8)))
        history.blocks = (1...records).map { number in
            History.Block(
                id: Int64(number), period: 202_403, records: [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8),
                count: 1, root: leaf)
        }
        for _ in 0..<lines { history.operations.append(try .sample(0, .disclosed(.sample(101)), receipt: leaf)) }
        let found = Judge.judge(history).findings.filter { $0.invariant == .logs }

        #expect(found.isEmpty == isSound, "\(found)")
        #expect(isSound || found.first?.events.last?.hasPrefix("its receipt is that of \(records) record") == true)
    }

    @Test func `records are unpacked in the order of their blocks, whatever order they were read in`() throws {
        func block(_ id: Int64, _ texts: String...) -> History.Block {
            var records: [UInt8] = []
            for text in texts { records += [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
            return History.Block(id: id, period: 202_403, records: records, count: Int32(texts.count), root: [])
        }
        var history = try History.sound()
        history.blocks = [block(9, "grant id=3", "grants of none"), block(2, "ending a=1", "grant id=1", "grant id=2")]
        let records = LedgerRecords(history)

        #expect(records.all.map(\.block) == [2, 2, 2, 9, 9])
        #expect(records.of("grant").map { String($0.fields["id"] ?? "") } == ["1", "2", "3"])
        #expect(records.of("ending").map(\.text) == ["ending a=1"])
        #expect(Array(records.of("sweep")).isEmpty)
    }
}
