// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

/// Who holds what, over delegations and contracts, and what a holder may be told and lose; each fault is planted into a sound history.
struct HolderTests {
    /// The sound history of another delegation, in which account 101 is leased at an hour.
    private func elsewhere(at hour: Int) throws -> History {
        var history = try History.sound()
        history.delegation = try #require(Delegation(15))
        (history.operations, history.outcomes, history.endings) = ([], [], [])
        history.grants[0].grantedAt = .hour(hour)
        return history
    }

    private func judged(_ histories: [History], moved: Set<AccountID>) -> Verdict {
        var country = CountryHistory(moved: moved)
        for history in histories { #expect(Judge.judge(history, adding: &country).broken == []) }
        return country.judge()
    }

    @Test func `an account that moved has one holder in the country`() throws {
        let (first, moved) = (try History.sound(), Set([try #require(AccountID(101))]))
        let verdict = judged([first, try elsewhere(at: 90)], moved: moved)
        #expect(verdict.broken == [.oneHolder])
        #expect(verdict.findings.first?.events.map { $0.prefix(13) } == ["delegation 14", "delegation 15"])
        // The one that ended by then has no part in it, nor what came after the first delegation was read.
        #expect(judged([first, try elsewhere(at: 100)], moved: moved).broken == [])
        #expect(judged([first, try elsewhere(at: 29)], moved: [try #require(AccountID(102))]).broken == [.oneHolder])
        #expect(judged([first, try elsewhere(at: 30)], moved: [try #require(AccountID(102))]).broken == [])
    }

    @Test func `a grant is of a contract that the hand was dealt to, of its agency, under the hand's quota`() throws {
        var history = try History.sound()
        history.operations = []
        history.dealtHands = [History.hand: .sample()]
        history.contractAgencies = [1_001: 7, 1_002: 7]
        history.quotaPlaces = [3: History.QuotaPlace(contract: 1_001, portfolio: 1, strategy: 2)]
        #expect(Judge.judge(history).broken == [])

        history.contractAgencies[1_001] = 8
        #expect(Judge.judge(history).broken == [.deals])
        history.contractAgencies[1_001] = 7
        history.instances = ["ACE08 sim": 1]
        #expect(Judge.judge(history).broken == [.deals])
        history.instances = [:]
        history.quotaPlaces[3]?.strategy = 1
        #expect(Judge.judge(history).broken == [.deals])
        history.quotaPlaces[3]?.strategy = 2
        history.dealtHands[History.hand]?.contracts = [1_002]
        #expect(Judge.judge(history).broken == [.deals])
        // Whoever shares a hand may draw from it.
        history.dealtHands[History.hand]?.contracts = [1_002, 1_001]
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `an outcome is booked on its lease's contract`() throws {
        var history = try History.sound()
        history.outcomes[0].contract = 1_001
        #expect(Judge.judge(history).broken == [])
        history.outcomes[0].contract = 1_002
        #expect(Judge.judge(history).broken == [.fencing])
    }

    @Test func `what ended while it waited is not leased`() throws {
        var history = try History.sound()
        let ending = History.Ending(
            held: try .sample(101), kind: "exclusion", reason: "death", endedAt: .hour(9), wasHeld: false)
        history.endings.append(ending)
        (history.outcomes, history.operations) = ([], [])
        #expect(Judge.judge(history).broken == [.epochs])
        // In the instant of the grant it was not held yet.
        history.endings[1].endedAt = .hour(10)
        #expect(Judge.judge(history).broken == [.epochs])
        history.grants[0].skipped = [1]
        #expect(!Judge.judge(history).broken.contains(.epochs))
    }

    @Test func `what is stopped after its term was leased, and its holder was not refused for the stop`() throws {
        var history = try History.sound()
        let held = try Held.sample(101)
        let count = history.endings.count
        history.grants[0].closedAt = .hour(40)
        history.endings.append(
            History.Ending(held: held, kind: "exclusion", reason: "death", endedAt: .hour(50), wasHeld: false))
        #expect(!Judge.judge(history).broken.contains(.epochs))
        history.endings[count].endedAt = .hour(39)
        #expect(Judge.judge(history).broken.contains(.epochs))

        history.endings[count].endedAt = .hour(50)
        history.refused = [
            History.Evidence(
                number: 1, code: "EXPIRED", agency: 7, instance: 1, key: 9, held: held, receivedAt: .hour(60))
        ]
        #expect(!Judge.judge(history).broken.contains(.fencing))
        history.refused[0].code = "RECALLED"
        #expect(Judge.judge(history).broken.contains(.fencing))
    }

    @Test(arguments: [("withdrawal", "order"), ("agreement", "signed"), ("recall", "dropped")])
    func `no lease ends by what only ends waiting, nor by a word that nothing stands behind`(
        kind: String, reason: String
    ) throws {
        var history = try History.sound()
        history.endings.append(
            History.Ending(held: try .sample(101), kind: kind, reason: reason, endedAt: .hour(40)))
        #expect(Judge.judge(history).broken == [.endings])
    }

    @Test func `a stop ends a lease once it is known and before it is over`() throws {
        var history = try History.sound()
        let held = try Held.sample(101)
        history.endings.append(History.Ending(held: held, kind: "exclusion", reason: "death", endedAt: .hour(60)))
        for (cause, isBroken) in [
            (History.Cause(reason: "death", knownAt: .hour(60)), false),
            (History.Cause(reason: "dispute", knownAt: .hour(60)), true),
            (History.Cause(reason: "death", knownAt: .hour(67)), true),
            (History.Cause(reason: "death", knownAt: .hour(5), until: LocalDate(text: "2024-03-01")), true),
            (History.Cause(reason: "death", knownAt: .hour(5), until: LocalDate(text: "2024-03-03")), false),
            (History.Cause(reason: "death", knownAt: .hour(5), revokedAt: .hour(59)), true),
        ] {
            history.causes = [held.account: [cause]]
            #expect(Judge.judge(history).broken == (isBroken ? [.endings] : []))
        }
    }

    @Test func `a recall ends a lease when its notice is due, and not while it is objected to or withdrawn`() throws {
        var history = try History.sound()
        let held = try Held.sample(101)
        history.endings.append(History.Ending(held: held, kind: "recall", reason: "order", endedAt: .hour(60)))
        var notice = History.Notice.sample("order", final: 61)
        func broken() -> [Invariant] {
            history.notices = [held: notice]
            return Judge.judge(history).broken
        }
        #expect(broken() == [.endings])
        notice.finalAt = .hour(60)
        #expect(broken() == [])
        notice.heldUntil = .hour(70)
        #expect(broken() == [.endings])
        notice.decision = "upheld"
        #expect(broken() == [])
        notice.decision = "withdrawn"
        #expect(broken() == [.endings])
        notice = .sample("dispute", final: 60)
        #expect(broken() == [.endings])
    }

    @Test func `what was worked, or is in its days, is not taken back for want of work`() throws {
        var history = try History.sound()
        history.dealtHands = [History.hand: .sample(activityDays: 1)]
        history.endings.append(
            History.Ending(held: try .sample(101), kind: "recall", reason: "not-worked", endedAt: .hour(48)))
        #expect(Judge.judge(history).broken == [.endings])
        history.outcomes = []
        history.operations.remove(at: 1)
        #expect(Judge.judge(history).broken == [])
        history.endings[1].endedAt = .hour(46)
        #expect(Judge.judge(history).broken == [.endings])
    }

    @Test(arguments: [
        ("RECALLED", "recall", 40, false), ("RECALLED", "recall", 61, true), ("RECALLED", nil, 0, true),
        ("CLOSED", "payoff", 40, false), ("CLOSED", "recall", 40, true), ("UNKNOWN", nil, 0, true),
        ("REASSIGNED", nil, 0, true),
    ])
    func `a holder is refused by what has happened, once it has`(
        code: String, kind: String?, hour: Int, isBroken: Bool
    ) throws {
        var history = try History.sound()
        let held = try Held.sample(101)
        if let kind {
            history.endings.append(
                History.Ending(held: held, kind: kind, reason: kind, endedAt: .hour(hour)))
            history.causes = [held.account: [History.Cause(reason: kind, knownAt: .hour(hour))]]
            history.notices = [held: .sample(kind, final: hour)]
        }
        history.refused = [
            History.Evidence(
                number: 5, code: code, agency: 7, instance: 1, key: 9, held: held, receivedAt: .hour(60))
        ]
        #expect(Judge.judge(history).broken == (isBroken ? [.fencing] : []))
        // The same in a client's log alone, of a question that is not kept; of when it was nothing is known.
        history.refused = []
        history.operations.append(
            try .sample(9, .refused(ClientOperation.Refusal(verb: "CONTACT", code: code, held: held))))
        let isNever = isBroken && (kind == nil || code == "CLOSED")
        #expect(Judge.judge(history).broken == (isNever ? [.fencing] : []))
    }

    @Test func `who never had the account is told nothing of it`() throws {
        var history = try History.sound()
        history.refused = [
            History.Evidence(
                number: 5, code: "UNKNOWN", agency: 8, instance: 2, key: 9, held: try .sample(102),
                receivedAt: .hour(60))
        ]
        #expect(Judge.judge(history).broken == [])
        history.refused[0].code = "CLOSED"
        #expect(Judge.judge(history).broken == [.fencing])
    }

    /// It was leased at hour 10, its term and grace are over at hour 754.
    @Test(arguments: [
        (false, 40, nil, true), (false, 40, 41, true), (false, 41, 41, false), (false, 754, nil, false),
        (true, 40, 41, false), (true, 42, 41, true), (true, 755, nil, true), (true, 754, nil, false),
    ])
    func `who compares is told what is so`(isHeld: Bool, at: Int, ended: Int?, isWrong: Bool) throws {
        var history = try History.sound()
        history.now = .hour(900)
        let held = try Held.sample(101)
        if let ended {
            history.endings.append(
                History.Ending(held: held, kind: "return", reason: "other", endedAt: .hour(ended)))
        }
        let sound = Judge.judge(history).broken
        history.operations.append(try .sample(0, .compared(held, isHeld: isHeld), at: .hour(at)))
        #expect(Judge.judge(history).broken == (isWrong ? sound + [.fencing] : sound))
        // Another agency never had it.
        history.operations[3] = try .sample(0, .compared(held, isHeld: isHeld), agency: 8, at: .hour(at))
        history.instances[History.instanceName(agency: 8, instance: "sim")] = 2
        #expect(Judge.judge(history).broken == (isHeld ? sound + [.fencing] : sound))
    }

    @Test func `evidence is of the agency, installation, key and account that were refused`() throws {
        var history = try History.sound()
        let held = try Held.sample(102)
        let refusal = ClientOperation.Refusal(verb: "REPORT", code: "CLOSED", held: held, evidence: 9)
        history.operations.append(try .sample(4, .refused(refusal)))
        history.evidence = [9: "CLOSED"]
        let kept = History.Evidence(
            number: 9, code: "CLOSED", agency: 7, instance: 1, key: 4, held: held, receivedAt: .hour(60))
        history.refused = [kept]
        #expect(Judge.judge(history).broken == [])
        history.refused[0].key = 5
        #expect(Judge.judge(history).broken == [.nothingLost])
        history.refused[0] = kept
        history.refused[0].instance = 2
        #expect(Judge.judge(history).broken == [.nothingLost])
    }
}
