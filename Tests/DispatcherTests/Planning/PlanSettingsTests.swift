// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

struct PlanSettingsTests {
    @Test func `a file says everything that can be decided`() throws {
        let settings = try PlanSettingsFile(
            text: """
                settings: mine
                agency_cap: 40 %
                rotation: 2 periods
                keep_together: no
                search: [ACE07]
                strata: [band, employment]
                persons: 2
                weights: {1: 5, 2: 2}
                shares:
                  - {delegations: [9], strategies: [dual], fixed: {1: 66.67 %, 2: 33.33 %}}
                  - {strategies: [preventive], scorecard: {period: 2024-02, change: 10 %, floor: 5 %}}
                  - arms: [{arm: 1, share: 70 %, contracts: [1]}, {arm: 2, share: 30 %, contracts: [2, 3]}]
                bans:
                  - {portfolio: home-visit, packs: [fna], delegations: [9]}
                  - {portfolio: home-visit, municipalities: [14001]}
                shared: [{delegations: [9], strategies: [dual]}]
                pick: [{delegations: [9]}, {strategies: [preventive]}]
                """
        ).settings

        #expect(settings.name == "mine" && settings.persons == 2 && settings.rotationPeriods == 2)
        #expect(settings.agencyCap?.value == 4_000 && !settings.keepsTogether)
        #expect(settings.searchAgencies.map(\.description) == ["ACE07"])
        #expect(settings.strata == [.band, .employment] && settings.weights == [1: 5, 2: 2])
        #expect(settings.shares.count == 3)
        let key = TargetKey(delegation: Delegation.all[8], strategy: .dual)
        #expect(settings.sharedKeys == [key] && settings.isShared(key) && settings.isPicked(key))
        #expect(!settings.isPicked(TargetKey(delegation: Delegation.all[13], strategy: .dual)))
        #expect(settings.isPicked(TargetKey(delegation: Delegation.all[13], strategy: .preventive)))
        #expect(settings.bannedMunicipalities == [.homeVisit: [14_001]])
        let station = Station(delegation: Delegation.all[8], portfolio: .homeVisit)
        #expect(settings.isBanned(station, packs: ["fna"]) && !settings.isBanned(station, packs: ["infonavit-2023"]))
    }

    @Test(
        arguments: [
            ("setings: x", "'setings'"), ("settings: x\nrotation: 13 periods", "'13 periods'"),
            ("settings: x\npersons: 3", "'3'"), ("settings: x\nagency_cap: 101 %", "'101 %'"),
            ("settings: x\nshares: [{equal: yes, fixed: {1: 5 %}}]", "equal and fixed"),
            ("settings: x\nshares: [{delegations: [33], equal: yes}]", "'33'"),
            ("settings: x\nshares: [{scorecard: {floor: 5 %, change: 21 %}}]", "'21 %'"),
            ("settings: x\nbans: [{portfolio: telephone}]", "no place"), ("settings: x\nstrata: [age]", "'age'"),
            ("settings: x\nshared: [{strategies: [x]}]", "'x'"),
            ("settings: x\nweights: {1: 1, 2: 5}", "class 2 that weighs 5, and class 1 above it 1"),
            (
                "settings: x\nshares: [{arms: [{arm: 1, share: 70 %, contracts: [1]}, {arm: 2, share: 30.01 %, contracts: [2]}]}]",
                "arms that add up to 100.01 %"
            ),
            (
                "settings: x\nshares: [{arms: [{arm: 1, share: 70 %, contracts: [1]}, {arm: 2, share: 30 %, contracts: [1]}]}]",
                "contract 1 twice"
            ),
            (
                "settings: x\nshares: [{arms: [{arm: 1, share: 50 %, contracts: [1]}]}]\nshared: [{delegations: [9]}]",
                "shared hands and arms, in delegation 9"
            ),
        ])
    func `a fault names its place, what was found and what would be right`(text: String, found: String) {
        let faults = #expect(throws: PolicyFaults.self) { try PlanSettingsFile(text: text) }

        #expect(faults?.list.contains { $0.found.contains(found) && $0.line > 0 && !$0.expected.isEmpty } == true)
    }

    @Test func `shares, bans and caps of the settings decide a plan`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let plain = try month.plan().preview()
            let fixed = try month.preview(
                "shares: [{delegations: [9], strategies: [administrative], fixed: {1: 75 %, 2: 25 %}}]")
            let banned = try month.preview("bans: [{portfolio: home-visit, municipalities: [9001]}]")
            let capped = try month.preview("agency_cap: 10 %")
            let arms = try month.preview(
                "shares: [{delegations: [9], strategies: [dual], arms: [{arm: 1, share: 60 %, contracts: [1]}, {arm: 2, "
                    + "share: 40 %, contracts: [2]}]}]")

