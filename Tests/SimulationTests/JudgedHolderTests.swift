// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

/// Who did what, and what was kept of what came too late; each fault is planted into a sound history.
struct JudgedHolderTests {
    private func found(_ history: History) -> [String] { Judge.judge(history).findings.map(\.found) }

    private static func leaf(_ record: String) -> [UInt8] { Array(SHA256.hash(data: [0] + Array(record.utf8))) }

    /// With agency 8 and its installation, which hold nothing.
    private func withStranger() throws -> History {
        var history = try History.sound()
        history.instances[History.instanceName(agency: 8, instance: "sim")] = 2
        history.hasLedger = true
        return history
    }

    @Test func `only the holder gives an account back`() throws {
        var history = try withStranger()
        let record = "ending account=102 epoch=1 kind=return reason=unlocatable"
        history.blocks = JudgedInstantTests.blocks([record])
        func request(_ agency: Int32, _ instance: Int32) -> History.Request {
            History.Request(agency: agency, instance: instance, verb: "RETURN", key: 3)
        }
        let stolen = "an account was given back that its holder did not give back"
        for (agencies, isStolen) in [([7], false), ([8], true), ([7, 8], true), ([], true)] as [([Int32], Bool)] {
            history.answered = agencies.map {
                History.Answered(request: request($0, $0 - 6), receivedAt: .hour(30), receipt: Self.leaf(record))
            }
            #expect(found(history).contains(stolen) == isStolen, "\(agencies)")
        }
        history.requests.insert(request(8, 2))
        let returned = ClientOperation.Return(held: try .sample(102), reason: "unlocatable")
        history.operations.append(try .sample(3, .returned(returned), agency: 8))
        #expect(found(history).contains("an agency prolonged or gave back what another one held"))
    }

    @Test func `only the holder prolongs a lease, once for each request`() throws {
        var history = try withStranger()
        let records = [740, 750].map {
            "extension delegation=14 grant=\(History.first) term=\(Timestamp.hour($0)) at=\(Timestamp.hour(90))"
        }
        history.grants[0].term = .hour(750)
        history.blocks = JudgedInstantTests.blocks(records)
        func answered(_ agency: Int32, _ key: Int64, _ record: String) -> History.Answered {
            History.Answered(
                request: History.Request(agency: agency, instance: agency - 6, verb: "EXTEND", key: key),
                receivedAt: .hour(90), receipt: Self.leaf(record))
        }
        let unasked = "a lease was prolonged that its holder did not ask for"
        history.answered = [answered(7, 4, records[0]), answered(7, 5, records[1])]
        #expect(!found(history).contains(unasked))
        // One request, prolonged twice by its repetition.
        history.answered.removeLast()
        #expect(found(history).filter { $0 == unasked }.count == 1)
        history.answered.append(answered(8, 5, records[1]))
        #expect(found(history).filter { $0 == unasked }.count == 1)

        history.requests.insert(History.Request(agency: 8, instance: 2, verb: "EXTEND", key: 5))
        let told = ClientOperation.Extension(grant: History.first, term: .hour(750))
        history.operations.append(try .sample(5, .extended(told), agency: 8))
        #expect(found(history).contains("an agency prolonged or gave back what another one held"))
    }

    @Test(arguments: ["EXPIRED", "REASSIGNED", "RECALLED", "CLOSED", "UNKNOWN"])
    func `what comes too late is kept, whatever it is refused by`(code: String) throws {
        var history = try History.sound()
        let held = try Held.sample(102)
        func refused(_ verb: String, _ code: String, _ evidence: Int64?) throws -> Bool {
            history.operations[2] = try .sample(
                4, .refused(ClientOperation.Refusal(verb: verb, code: code, held: held, evidence: evidence)))
            return Judge.judge(history).broken.contains(.nothingLost)
        }
        history.evidence = [9: code]
        for verb in ["REPORT", "RETURN"] {
            #expect(try refused(verb, code, nil))
            #expect(try !refused(verb, "LIMIT", nil))
            let kept = History.Evidence(
                number: 9, code: code, verb: verb, agency: 7, instance: 1, key: 4, held: held, receivedAt: .hour(60))
            history.refused = [kept]
            #expect(try !refused(verb, code, 9))
            history.refused[0].agency = 8
            #expect(try refused(verb, code, 9))
            history.refused[0] = kept
            history.refused[0].verb = "OBJECT"
            #expect(try refused(verb, code, 9))
        }
        // A question is not.
        #expect(try !refused("CONTACT", code, nil))
    }

