// SPDX-License-Identifier: Apache-2.0

import Assignment
import Testing

struct NextActionTests {
    private static let free = NextAction.Facts(
        isDealt: false, isStopped: false, isPlaced: true, changesStrategy: false, returnReason: nil, wasWorked: false,
        nearsExhaustion: false, hasTaker: true, hasSearcher: true)

    private func action(_ change: (inout NextAction.Facts) -> Void) -> NextAction {
        var facts = Self.free
        change(&facts)
        return NextAction(facts)
    }

    @Test func `an account that nobody worked is dealt again, a worked one to another agency`() {
        #expect(action { _ in } == .dealAgain)
        #expect(action { $0.wasWorked = true } == .otherAgency)
        #expect(action { $0.returnReason = "capacity" } == .otherAgency)
        #expect(action { $0.changesStrategy = true } == .otherStrategy)
    }

    @Test(arguments: ["deceased", "dispute", "paid", "duplicate"])
    func `what only the institution can find out waits for it`(reason: String) {
        #expect(action { $0.returnReason = reason } == .check)
        #expect(!NextAction.check.isDealtAgain)
    }

    @Test func `one that was not found is weighed for exhaustion where the clauses come near`() {
        #expect(action { $0.returnReason = "unlocatable" } == .otherAgency)
        #expect(
            action {
                $0.returnReason = "unlocatable"
                $0.nearsExhaustion = true
            } == .exhaustion)
    }

    @Test func `where no other agency works, the next month's plan deals it`() {
        #expect(action { $0.hasTaker = false } == .nextMonth)
        #expect(
            action {
                $0.hasTaker = false
                $0.returnReason = "paid"
            } == .check)
        #expect(!NextAction.nextMonth.isDealtAgain)
    }

    @Test func `one that was not found is for those who search, and told where none of them works`() {
        func lost(_ nearsExhaustion: Bool) -> NextAction {
            action {
                $0.returnReason = "unlocatable"
                $0.nearsExhaustion = nearsExhaustion
                $0.hasSearcher = false
            }
        }
        #expect(lost(false) == .search)
        #expect(lost(true) == .exhaustion)
        #expect(!NextAction.search.isDealtAgain)
    }

    @Test func `a stop goes before every reason, and being dealt before a stop`() {
        #expect(
            action {
                $0.isStopped = true
                $0.returnReason = "paid"
            } == .stopped)
        #expect(
            action {
                $0.isStopped = true
                $0.isDealt = true
            } == .dealt)
        #expect(action { $0.isPlaced = false } == .nowhere)
    }

    @Test func `every combination of facts has a next action`() {
        var seen: Set<NextAction> = []
        for bits in 0..<256 {
            for reason in [nil, "unlocatable", "paid", "other"] as [String?] {
                func bit(_ place: Int) -> Bool { bits & (1 << place) != 0 }
                let action = NextAction(
                    NextAction.Facts(
                        isDealt: bit(0), isStopped: bit(1), isPlaced: bit(2), changesStrategy: bit(3),
                        returnReason: reason, wasWorked: bit(4), nearsExhaustion: bit(5), hasTaker: bit(6),
                        hasSearcher: bit(7)))
                #expect(!action.isDealtAgain || (bit(2) && !bit(0) && !bit(1)))
                seen.insert(action)
            }
        }
        #expect(seen == Set(NextAction.allCases))
    }
}
