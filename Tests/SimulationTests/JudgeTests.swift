// SPDX-License-Identifier: Apache-2.0

import Assignment
import Simulation
import Testing

/// Each fault is planted into a sound history, and only the invariant that it breaks is reported.
struct JudgeTests {
    @Test func `a sound history holds every invariant`() throws {
        let verdict = Judge.judge(try .sound())

        #expect(verdict.findings.map(\.found) == [])
        #expect(verdict.checked[.nothingLost] == 3)
    }

    @Test func `a verdict says how many breaks there are, counts what was acknowledged, and tells what had no case`()
        throws
    {
        var history = try History.sound()
        history.outcomes = []
        let refusal = ClientOperation.Refusal(verb: "REPORT", code: "CLOSED", held: try .sample(102), evidence: 9)
        history.evidence = [9: "CLOSED"]
        history.operations.append(try .sample(4, .refused(refusal)))
        history.operations.append(try .sample(2, .repeated(verb: "REPORT", isEqual: true)))
        let report = VerdictReport(
            Judge.judge(history), operations: history.operations, delegations: 1, period: "2024-03")

        #expect(report.text.contains("History up to 2024-03: 3 acknowledged operations, 1 refusal, 1 delegation."))
        #expect(report.text.hasSuffix("\n1 break."))
        #expect(report.text.contains("BROKEN nothing acknowledged is lost"))
        #expect(report.text.contains("  no case no peso without its facts"))
        #expect(report.json.contains(#""operations":3,"refusals":1,"nothingToJudge":false"#))
        #expect(VerdictReport.breaks(2) == "2 breaks")
    }

