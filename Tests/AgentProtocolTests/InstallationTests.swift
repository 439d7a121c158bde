// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

@testable import AgentProtocol

/// What the file of a state folder says, cut off wherever a crash may have cut it.
struct InstallationTests {
    private let history: [Installation.Change]
    private let begun: Installation

    init() throws {
        begun = Installation(
            agency: try #require(AgencyID(text: "ACE07")), instance: try #require(Token("mty-2")))
        let delegation = try #require(Delegation(14))
        let place = HeldCursor(delegation: delegation, account: try #require(AccountID(1_900_012_345)))
        let other = HeldCursor(delegation: delegation, account: try #require(AccountID(1_900_077_120)))
        let lease = AgentRequest.lease(LeaseRequest(key: 7, delegation: delegation, strategy: .dual, max: 2))
        let back = try AgentRequest(
            verb: "RETURN",
            fields: ["key": "8", "delegation": "14", "account": "1900077120", "epoch": "3", "reason": "other"])
        let held = Holdings.Held(
            epoch: try #require(Epoch(7)),
            fields: FieldText(["tactic": "con\"tain ment", "due": "4310.22", "grant": "5"]))
        history = [
            .sequence(481), .sent(lease), .holding(.held(place, held)), .holding(.held(other, held)),
            .answered(try #require(lease.keyedPlace)), .compared(try #require(Timestamp(text: "2024-03-04T15:00:00Z"))),
            .sent(back), .holding(.over(other)), .answered(try #require(back.keyedPlace)), .key(12), .sequence(482),
            .sent(back),
        ]
    }

    private func after(_ count: Int) -> Installation {
        history.prefix(count).reduce(into: begun) { $0.apply($1) }
    }

    private func lines(_ changes: ArraySlice<Installation.Change>) -> [UInt8] {
        changes.reduce(into: begun.lines) { $1.write(to: &$0) }
    }

    @Test(arguments: 0...12) func `what was written is read again`(count: Int) throws {
        #expect(try Installation(lines: lines(history.prefix(count))) == after(count))
    }

    @Test(arguments: 0...12) func `the shortest text says the same`(count: Int) throws {
        #expect(try Installation(lines: after(count).lines) == after(count))
    }

    @Test func `a last line that is torn anywhere was never said`() throws {
        let whole = lines(history.prefix(11))
        let longer = lines(history.prefix(12))
        for end in whole.count..<longer.count {
            #expect(try Installation(lines: Array(longer[..<end])) == after(11))
        }
        // The length reached the disk and the bytes did not.
        let empty = [UInt8](repeating: 0, count: 40) + [.lineFeed]
        #expect(try Installation(lines: whole + empty) == after(11))
    }

    @Test func `each beginning of the lines of a lease keeps the request until its answer is there`() throws {
        for count in 2...4 {
            #expect(try Installation(lines: lines(history.prefix(count))).unanswered.count == 1)
        }
        #expect(try Installation(lines: lines(history.prefix(5))).unanswered.isEmpty)
    }

    @Test func `what is broken before its end, or of nobody, is not guessed at`() throws {
        let whole = lines(history[...])
        let broken = Array(String(decoding: whole, as: UTF8.self).replacing("ANSWERED", with: "ANSWERS").utf8)
        #expect(throws: AgentClientError.self) { try Installation(lines: broken) }
        #expect(throws: AgentClientError.self) {
            try Installation(lines: Array(whole.drop { $0 != .lineFeed }.dropFirst()))
        }
        #expect(throws: AgentClientError.self) { try Installation(lines: []) }
    }
}