    @Test func `an extension, a return and a question are not refused as expired before the enforced term`() throws {
        var history = try History.sound()
        history.now = .hour(800)
        let early = "a holder was refused as expired before the enforced term"
        let request = History.Request(agency: 7, instance: 1, verb: "EXTEND", key: 9)
        history.operations.append(
            try .sample(
                9, .refused(ClientOperation.Refusal(verb: "EXTEND", code: "EXPIRED", grant: History.first))))
        for (hour, isEarly) in [(753, true), (754, false)] {
            history.answered = [History.Answered(request: request, receivedAt: .hour(hour))]
            #expect(found(history).contains(early) == isEarly)
        }
        // Where nothing says when it was, it was by the history's end.
        history.answered = []
        for (hour, isEarly) in [(753, true), (754, false)] {
            history.now = .hour(hour)
            #expect(found(history).contains(early) == isEarly)
            history.operations[3] = try .sample(
                0, .refused(ClientOperation.Refusal(verb: "CONTACT", code: "EXPIRED", held: try .sample(101))))
            #expect(found(history).contains(early) == isEarly)
        }
        history.operations.removeLast()
        history.refused = [
            History.Evidence(
                number: 5, code: "EXPIRED", verb: "RETURN", agency: 7, instance: 1, key: 9, held: try .sample(101),
                receivedAt: .hour(753))
        ]
        #expect(found(history) == [early])
    }

    // MARK: - Late work

    /// Account 101 was taken back at hour 40; what came at hour 60 on it counts.
    private func late(counts: Bool?, decision: String?, received: Int = 60) throws -> History {
        var history = try History.sound()
        let held = try Held.sample(101)
        history.endings.append(History.Ending(held: held, kind: "recall", reason: "order", endedAt: .hour(40)))
        history.notices = [held: .sample("order", final: 40)]
        history.operations.remove(at: 1)
        history.outcomes[0].receivedAt = .hour(received)
        history.refused = [
            History.Evidence(
                number: 9, code: "RECALLED", counts: counts, decision: decision, agency: 7, instance: 1, key: 2,
                held: held, receivedAt: .hour(received))
        ]
        history.lateAccepted = [History.Request(agency: 7, instance: 1, verb: "REPORT", key: 2)]
        var hand = History.DealtHand.sample()
        hand.lateReportMicroseconds = 20 * 3_600_000_000
        history.dealtHands = [History.hand: hand]
        return history
    }

    private static let uncounted = "late work counts that nothing lets count"

    /// Agency 8 has the account from hour 50 on.
    private func again(_ history: inout History) throws {
        let held = try Held.sample(101, 2)
        history.limits = [History.Limit(quota: 3, since: .hour(0), accounts: 9)]
        history.positions.append(History.Position(hand: History.hand, position: 5, held: held, exposure: 100))
        history.grants.append(.sample(first: 5, last: 5, at: .hour(50), total: 3, key: 9))
    }

    @Test func `late work counts by rule within its span, where nobody has the account since`() throws {
        #expect(try found(late(counts: true, decision: nil)) == [])
        #expect(try found(late(counts: true, decision: nil, received: 61)) == [Self.uncounted])
        var history = try late(counts: true, decision: nil)
        try again(&history)
        #expect(found(history) == [Self.uncounted])
        history = try late(counts: true, decision: nil)
        history.endings[1] = History.Ending(
            held: try .sample(101), kind: "return", reason: "other", endedAt: .hour(40))
        #expect(found(history).contains(Self.uncounted))
    }

    @Test func `late work that a person accepted has its record, and comes before the next holder's report`() throws {
        var history = try late(counts: nil, decision: "accepted")
        #expect(found(history) == [])
        history.hasLedger = true
        #expect(found(history).contains(Self.uncounted))
        let decision = "adjudication evidence=9 delegation=14 decision=accepted at=\(Timestamp.hour(60))"
        history.blocks = JudgedInstantTests.blocks([decision])
        #expect(!found(history).contains(Self.uncounted))
        history.blocks = JudgedInstantTests.blocks(["adjudication evidence=9 delegation=14 decision=rejected"])
        #expect(found(history).contains(Self.uncounted))

        try again(&history)
        history.outcomes.append(
            History.Outcome(
                agency: 8, instance: 2, key: 3, receivedAt: .hour(60),
                report: ClientOperation.Report(
                    held: try .sample(101, 2), at: .hour(55), channel: "phone-out", contact: "nobody",
                    result: "no-answer", outcome: 56)))
        let other = "outcome number=56"
        history.blocks = JudgedInstantTests.blocks([decision, other])
        #expect(!found(history).contains(Self.uncounted))
        history.blocks = JudgedInstantTests.blocks([other, decision])
        #expect(found(history).contains(Self.uncounted))
    }

    // MARK: - Payments

    @Test(arguments: [(1_001, 202_403, "0-30"), (1_002, 202_403, "31-60"), (1_001, 202_404, "0-30")])
    func `a payment is paid for once, over contracts, months and lines`(contract: Int, period: Int, subject: String)
        throws
    {
        func line(_ contract: Int, _ period: Int, _ subject: String, _ facts: [String]) -> History.StatementLine {
            History.StatementLine(
                period: Int32(period), contract: Int32(contract), rule: "FEE-01", subject: subject, isFee: true,
                amount: "1.00", records: [], facts: facts, base: "10.00")
        }
        var history = try History.sound()
        history.stored = ["P1", "P2"].map { StoredRow(kind: "payment", name: $0, fields: ["amount": "10.00"]) }
        let first = line(1_001, 202_403, "31-60", ["P1"])
        history.statementLines = [first, line(contract, period, subject, ["P2"])]
        #expect(found(history) == [])
        history.statementLines[1].facts = ["P1"]
        #expect(found(history) == ["payment P1 is paid for twice"])
    }
}