    @Test(arguments: [(["grants", "outcomes", "endings"], true), (["outcomes"], false), ([], false)])
    func `where most of what the logs say is missing, the first line says that it is another database`(
        missing: [String], isOther: Bool
    ) throws {
        var history = try History.sound()
        if missing.contains("grants") { history.grants = [] }
        if missing.contains("outcomes") { history.outcomes = [] }
        if missing.contains("endings") { history.endings = [] }
        let report = VerdictReport(
            Judge.judge(history), operations: history.operations, delegations: 1, period: "2024-03")

        let first = try #require(report.text.split(separator: "\n").first)
        #expect((report.mismatch != nil) == isOther)
        #expect(
            first.hasPrefix(
                isOther ? "This looks like another database than that of the logs: 3 of 3 " : "History up to"))
        #expect(!isOther || first.contains("--data-dir") && first.contains("--database"))
        #expect(report.json.contains("\"otherDatabase\":\(isOther)"))
        // What is missing is told as lost all the same.
        #expect(report.broken.contains(.nothingLost) == !missing.isEmpty)
    }

    @Test func `a judge who has nothing to judge says so, and holds nothing`() throws {
        let report = VerdictReport(Verdict(), operations: [], delegations: 0, period: "2024-03")

        #expect(report.isEmpty && report.isClean)
        #expect(
            report.text.hasSuffix(
                "There was nothing to judge: the logs acknowledge nothing, and the database has no lease."))
        #expect(!report.text.contains("  holds "))
        #expect(report.json.contains(#""nothingToJudge":true"#))
    }

    @Test func `an account that is given back after its lease had ended is found`() throws {
        var history = try History.sound()
        history.endings[0].endedAt = .hour(730 + 24)
        #expect(Judge.judge(history).broken == [])
        history.endings[0].endedAt = .hour(730 + 25)
        #expect(Judge.judge(history).broken == [.fencing])
    }

    @Test func `a hand that is larger than its quota ever allowed is found`() throws {
        var history = try History.sound()
        history.hands = [History.Hand(hand: History.hand, quota: 3, size: 4)]
        #expect(Judge.judge(history).broken == [.deals])
        history.limits.append(History.Limit(quota: 3, since: .hour(1), accounts: 4, exposure: 400))
        #expect(Judge.judge(history).broken == [])
    }

    @Test(arguments: [
        ("payoff", "payoff", "payoff"), ("exclusion", "lawsuit", "lawsuit"), ("exclusion", "lost-job", "start"),
        ("exclusion", "exhaustion", "exhaustion"), ("recall", "order", nil), ("recall", "unlocatable", nil),
        ("recall", "not-worked", nil),
    ])
    func `a lease that ends without a cause is found`(kind: String, reason: String, cause: String?) throws {
        var history = try History.sound()
        let held = try Held.sample(101)
        history.endings.append(History.Ending(held: held, kind: kind, reason: reason, endedAt: .hour(40)))
        #expect(Judge.judge(history).broken == [.endings])
        history.causes[held.account] = cause.map { [History.Cause(reason: $0, knownAt: .hour(39))] }
        if cause == nil, reason == "order" {
            history.notices = [held: History.Notice(reason: reason, noticedAt: .hour(11), finalAt: .hour(40))]
        } else if cause == nil {
            history.operations.remove(at: 1)
            history.outcomes[0].report.contact = "unlocatable"
            if reason == "not-worked" { history.outcomes = [] }
            history.dealtHands = [History.hand: .sample(activityDays: 0, unlocatableDays: 0)]
            history.dealtHands[History.hand]?.graceMicroseconds = 0
            history.grants[0].graceMicroseconds = 0
        }
        #expect(Judge.judge(history).broken == [])
    }

    /// Work within the lease that was reported after it had been taken back: nobody could know of it.
    @Test func `a late report of a debtor who was reached takes no cause away`() throws {
        var history = try History.sound()
        let held = try Held.sample(101)
        history.endings.append(History.Ending(held: held, kind: "recall", reason: "unlocatable", endedAt: .hour(40)))
        history.operations.remove(at: 1)
        history.dealtHands = [History.hand: .sample(unlocatableDays: 0)]
        history.dealtHands[History.hand]?.graceMicroseconds = 0
        history.grants[0].graceMicroseconds = 0
        var late = history.outcomes[0]
        history.outcomes[0].report.contact = "unlocatable"
        (late.key, late.report.outcome, late.report.at) = (9, 56, .hour(30))
        for (received, isCaused) in [(40, false), (41, true)] {
            late.receivedAt = .hour(received)
            var other = history
            other.outcomes.append(late)
            #expect(Judge.judge(other).broken.contains(.endings) == !isCaused)
        }
    }

    @Test func `a doubled lease is found with both grants`() throws {
        var history = try History.sound()
        history.limits = [History.Limit(quota: 3, since: .hour(0), accounts: 9)]
        history.positions.append(
            History.Position(hand: History.hand, position: 5, held: try .sample(101, 2), exposure: 100))
        history.grants.append(.sample(first: 5, last: 5, at: .hour(40), total: 3, key: 9))

        let verdict = Judge.judge(history)

        #expect(verdict.broken == [.oneHolder])
        #expect(verdict.findings.first?.events.count == 2)
    }

    @Test func `an account may be leased again in the instant in which its lease ended`() throws {
        var history = try History.sound()
        history.positions.append(
            History.Position(hand: History.hand, position: 5, held: try .sample(102, 2), exposure: 100))
        history.grants.append(.sample(first: 5, last: 5, at: .hour(30), total: 3, key: 9))

        #expect(Judge.judge(history).broken == [])
    }

    @Test func `a grant to an agency on hold is found, one before the hold or after its release is not`() throws {
        var history = try History.sound()
        history.orders = [History.Order(agency: 7, isHold: true, at: .hour(11))]
        #expect(Judge.judge(history).broken == [])
        history.orders = [History.Order(agency: 7, isHold: true, at: .hour(9))]
        #expect(Judge.judge(history).broken == [.exclusions])
        history.orders.append(History.Order(agency: 7, isHold: false, at: .hour(9)))
        #expect(Judge.judge(history).broken == [])
        history.orders = [History.Order(agency: 8, isHold: true, at: .hour(9))]
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `an epoch that does not rise is found`() throws {
        var history = try History.sound()
        history.limits = [History.Limit(quota: 3, since: .hour(0), accounts: 9)]
        for (position, epoch, hour) in [(5, 4, 40), (6, 3, 60)] as [(Int32, Int64, Int)] {
            let held = try Held.sample(105, epoch)
            history.positions.append(
                History.Position(hand: History.hand, position: position, held: held, exposure: 100))
            history.grants.append(
                .sample(
                    first: position, last: position, at: .hour(hour), total: Int64(position) - 2, key: Int64(position)))
            history.endings.append(
                History.Ending(held: held, kind: "recall", reason: "dispute", endedAt: .hour(hour + 9)))
            history.notices[held] = .sample("dispute", final: hour + 9)
        }

        #expect(Judge.judge(history).broken == [.epochs])
    }

    @Test func `an epoch that is dealt twice is found`() throws {
        var history = try History.sound()
        history.positions.append(
            History.Position(hand: History.hand, position: 5, held: try .sample(101, 1), exposure: 100))

        #expect(Judge.judge(history).broken == [.epochs])
    }

    @Test func `a lost acknowledged report is found`() throws {
        var history = try History.sound()
        history.outcomes = []

        let verdict = Judge.judge(history)

        #expect(verdict.broken == [.nothingLost])
        #expect(verdict.findings.first?.events.first?.contains("REPORT key=2") == true)
    }

    @Test func `an outcome kept with other content than was acknowledged is found`() throws {
        var history = try History.sound()
        history.outcomes[0].report.amount = Cents(31_023)

        #expect(Judge.judge(history).broken == [.nothingLost])
    }

    @Test func `an agreement that a report told and that is not kept is found`() throws {
        var history = try History.sound()
        history.outcomes[0].report.solution = "restructure"
        #expect(Judge.judge(history).broken == [])
        guard case .reported(var told) = history.operations[1].reply else {
            Issue.record("the second operation is no report")
            return
        }
        told.solution = "restructure"
        history.operations[1].reply = .reported(told)
        #expect(Judge.judge(history).broken == [])
        history.outcomes[0].report.solution = nil
        #expect(Judge.judge(history).broken == [.nothingLost])
    }

    @Test func `a lost grant, a lost return and a lost extension are found`() throws {
        var history = try History.sound()
        history.requests = []
        history.endings = []
        history.grants[0].key = 77
        let told = ClientOperation.Extension(grant: History.first, term: .hour(800))
        history.operations.append(try .sample(4, .extended(told)))

        #expect(Judge.judge(history).broken == [.nothingLost, .nothingLost, .nothingLost])
    }

    @Test func `evidence that a refusal named and that is not there is found`() throws {
        var history = try History.sound()
        let refusal = ClientOperation.Refusal(verb: "REPORT", code: "CLOSED", held: try .sample(102), evidence: 9)
        history.operations.append(try .sample(4, .refused(refusal)))

        #expect(Judge.judge(history).broken == [.nothingLost])
        history.evidence = [9: "CLOSED"]
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `a quota exceeded by one is found`() throws {
        var history = try History.sound()
        history.grants.append(.sample(first: 3, last: 3, at: .hour(29), total: 3, key: 8))

        let verdict = Judge.judge(history)

        #expect(verdict.broken == [.quotas])
        #expect(verdict.findings.first?.events.last?.contains("brought it to 3 accounts") == true)
    }

    @Test func `a limit that was raised beside its history is found before any grant shows it`() throws {
        var history = try History.sound()
        history.limits = [
            History.Limit(quota: 3, since: .hour(0), accounts: 9, exposure: 900),
            History.Limit(quota: 3, since: .hour(1), accounts: 8, exposure: 900),
        ]
        for (accounts, exposure, isBroken) in [
            (8, 900, false), (9, 900, true), (7, 900, true), (8, 901, true), (8, nil, true),
        ] as [(Int64, Int64?, Bool)] {
            history.limitsInForce = [
                History.Limit(quota: 3, since: .hour(9), accounts: accounts, exposure: exposure)
            ]
            #expect(Judge.judge(history).broken == (isBroken ? [.quotas] : []))
        }
    }

    @Test func `what was released before makes room in the quota`() throws {
        var history = try History.sound()
        history.grants.append(.sample(first: 3, last: 3, at: .hour(30), total: 3, key: 8))

        #expect(Judge.judge(history).broken == [])
    }

    @Test func `the limit in force at the grant counts, not a later one`() throws {
        var history = try History.sound()
        history.limits.append(History.Limit(quota: 3, since: .hour(11), accounts: 0))
        #expect(Judge.judge(history).broken == [])

        history.limits = [
            History.Limit(quota: 3, since: .hour(0), accounts: 1),
            History.Limit(quota: 3, since: .hour(11), accounts: 5),
        ]
        #expect(Judge.judge(history).broken == [.quotas])
    }

    @Test func `running totals that do not follow from the positions are found`() throws {
        var history = try History.sound()
        history.grants[0].totalExposure = 150

        #expect(Judge.judge(history).broken == [.quotas])
    }

    @Test func `an outcome after the end of its lease does not count`() throws {
        var history = try History.sound()
        history.endings.append(
            History.Ending(held: try .sample(101), kind: "recall", reason: "lawsuit", endedAt: .hour(20)))
        history.notices = [try .sample(101): .sample("lawsuit", final: 19)]

        #expect(Judge.judge(history).broken == [.fencing])
    }

    @Test func `work of before the end that was told too late counts only where that was decided`() throws {
        var history = try History.sound()
        history.endings.append(
            History.Ending(held: try .sample(101), kind: "recall", reason: "lawsuit", endedAt: .hour(20)))
        history.notices = [try .sample(101): .sample("lawsuit", final: 19)]
        history.lateAccepted = [History.Request(agency: 7, instance: 1, verb: "REPORT", key: 2)]
        #expect(Judge.judge(history).broken == [])

        history.endings[1].endedAt = .hour(19)
        #expect(Judge.judge(history).broken == [.fencing])
        history.endings[1].endedAt = .hour(20)
        history.lateAccepted = [History.Request(agency: 7, instance: 1, verb: "REPORT", key: 3)]
        #expect(Judge.judge(history).broken == [.fencing])
    }

    @Test func `one key with two outcomes is found`() throws {
        var history = try History.sound()
        history.outcomes.append(history.outcomes[0])
        history.outcomes[1].report.outcome = 56

        #expect(Judge.judge(history).broken == [.countedOnce])
    }

    @Test func `a repetition with another reply is found`() throws {
        var history = try History.sound()
        history.operations.append(try .sample(2, .repeated(verb: "REPORT", isEqual: false)))

        #expect(Judge.judge(history).broken == [.countedOnce])
    }

    @Test func `a grant after the account's stop is found, and one kept in spite of it`() throws {
        var history = try History.sound()
        let day = try #require(LocalDate(year: 2024, month: 3, day: 1))
        let account = try #require(AccountID(101))
        history.stops = [
            History.Stop(account: account, reason: "lawsuit", from: day, until: nil, importedAt: .hour(9))
        ]
        #expect(Judge.judge(history).broken == [.exclusions])

        history.stops[0].importedAt = .hour(50)
        #expect(Judge.judge(history).broken == [.exclusions])

        history.endings.append(
            History.Ending(held: try .sample(101), kind: "exclusion", reason: "lawsuit", endedAt: .hour(50)))
        history.causes = [account: [History.Cause(reason: "lawsuit", knownAt: .hour(50))]]
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `an early expiry is found, and grace belongs to the term`() throws {
        var history = try History.sound()
        history.now = .hour(900)
        history.grants[0].closedAt = .hour(753)
        #expect(Judge.judge(history).broken == [.expiry])

        history.grants[0].closedAt = .hour(754)
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `a term beyond the end of its contract is found`() throws {
        var history = try History.sound()
        history.contractEnds[1_001] = LocalDate(year: 2024, month: 3, day: 30)

        #expect(Judge.judge(history).broken == [.terms])
    }

    @Test func `an account that waits in a front hand while it is held is found`() throws {
        var history = try History.sound()
        history.openHands = [History.hand, 6]
        history.positions.append(
            History.Position(hand: 6, position: 1, held: try .sample(101, 2), exposure: 100))
        history.deals.append((try .sample(101, 2), 6, 1))
        let verdict = Judge.judge(history)

        #expect(verdict.findings.map(\.invariant) == [.epochs])
        #expect(verdict.findings.first?.found == "account 101 waits in a hand while it is held")
    }

    @Test func `an account that waits in two hands is found`() throws {
        var history = try History.sound()
        history.openHands = [History.hand, 6]
        history.positions.append(
            History.Position(hand: 6, position: 1, held: try .sample(103, 2), exposure: 100))
        history.deals.append((try .sample(103, 2), 6, 1))

        #expect(Judge.judge(history).findings.map(\.found) == ["account 103 waits in two hands"])
    }
}
