// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

/// What ends, refuses or forbids a lease has its cause; each fault is found by one invariant alone.
struct CauseTests {
    @Test func `an account that was given back without a RETURN is found`() throws {
        var history = try History.sound()
        history.endings.append(
            History.Ending(held: try .sample(101), kind: "return", reason: "unlocatable", endedAt: .hour(40)))
        let verdict = Judge.judge(history)

        #expect(verdict.broken == [.endings])
        #expect(verdict.findings.first?.events.count == 3)
        history.requests.insert(History.Request(agency: 8, instance: 2, verb: "RETURN", key: 4))
        #expect(Judge.judge(history).broken == [.endings])
        history.requests.insert(History.Request(agency: 7, instance: 1, verb: "RETURN", key: 4))
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `where there is a record, the RETURN is the one that was answered with its receipt`() throws {
        var history = try History.sound()
        let record = Array("ending delegation=14 account=102 epoch=1 kind=return reason=unlocatable at=x".utf8)
        let leaf = Array(SHA256.hash(data: [0] + record))
        history.blocks = [
            History.Block(
                id: 1, period: 202_404, records: [0, 0, 0, UInt8(record.count)] + record, count: 1, root: leaf)
        ]
        let request = History.Request(agency: 7, instance: 1, verb: "RETURN", key: 3)
        history.answered = [History.Answered(request: request, receivedAt: .hour(30), receipt: leaf)]
        #expect(Judge.judge(history).broken == [])

        history.answered[0].receipt = [UInt8](repeating: 1, count: 32)
        #expect(Judge.judge(history).broken == [.endings])
    }

    @Test func `an account that the cut excludes is not leased out of that month's hands`() throws {
        var history = try History.sound()
        let account = try #require(AccountID(101))
        history.cutExclusions = [
            History.CutExclusion(period: 202_403, account: account, reason: "lawsuit", since: .hour(0))
        ]
        #expect(Judge.judge(history).broken == [.exclusions])
        // Segmented after the lease, or of another month.
        history.cutExclusions[0].since = .hour(11)
        #expect(Judge.judge(history).broken == [])
        history.cutExclusions[0].since = .hour(0)
        history.cutExclusions[0].period = 202_404
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `who is excluded by the next month's cut while held is recalled, ends, or gets notice`() throws {
        var history = try History.sound()
        history.cutExclusions = [
            History.CutExclusion(
                period: 202_404, account: try #require(AccountID(101)), reason: "lawsuit", since: .hour(50))
        ]
        // Not put in force yet, or before it was known.
        #expect(Judge.judge(history).broken == [])
        history.plansAppliedAt = [202_404: .hour(49)]
        #expect(Judge.judge(history).broken == [])

        history.plansAppliedAt = [202_404: .hour(51)]
        let verdict = Judge.judge(history)
        #expect(verdict.broken == [.exclusions])
        #expect(verdict.findings.first?.events.count == 3)
        // Another month's hands are judged by their own cut.
        history.handPeriods[History.hand] = 202_404
        #expect(Judge.judge(history).broken == [])
        history.handPeriods[History.hand] = 202_403
        history.notices = [try .sample(101): .sample("excluded", final: 90)]
        #expect(Judge.judge(history).broken == [])
        history.endings.append(
            History.Ending(held: try .sample(101), kind: "recall", reason: "excluded", endedAt: .hour(90)))
        #expect(Judge.judge(history).broken == [])
    }

    /// An hour of outage was booked between the first grant and a later one.
    private func afterOutage() throws -> History {
        var history = try History.sound()
        history.limits = [History.Limit(quota: 3, since: .hour(0), accounts: 9)]
        history.grants.append(.sample(first: 3, last: 3, at: .hour(50), total: 3, key: 8))
        history.grants[1].outageMicroseconds = 3_600_000_000
        history.outageMicroseconds = 3_600_000_000
        history.now = .hour(900)
        return history
    }

    @Test(arguments: [(754, true), (755, false), (756, false)])
    func `an outage that was booked since the grant is credited to its term`(closed: Int, isBroken: Bool) throws {
        var history = try afterOutage()
        history.grants[0].closedAt = .hour(closed)
        let verdict = Judge.judge(history)

        #expect(verdict.broken == (isBroken ? [.expiry] : []))
        #expect(verdict.findings.allSatisfy { $0.events.count == 3 })
    }

    /// Nobody answered in the last hour of the lease and the one behind it, and nothing was granted since.
    @Test(arguments: [(753, 754, true), (753, 755, true), (753, 756, false), (755, 754, false)])
    func `an outage that began within a term is credited to it, by its own row`(from: Int, closed: Int, isBroken: Bool)
        throws
    {
        var history = try History.sound()
        history.now = .hour(900)
        history.outages = [
            History.Outage(
                from: .hour(from), bookedAt: .hour(from + 2), microseconds: 7_200_000_000,
                totalMicroseconds: 7_200_000_000)
        ]
        history.outageMicroseconds = 7_200_000_000
        history.grants[0].closedAt = .hour(closed)
        let verdict = Judge.judge(history)

        #expect(verdict.broken == (isBroken ? [.expiry] : []))
        #expect(verdict.findings.allSatisfy { $0.events[1].contains("7200 s") })
        // One that its grant counts already has no part in it.
        history.grants[0].outageMicroseconds = 7_200_000_000
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `a report is not refused as expired while an outage that was booked is to be credited`() throws {
        var history = try History.sound()
        history.now = .hour(900)
        history.outages = [
            History.Outage(
                from: .hour(600), bookedAt: .hour(601), microseconds: 3_600_000_000, totalMicroseconds: 3_600_000_000)
        ]
        history.refused = [
            History.Evidence(
                number: 5, code: "EXPIRED", agency: 7, instance: 1, key: 9, held: try .sample(101),
                receivedAt: .hour(754))
        ]
        #expect(Judge.judge(history).broken == [.expiry])
        history.refused[0].receivedAt = .hour(755)
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `a grant that was made after the outage has no credit for it`() throws {
        var history = try afterOutage()
        history.grants[1].closedAt = .hour(754)
        #expect(Judge.judge(history).broken == [])
    }

    @Test(arguments: [(753, true), (754, true), (755, false)])
    func `a report is refused as expired after the enforced term and never before`(hour: Int, isBroken: Bool) throws {
        var history = try afterOutage()
        history.refused = [
            History.Evidence(
                number: 5, code: "EXPIRED", agency: 7, instance: 1, key: 9, held: try .sample(101),
                receivedAt: .hour(hour))
        ]
        #expect(Judge.judge(history).broken == (isBroken ? [.expiry] : []))
        // Under another word it is no matter of the term.
        history.refused[0].code = "RECALLED"
        #expect(Judge.judge(history).broken == [.fencing])
    }

    @Test func `one key is one report: taken, or refused and kept`() throws {
        var history = try History.sound()
        history.refused = [
            History.Evidence(
                number: 5, code: "CLOSED", agency: 7, instance: 1, key: 2, held: try .sample(102), receivedAt: .hour(60)
            )
        ]
        #expect(Judge.judge(history).broken == [.countedOnce])
        history.refused[0].key = 3
        #expect(Judge.judge(history).broken == [])
        // Late work that was accepted counts under its own key.
        history.refused[0].key = 2
        history.refused[0].held = try .sample(101)
        history.refused[0].code = "RECALLED"
        history.endings.append(
            History.Ending(held: try .sample(101), kind: "recall", reason: "order", endedAt: .hour(40)))
        history.notices = [try .sample(101): .sample("order", final: 40)]
        #expect(Judge.judge(history).broken == [.countedOnce])
        history.lateAccepted = [History.Request(agency: 7, instance: 1, verb: "REPORT", key: 2)]
        #expect(Judge.judge(history).broken == [])
    }

    @Test(arguments: [("KEY-REUSED", false), ("KEY-EXPIRED", false), ("OK", true), ("CLOSED", true)])
    func `a used key with other content is refused as used`(code: String, isBroken: Bool) throws {
        var history = try History.sound()
        history.operations.append(try .sample(2, .altered(verb: "REPORT", code: code)))
        let verdict = Judge.judge(history)

        #expect(verdict.broken == (isBroken ? [.countedOnce] : []))
        // What the key was first taken for, and what came of it then.
        #expect(verdict.findings.allSatisfy { $0.events.count == 2 && $0.events[0].contains("REPORT key=2") })
    }
}
