// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Testing

/// What holds of every policy, over many random accounts.
struct PolicyPropertyTests {
    private static let rows = (0..<400).map { randomRow(UInt64($0)) }

    @Test(arguments: PolicyProbe.names) func `every account has one verdict, the first rule's that holds`(name: String)
        throws
    {
        let probe = try PolicyProbe(name)
        for row in Self.rows {
            let offers = probe.segmenter.offers(for: row)
            func holds(_ condition: Condition) -> Bool {
                condition.bound(to: cutOfMarch).holds(for: row, offers: offers)
            }
            let excluded = probe.policy.exclusions.firstIndex { holds($0.when) }
            let placed = probe.policy.strategies.first { holds($0.when) }
            switch probe.segmenter.verdict(for: row) {
            case .excluded(let index): #expect(index == excluded)
            case .placed(let placement):
                let tactic = placed?.tactics.first { holds($0.when) } ?? placed?.rest
                #expect(excluded == nil)
                #expect(placement.strategy == placed?.strategy)
                #expect(probe.segmenter.tactics[Int(placement.tactic)] == tactic?.name)
            case .nothingToCollect: #expect(excluded == nil && placed == nil)
            }
        }
    }

    @Test(arguments: PolicyProbe.names) func `the order of the accounts does not matter`(name: String) throws {
        let segmenter = try PolicyProbe(name).segmenter
        let forward = Self.rows.map { segmenter.verdict(for: $0) }
        let backward = Self.rows.reversed().map { segmenter.verdict(for: $0) }

        #expect(forward == backward.reversed())
    }

    @Test(arguments: PolicyProbe.names) func `a rule added at the end changes no earlier verdict`(name: String) throws {
        let segmenter = try PolicyProbe(name).segmenter
        var longer = segmenter.policy
        var last = try #require(longer.strategies.last)
        last.when = .always
        longer.strategies.append(last)
        longer.relief.append(Clause(name: "last", title: last.title, origins: [], when: .always))
        let after = Segmenter(longer, cut: cutOfMarch)

        for row in Self.rows {
            let before = segmenter.verdict(for: row)
            let now = after.verdict(for: row)
            #expect(now == before || before == .nothingToCollect)
            #expect(after.offers(for: row) == segmenter.offers(for: row) | 1 << UInt64(longer.relief.count - 1))
        }
    }

    @Test(arguments: PolicyProbe.names) func `an exclusion added at the end takes only what was not excluded`(
        name: String
    ) throws {
        let segmenter = try PolicyProbe(name).segmenter
        var longer = segmenter.policy
        longer.exclusions.append(
            Exclusion(
                reason: "last", title: longer.title, origins: [], when: .oneOf(.signed, [1]), until: nil))
        let after = Segmenter(longer, cut: cutOfMarch)

        for row in Self.rows {
            let before = segmenter.verdict(for: row)
            let isLast = after.verdict(for: row) == .excluded(longer.exclusions.count - 1)
            if case .excluded = before {
                #expect(after.verdict(for: row) == before)
            } else {
                #expect(isLast == (row[.signed] == 1))
            }
        }
    }

    /// The union of ASG-10, with the day that ends each where there is one.
    @Test(arguments: PolicyProbe.names) func `every policy keeps from collection what may not be collected`(
        name: String
    ) throws {
        let probe = try PolicyProbe(name)
        let late = AccountRow.current.with([.arrears: 2, .unpaid: 2, .daysLate: 40])
        #expect(probe.reason(late) == nil)

        for (reason, field) in [
            ("extension", AccountField.extensionUntil), ("fpp", .fppUntil), ("disaster", .disasterUntil),
        ] {
            #expect(probe.reason(late.with([field: cutPlus(-1)])) == nil)
            #expect(probe.reason(late.with([field: cutPlus(0)])) == reason)
            #expect(probe.reason(late.with([field: cutPlus(1)])) == reason)
            #expect(probe.policy.exclusions.first { $0.reason == reason }?.until == field)
        }
        for (reason, field) in [
            ("lawsuit", AccountField.lawsuitOn), ("dispute", .disputeOn), ("exhausted", .exhaustedOn),
        ] {
            #expect(probe.reason(late.with([field: cutPlus(-400)])) == reason)
        }
        #expect(probe.reason(late.with([.situation: 2])) == "liquidated")
        #expect(probe.reason(late.with([.situation: 3])) == "insured")
    }
}