            // 75 and 25 % of every administrative pool there, to the account.
            for pool in fixed.pools where pool.delegation == 9 && pool.strategy == "administrative" {
                let quotas = Dictionary(uniqueKeysWithValues: pool.quotas.map { ($0.contract, $0.accounts) })
                #expect(abs((quotas[1] ?? 0) * 4 - pool.accounts * 3) <= 4)
                #expect((quotas[1] ?? 0) + (quotas[2] ?? 0) == pool.accounts)
            }
            let visits = banned.pools.filter { $0.delegation == 9 && $0.portfolio == "home-visit" }
            #expect(!visits.isEmpty)
            #expect(visits.allSatisfy { $0.quotas.isEmpty || $0.quotas.allSatisfy { $0.accounts == 0 } })
            #expect(
                banned.unassigned.map(\.reason) == ["ban"]
                    && banned.accounts - banned.assigned == visits.reduce(0) { $0 + $1.accounts })
            for agency in ["ACE01", "ACE02", "ACE04"] {
                let mine = capped.pools.flatMap(\.quotas).filter { $0.agency == agency }
                #expect(mine.reduce(0) { $0 + $1.accounts } <= capped.accounts / 10)
            }
            #expect(capped.unassigned.contains { $0.reason == "cap" })
            let dual = arms.pools.filter { $0.delegation == 9 && $0.strategy == "dual" }.flatMap(\.quotas)
            #expect(Set(dual.map { "\($0.contract) \($0.arm)" }) == ["1 1", "2 2"])
            #expect(plain.digest != fixed.digest && plain.unassigned.allSatisfy { $0.reason != "ban" })
        }
    }

    @Test func `what cannot be meant is refused or told, with its numbers`() async throws {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let above = #expect(throws: CommandFailure.self) {
                try month.preview(
                    "shares: [{delegations: [9], strategies: [dual], fixed: {1: 60 %, 2: 40.01 %}}]")
            }
            #expect(above?.description.contains("delegation 9, dual, add up to 100.01 %") == true)
            #expect(above?.exit == .usage)
            // 100 % exactly is fine, and so is a rule for everywhere that names contracts of different places.
            #expect(throws: Never.self) {
                try month.preview("shares: [{strategies: [administrative], fixed: {1: 60 %, 2: 40 %, 4: 50 %}}]")
            }

            try month.link.script(
                "UPDATE contract_capacity SET committed_advisers = 0 WHERE contract_id = 2 AND delegation_id = 9")
            let unstaffed = try month.preview(
                "shares: [{delegations: [9], strategies: [dual], fixed: {1: 60 %, 2: 40 %, 3: 1 %}}]")
            // Nothing of dual is worked by telephone there.
            let missing = unstaffed.warnings.filter { $0.contains("adviser there") }
            #expect(
                missing == ["contract 2 of ACE02 has a target of 40 % in delegation 9 and no home-visit adviser there"])
            #expect(
                unstaffed.warnings.contains(
                    "contract 3 has a share of dual in delegation 9 and does not work dual there: it gets nothing"))
            try month.link.script("UPDATE contract SET bond = 1 WHERE contract_id = 3")
            #expect(try month.plan().preview().warnings.contains { $0.contains("the bond of contract 3") })
        }
    }

    @Test func `shares by scorecard follow the points of the latest closed month, a fifth a month at most`()
        async throws
    {
        try await PlannedMonth.with { month in
            try month.addCut()
            try month.segment()
            let rule = "shares: [{delegations: [9], strategies: [dual], scorecard: {floor: 5 %}}]"
            let unscored = try month.preview(rule)
            #expect(
                unscored.warnings.contains(
                    "no closed month has scores: shares by scorecard go towards equal ones there, by the change a month that is set"
                ))
            #expect(Set(unscored.shares(of: 1, "dual", in: 9)) == ["50 %"])
            try month.addScores([(2024_01, "closed", 1, 300), (2024_01, "closed", 2, 100), (2024_02, "open", 1, 0)])
            let first = try month.preview(rule)
            #expect(Set(first.shares(of: 1, "dual", in: 9)) == ["75 %"])

            // Last month's shares were equal, so three quarters are out of reach at once.
            _ = try month.plan().apply()
            try month.openPeriod(PlannedMonth.april)
            try month.addCut(PlannedMonth.april)
            try month.segment(PlannedMonth.april)
            let second = try month.preview(rule, PlannedMonth.april)
            let share = try #require(second.shares(of: 1, "dual", in: 9).first)
            #expect(share.hasPrefix("59.") || share == "60 %", "\(share)")

            // Nobody there has points: nothing tells them apart, and the number of a contract does not either.
            try month.link.script("UPDATE score SET points = 0")
            let pointless = try month.preview(rule, PlannedMonth.april)
            #expect(Set(pointless.shares(of: 1, "dual", in: 9)) == ["50 %"])
            #expect(pointless.warnings.contains { $0.hasPrefix("there are no scores of 2024-01 in delegation 9: ") })
        }
    }

    @Test func `of several settings for one month the last one counts, and the list says so`() async throws {
        try await PlannedMonth.with { month in
            let book = PlanSettingsBook(month.link)
            func put(_ name: String, _ period: Period) throws {
                _ = try book.put(try PlanSettingsFile(text: "settings: \(name)\n"), from: period, by: "ana")
            }
            try put("one", PlannedMonth.march)
            #expect(try book.replaced(from: PlannedMonth.march) == nil)
            try put("two", PlannedMonth.march)
            try put("three", PlannedMonth.april)

            let lines = try book.history()
            #expect(lines.map { $0.replacedBy?.split(separator: ",").first.map(String.init) } == ["two", nil, nil])
            #expect(lines[0].text.contains("; replaced by two, ") && !lines[1].text.contains("replaced"))
            #expect(try book.replaced(from: PlannedMonth.march)?.settings == "one")
            #expect(try book.replaced(from: PlannedMonth.april) == nil)
            #expect(try book.inForce(PlannedMonth.march).settings.name == "two")
        }
    }

    @Test func `settings count from their month on, and not under a plan that is applied`() async throws {
        try await PlannedMonth.with { month in
            let book = PlanSettingsBook(month.link)
            let file = try PlanSettingsFile(text: "settings: mine\nstrata: [balance, probability]\n")
            #expect(try book.put(file, from: PlannedMonth.april, by: "ana"))
            #expect(try !book.put(file, from: PlannedMonth.april, by: "ana"))
            #expect(try book.inForce(PlannedMonth.march) == .standard)
            #expect(try book.inForce(PlannedMonth.april) == file)
            #expect(try book.put(file, from: PlannedMonth.march, by: "ana"))
            try month.addCut()
            try month.segment()
            let applied = try month.plan().apply()
            #expect(applied.settings == "mine")
            // Strata by tactic, balance and probability: the traits are in the bits that stand for them.
            #expect(try month.number("SELECT count(*) FROM position WHERE (stratum >> 8) & 15 = 0") == 0)
            #expect(try month.number("SELECT count(*) FROM position WHERE (stratum >> 12) & 15 <> 0") == 0)
            let other = try PlanSettingsFile(text: "settings: other")
            #expect(throws: CommandFailure.self) { try book.put(other, from: PlannedMonth.march, by: "ana") }
            #expect(try book.history().map(\.settings) == ["mine", "mine"])
        }
    }

    @Test func `a later month's plan that is being dealt, or was stopped, stands in the way as an applied one does`()
        async throws
    {
        try await PlannedMonth.with { month in
            let book = PlanSettingsBook(month.link)
            let file = try PlanSettingsFile(text: "settings: mine")
            try month.addCut()
            try month.segment()
            try month.openPeriod(PlannedMonth.april)
            try month.link.script(
                "INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at) "
                    + "VALUES (202404, 'dealing', 1, '', '', now_instant())")

            let put = #expect(throws: CommandFailure.self) {
                try book.put(file, from: PlannedMonth.march, by: "ana")
            }
            #expect(put?.exit == .usage && put?.remedy.contains("plan discard --period 2024-04") == true)
            let apply = #expect(throws: CommandFailure.self) { try month.plan().apply() }
            #expect(apply?.found.hasSuffix("of 2024-04 is dealing already") == true)
            #expect(try month.plan(PlannedMonth.april).discard() != nil)
            #expect(try book.put(file, from: PlannedMonth.march, by: "ana"))
            #expect(try month.plan().apply().dealt != nil)
        }
    }
}

extension PlannedMonth {
    /// A preview by settings of these lines.
    func preview(_ lines: String, _ period: Period = march) throws -> PlanReport {
        let file = try PlanSettingsFile(text: "settings: tried\n\(lines)\n")
        return try PlanRun(link, period: period, settings: file).preview()
    }

    func addScores(_ scores: [(period: Int32, state: String, contract: Int32, points: Int32)]) throws {
        for score in scores {
            try link.run(
                """
                INSERT INTO period (period, state, opened_at) VALUES ($1, $2, now_instant()) ON CONFLICT DO NOTHING
                """, [.int32(score.period), .text(score.state)])
            try link.run(
                """
                INSERT INTO score SELECT $1, 9, $2, $3, max(import_id) FROM import
                """, [.int32(score.period), .int32(score.contract), .int32(score.points)])
        }
    }
}

extension PlanReport {
    /// The targets of a contract in the pools of one strategy, in percent.
    func shares(of contract: Int32, _ strategy: String, in delegation: Int16) -> [String] {
        pools.filter { $0.strategy == strategy && $0.delegation == delegation }.flatMap(\.quotas)
            .filter { $0.contract == contract }.map(\.targetShare)
    }
}
