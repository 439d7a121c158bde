// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import TestSupport
import Testing

struct PolicyWhatIfTests {
    @Test(arguments: 1...4 as ClosedRange<Int32>)
    func `its counts are what segment then writes`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed)
            try month.segment()
            let other = try month.variant([
                ("arrears: {above: 3}", "arrears: {above: 4}"), ("one_per: 950", "one_per: 90"),
            ])
            let report = try month.whatIf(other)
            let before = try month.placed()
            try month.segment(by: other)
            let after = try month.placed()

            let tried = report.rows.filter { $0.accounts > 0 }.map {
                ($0.rule, ["\($0.accounts)", "\($0.overdue)", "\($0.balance)"])
            }
            let now = report.rows.filter { $0.accountsNow ?? 0 > 0 }.map {
                ($0.rule, [$0.accountsNow?.description, $0.overdueNow?.description, $0.balanceNow?.description])
            }
            #expect(Dictionary(uniqueKeysWithValues: tried) == after)
            #expect(Dictionary(uniqueKeysWithValues: now) == before.mapValues { $0.map(Optional.some) })
        }
    }

    @Test(arguments: 1...4 as ClosedRange<Int32>)
    func `what it leaves unplaced is what the plan leaves`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed, count: 900)
            try month.link.script("UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 40")
            try month.addStop(account: 1_400_006, reason: "dispute")
            let report = try month.whatIf(month.policy)
            try month.segment()
            let plan = try month.plan().preview()

            #expect(report.unplaced.reduce(0) { $0 + $1.accounts } == plan.accounts - plan.assigned)
            #expect(
                Dictionary(grouping: report.unplaced, by: \.reason).mapValues { $0.reduce(0) { $0 + $1.accounts } }
                    == Dictionary(uniqueKeysWithValues: plan.unassigned.map { ($0.reason, $0.accounts) }))
            #expect(report.tried.placed - report.tried.undealable == plan.accounts)
        }
    }

    @Test func `what agencies hold is not dealt again`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            _ = try month.plan().apply()
            let hand = Int32(try month.number("SELECT min(hand_id)::bigint FROM hand WHERE size >= 10"))
            try month.lease(hand: hand, accounts: 10)
            let report = try month.whatIf(month.policy)

            #expect(report.tried.undealable == 10)
            #expect(report.notes.contains { $0.contains("of 2024-03 is applied") })
        }
    }

    @Test func `advisers are counted by what the contracts give to each`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let report = try month.whatIf(month.policy)
            let stations = try month.number("SELECT count(DISTINCT (delegation_id, portfolio)) FROM contract_capacity")

            #expect(Int64(report.stations.count) == stations)
            // Every contract of the fixture gives 200 accounts to an adviser.
            #expect(report.stations.allSatisfy { $0.needed == ($0.accounts + 199) / 200 })
            #expect(report.stations.map(\.committed) == [30, 30, 40, 40])
        }
    }

    @Test func `published averages are applied to what they say`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let report = try month.whatIf(month.policy)
            let overdue = report.rows.filter { $0.rule.hasPrefix("preventive.") }
                .reduce(Int128(0)) { $0 + $1.overdue.centavos }
            let preventive = try #require(report.recovery.first { $0.of == "preventive" })
            let rest = try #require(report.recovery.first { $0.of == "rest" })
            let resting = report.rows.filter { $0.rule.hasSuffix(".rest") }.reduce(0) { $0 + $1.accounts }

            #expect(preventive.origin == "ORA-11")
            #expect(preventive.base == .pesos(Pesos(overdue)))
            #expect(preventive.expected == .pesos(Pesos(overdue * 32 / 100)))
            #expect(rest.origin == "STR-05")
            #expect(rest.base == .accounts(resting))
            #expect(rest.expected == .accounts(resting * 28 / 100))
        }
    }

    /// The averages are of one institution's programmes: whose strategies come from another's rules gets no figure by them.
    @Test func `published averages are not lent to another institution's strategies`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            for name in ["fna-bands", "fonacot-pool"] {
                let report = try month.whatIf(try PolicyFile(text: ShippedPolicy.text(name)))
                let left = try #require(report.recoveryLeftOut.first)

                #expect(report.tried.placed > 0)
                #expect(report.recovery.isEmpty)
                #expect(report.recoveryLeftOut.count == 1)
                #expect(left.hasPrefix("dual, administrative, preventive of \(name): ") == (name == "fna-bands"))
                #expect(left.contains("(pack \(name.prefix { $0 != "-" }))"))
                #expect(report.lines.contains("left out: \(left)"))
            }
            let own = try month.whatIf(month.policy)
            #expect(own.recoveryLeftOut.isEmpty)
            #expect(own.recovery.contains { $0.origin == "ORA-10" && $0.expected != nil && $0.expectedNow != nil })
        }
    }

    /// In force is another institution's policy: its side of the figures is empty, not lent.
    @Test func `beside another institution's policy in force the averages stand alone`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment(by: try PolicyFile(text: ShippedPolicy.text("fna-bands")))
            let report = try month.whatIf(month.policy)
            let preventive = try #require(report.recovery.first { $0.of == "preventive" })

            #expect(preventive.expected != nil)
            #expect(preventive.expectedNow == nil)
            #expect(report.recovery.filter { $0.origin == "ORA-10" || $0.of == "all strategies" }.count == 3)
            #expect(
                report.recovery.allSatisfy {
                    $0.origin.hasPrefix("STR") || $0.expectedNow == nil || $0.origin == "ORA-13"
                })
            #expect(report.recoveryLeftOut.first?.contains(" of fna-bands: ") == true)
        }
    }

    @Test(arguments: 1...2 as ClosedRange<Int32>)
    func `the delegations add up`(seed: Int32) async throws {
        try await PlannedMonth.with { month in
            try month.addRandomCut(seed: seed, count: 900)
            try month.link.script("UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 40")
            try month.segment()
            let other = try month.variant([("arrears: {above: 3}", "arrears: {above: 4}")])
            let report = try PolicyWhatIf(month.link, period: PlannedMonth.march, policy: .file(other))
                .run(byDelegation: true)
            let delegations = try #require(report.delegations)
            let rows = delegations.flatMap(\.rows)

            #expect(delegations.map(\.delegation) == [9, 14])
            #expect(delegations.reduce(0) { $0 + $1.accounts } == report.accounts)
            for row in report.rows {
                let parts = rows.filter { $0.rule == row.rule }
                #expect(parts.reduce(0) { $0 + $1.accounts } == row.accounts)
                #expect(parts.reduce(0) { $0 + ($1.accountsNow ?? 0) } == row.accountsNow)
                #expect(parts.reduce(Int128(0)) { $0 + $1.overdue.centavos } == row.overdue.centavos)
            }
            let unplaced = delegations.flatMap(\.unplaced).reduce(0) { $0 + $1.accounts }
            #expect(unplaced > 0)
            #expect(unplaced == report.unplaced.reduce(0) { $0 + $1.accounts })
            #expect(delegations.flatMap(\.advisers).count == report.stations.count)
            #expect(try month.whatIf(other).delegations == nil)
        }
    }

    /// The fixture's contracts have 3 and 4 times ten advisers; with one each and 40 accounts, 9 is short by what is left.
    @Test func `a lack of advisers is told with the number and the delegation`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.link.script("UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 40")
            let report = try month.whatIf(month.policy)
            let station = try #require(report.stations.first { $0.delegation == 9 && $0.portfolio == "telephone" })
            let needed = try #require(station.needed)
            let name = try #require(Delegation(9)).name

            #expect(station.committed == 3)
            #expect(needed == (station.accounts + 39) / 40)
            #expect(
                report.lines.contains(
                    "short of \(needed - 3) telephone advisers in delegation 9 \(name): \(needed) needed, 3 committed"))
            try month.link.script("UPDATE contract_capacity SET committed_advisers = 1000")
            #expect(try month.whatIf(month.policy).lines.contains { $0.hasPrefix("enough in every delegation") })
        }
    }

    /// How long it took is for people: the same question gives the same bytes.
    @Test func `figures as JSON hold no time of the run`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let texts = try [
                JSONText.of(month.whatIf(month.policy)), JSONText.of(month.diff(.applied, .file(month.policy))),
                JSONText.of(month.segment()), JSONText.of(month.explain(1_400_005)),
            ]

            for text in texts {
                #expect(text.firstRange(of: "illisecond") == nil && text.firstRange(of: "took") == nil)
            }
        }
    }

    @Test func `it writes nothing, and says what cannot be compared`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let report = try month.whatIf(month.policy)

            #expect(try month.number("SELECT (SELECT count(*) FROM policy) + (SELECT count(*) FROM placement)") == 0)
            #expect(report.inForce == nil)
            #expect(report.notes.contains("not compared: 2024-03 has no placements"))
            #expect(report.lines.last?.hasPrefix("nothing was written; took ") == true)
        }
    }

    @Test func `a policy of a later date is tried, and its date told`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let coming = try month.variant([
                ("effective: 2022-04-01", "effective: 2024-04-01"), ("effective: 2022-11-01", "effective: 2024-05-01"),
                ("effective: 2023-05-01", "effective: 2024-06-01"), ("effective: 2023-12-01", "effective: 2024-07-01"),
            ])
            let report = try month.whatIf(coming)

            #expect(report.tried.version == "2022-04")
            #expect(report.notes.contains { $0.contains("in force from 2024-04-01, is only tried here") })
        }
    }

    @Test func `one version of a file can be named`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let older = PolicyChoice.Wish.version(month.policy, month.policy.versions[0])
            let report = try month.diff(older, .applied)

            #expect(report.old.version == "2022-04")
            #expect(report.new.version == "2023-12")
            #expect(!report.isSamePolicy)
            #expect(report.relief.contains { $0.relief == "shared-responsibility" && $0.oldAccounts == nil })
            #expect(report.notes.count == 1)
        }
    }

    @Test func `terms alone are told, and what no strategy takes apart from what owes nothing`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let terms = try month.whatIf(
                try month.variant([
                    ("term: 20 days\n    ceiling: 40 days\n", "term: 10 days\n    ceiling: 15 days\n")
                ]))
            let gap = try month.whatIf(try month.variant([("arrears: {above: 3}", "arrears: {above: 4}")]))
            let none = try #require(gap.rows.first { $0.rule == "none" })

            #expect(terms.terms.map(\.term) == ["term", "ceiling"])
            #expect(terms.terms.map(\.old) == ["20 days", "40 days"])
            #expect(terms.terms.allSatisfy { $0.strategy == "preventive" && $0.accounts > 0 })
            #expect(terms.lines.contains("held otherwise in the same strategy:"))
            #expect(gap.terms == [])
            #expect((none.lateNow, none.late > 0) == (0, true))
            let (nobody, nothing) = (Figure.grouped(none.late), Figure.grouped(none.accounts - none.late))
            #expect(gap.lines.contains { $0.hasPrefix("no strategy takes it ") && $0.contains(" \(nobody) ") })
            #expect(
                gap.lines.contains {
                    $0.hasPrefix("nothing to collect ") && $0.contains(" \(nothing) ") && $0.contains(" 0.00 ")
                })
        }
    }

    /// Contract 4 of the fixture is for preventive alone, 1 and 2 for mediation too; fonacot-pool has neither.
    @Test func `a strategy of contracts that goes empty is told by what-if and by segment`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            let idle = [
                "no account is placed in mediation, which contracts 1, 2 are for: nothing of it is dealt",
                "no account is placed in preventive, which contract 4 is for: nothing of it is dealt",
            ]
            let fonacot = try PolicyFile(text: ShippedPolicy.text("fonacot-pool"))
            let run = SegmentationRun(month.link, period: PlannedMonth.march, policy: fonacot)

            #expect(try month.whatIf(fonacot).notes.filter { $0.hasPrefix("no account is placed in ") } == idle)
            let report = try run.run()
            #expect(report.warnings == idle)
            #expect(idle.allSatisfy { report.lines.contains("warning: \($0)") })
            #expect(try run.run().warnings == idle)
            // Who takes no part misses nothing.
            try month.link.script("UPDATE contract SET ends_on = '2024-02-29' WHERE contract_id = 4")
            #expect(try run.run().warnings == [idle[0]])
            #expect(try month.segment().warnings == [])
            #expect(!(try month.whatIf(month.policy)).notes.contains { $0.hasPrefix("no account is placed in ") })
        }
    }

    /// Outside of a clone the shipped file is not there: nobody named it, so it is not to be found wrong.
    @Test func `segment without a policy asks for one where the shipped one is not`() throws {
        let path = Checkout.root + "/policies/infonavit-2023.yaml"
        let april = PlannedMonth.april

        #expect(try PolicyChoice.Wish.placing(nil, for: april, shipped: path).policy.version == "2023-12")
        let failure = #expect(throws: CommandFailure.self) {
            try PolicyChoice.Wish.placing(nil, for: april, shipped: "no-such/shipped.yaml")
        }
        #expect(failure?.exit == .usage)
        #expect(failure?.found == "no policy is named, and there is no no-such/shipped.yaml here")
        #expect(failure?.description.contains("--policy FILE") == true)
    }

    /// Later commands take the version in force on the first day, so a month cannot be placed by another one.
    @Test func `segment takes one version of a file where it is the month's own`() throws {
        let path = Checkout.root + "/policies/infonavit-2023.yaml"
        let april = PlannedMonth.april

        #expect(try PolicyChoice.Wish.placing(path, for: april).policy.version == "2023-12")
        #expect(try PolicyChoice.Wish.placing("\(path)@2023-12", for: april).policy.version == "2023-12")
        let older = #expect(throws: CommandFailure.self) {
            try PolicyChoice.Wish.placing("\(path)@2023-05", for: april)
        }
        #expect(older?.exit == .usage)
        #expect(
            older?.found.hasPrefix("2024-04 takes version 2023-12 of the policy, in force from 2023-12-01, ") == true)
        let unknown = #expect(throws: CommandFailure.self) { try PolicyChoice.Wish.placing("\(path)@2024", for: april) }
        #expect(unknown?.found.hasSuffix("has no version '2024'") == true)
    }

    @Test func `a broken policy is refused before the database is asked`() throws {
        let path = "no-such-policy.yaml"

        let failure = #expect(throws: CommandFailure.self) { try PolicyChoice.Wish(path) }
        #expect(failure?.exit == .usage)
        #expect(failure?.found == "the policy file no-such-policy.yaml cannot be read: No such file or directory")
    }
}
