// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

struct ContractImportTests {
    @Test func `contracts become agency, contract and capacity`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let row = try #require(
                try site.link.run(
                    "SELECT agency_id, strategies, exposure_factor_bp, rule_packs, bond FROM contract"
                ).first)

            #expect(row.int32(0) == 7)
            #expect(row.int16s(1) == [2, 3])
            #expect(row.int32(2) == 10_000)
            #expect(row.texts(3) == ["infonavit-2023"])
            #expect(row.int64(4) == 250_000_000)
            #expect(
                try site.count("contract_capacity WHERE committed_advisers = 12 AND accounts_per_adviser = 450") == 4)
            #expect(try site.count("agency WHERE name = 'Cobranza del Norte'") == 1)
        }
    }

    @Test func `a contract that is there takes the new terms`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(.contracts, ContractText.file([["bond": "1", "telephone_advisers": "3"]]))

            #expect(try site.count("contract WHERE bond = 100") == 1)
            #expect(
                try site.count(
                    "contract_capacity WHERE delegation_id = 14 AND portfolio = 1 AND committed_advisers = 3") == 1)
            #expect(try site.count("contract_capacity") == 4)
        }
    }

    @Test(arguments: ["2024-03", "2024-02"])
    func `contracts that come back after others are taken again`(period: String) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let first = ContractText.file([["bond": "1"]])
            let between = try #require(Period(text: period))
            try site.load(.contracts, first)
            try site.load(.contracts, ContractText.file([["bond": "2"]]), period: between)
            let again = try site.load(.contracts, first)
            let still = try site.load(.contracts, first)

            #expect(again.result == .imported)
            #expect(try site.count("contract WHERE bond = 100") == 1)
            #expect(still.result == .unchanged)
        }
    }

    @Test func `schedules that come back after others are read again`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            try site.load(.schedules, ScheduleText.file("fees-2022,fee,2022-11-01,FEE-11,dual.visit,90\n"))

            #expect(try site.load(.schedules, ScheduleText.file()).result == .imported)
            #expect(try site.load(.schedules, ScheduleText.file()).result == .unchanged)
        }
    }

    @Test(arguments: [
        (["zone": "10"], "zone: delegation 14 lies in zone 9 by the zone map"),
        (["delegation": "20"], "zone: the zone map lacks delegation 20; import zones first"),
        (["fee_schedule": "fees-none"], "fee_schedule: there is no fee schedule of that name; import schedules first"),
        (
            ["penalty_schedule": "fees-2022"],
            "penalty_schedule: there is no penalty schedule of that name; import schedules first"
        ),
        (["agency": "ACE08"], "agency: the contract is that of ACE07; it takes a number of its own for another agency"),
        (["agency": "AGY07"], "agency: is no agency; they are written ACE01 to ACE99999"),
        (["ends_on": "2022-10-31"], "ends_on: is before starts_on"),
        (
            ["capacity_basis": "comitted"],
            "capacity_basis: is none of `committed`, `present`; did you mean `committed`?"
        ),
        (
            ["strategies": "dual;legal"],
            "strategies: names `legal`, which is none of `preventive`, `administrative`, `dual`, `mediation`"
        ),
        (
            ["rule_packs": "infonavit-2023;fonacto"],
            "rule_packs: names `fonacto`, which is none of `fna`, `fonacot`, `infonavit-2023`, `fna-calls-of-cell`, `fna-third-from-first`; did you mean `fonacot`?"
        ),
        (
            ["rule_packs": "infonavit-2023;"],
            "rule_packs: must be one or more of `fna`, `fonacot`, `infonavit-2023`, `fna-calls-of-cell`, `fna-third-from-first`, separated by `;`"
        ),
        (["strategies": "dual;dual"], "strategies: names `dual` twice"),
        (
            ["exposure_factor": "1000.5"],
            "exposure_factor: is out of range; it must be 0.00 to 1000.00, two decimals at most"
        ),
    ])
    func `a contract that cannot be is refused`(changes: [String: String], reason: String) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let report = try site.load(.contracts, ContractText.file([changes]))

            #expect(report.result == .refused)
            #expect(report.badValues.map { "\($0.column): \($0.reason)" } == [reason])
        }
    }

    @Test func `rows of one contract agree in what is the contract's`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let report = try site.load(
                .contracts, ContractText.file([[:], ["delegation": "15", "bond": "9"]]))

            #expect(
                report.badValues == [
                    BadValue(
                        line: 3, column: "bond", value: "9", reason: "differs from line 2 of the same contract")
                ])
        }
    }

    @Test func `contract and delegation stand once`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let report = try site.load(.contracts, ContractText.file([[:], [:]]))

            #expect(report.badValues.map(\.reason).first == "the same contract and delegation is in line 3 too")
        }
    }

    @Test func `a value in force is not changed but followed`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            let changed = try site.load(
                .schedules, ScheduleText.header + "fees-2022,fee,2022-11-01,FEE-11,administrative.phone,13\n")
            let followed = try site.load(
                .schedules, ScheduleText.header + "fees-2022,fee,2024-01-01,FEE-11,administrative.phone,13\n")

            #expect(
                changed.badValues.map(\.reason) == [
                    "is 12.50 in force since 2022-11-01; a change needs a row with a later effective_on"
                ])
            #expect(followed.result == .imported)
            #expect(try site.count("schedule") == 5)
        }
    }

    @Test func `a schedule keeps its kind`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            let report = try site.load(.schedules, ScheduleText.header + "fees-2022,penalty,2024-01-01,PEN-02,rate,5\n")

            #expect(report.badValues.map(\.reason) == ["the schedule is of kind fee already"])
        }
    }

    @Test func `a closed period's values are not changed afterwards`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            try site.link.script("INSERT INTO period VALUES (202402, 'closed', now(), now())")
            let text = ScheduleText.header + "fees-2022,fee,2024-02-29,FEE-11,dual.visit,90\n"

            #expect(
                try site.load(.schedules, text).badValues.map(\.reason) == [
                    "period 2024-02 is closed; take a later day"
                ])
        }
    }

    @Test func `a rule that could not be charged is refused when it is loaded, not when the month closes`() async throws
    {
        try await ImportSite.with { site in
            let text =
                ScheduleText.header
                + "fines,penalty,2024-01-01,PEN-05,rate,5\nfines,penalty,2024-01-01,PEN-08,count,3\n"
                + "fines,penalty,2024-01-01,PEN-02,rate,5\nfines,penalty,2024-01-01,PEN-02,threshold,80\n"
                + "fines,penalty,2024-01-01,IVA,rate,16\n"
            let report = try site.load(.schedules, text)
            let good = try site.load(.schedules, text, acceptsGood: true)
            let rest = try site.load(
                .schedules,
                ScheduleText.header
                    + "fines,penalty,2024-01-01,PEN-05,rate,5\nfines,penalty,2024-01-01,PEN-05,threshold,30\n")

            #expect(
                report.badValues.map { "\($0.line) \($0.column): \($0.reason)" } == [
                    "2 rule: has no `threshold` in fines from 2024-01-01 on; add a row for it",
                    "3 rule: has no `months`, `rate` in fines from 2024-01-01 on; add a row for it",
                ])
            #expect(good.rowsGood == 3)
            #expect(rest.result == .imported)
        }
    }

    @Test func `a version of penalties without IVA is refused as a whole`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(
                .schedules, ScheduleText.header + "fines,penalty,2024-01-01,PEN-03,rate,2.5\n")

            #expect(
                report.badValues.map(\.reason) == ["has no IVA from 2024-01-01 on; add a row `IVA`, `rate`"])
        }
    }

    private static let short = ScheduleText.header + "penalties-248-2022,penalty,2024-04-01,IVA,rate,16\n"

    @Test(arguments: [false, true])
    func `a version that names fewer rules than the one before it is refused, with the rules`(isDry: Bool) async throws
    {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            let failure = try #require(throws: CommandFailure.self) {
                try site.load(.schedules, Self.short, dryRun: isDry)
            }

            #expect(
                failure.found
                    == "penalties-248-2022@2024-04-01 lacks PEN-02, which penalties-248-2022@2022-11-01 has; nothing was imported"
            )
            #expect(failure.remedy.contains("--fewer-rules") && failure.exit == .findings)
            #expect(try site.count("schedule") == 4)
        }
    }

    @Test func `rules end where that is said, and the report names them`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            let report = try site.load(.schedules, Self.short, acceptsFewerRules: true)
            // What ended before is not told again, nor does a version with more rules end any.
            let more = try site.load(
                .schedules,
                ScheduleText.header
                    + "penalties-248-2022,penalty,2024-04-01,PEN-03,rate,2.5\npenalties-248-2022,penalty,2024-05-01,IVA,rate,16\n"
                    + "penalties-248-2022,penalty,2024-05-01,PEN-03,rate,2.5\npenalties-248-2022,penalty,2024-05-01,PEN-06,rate,2\n"
                    + "penalties-248-2022,penalty,2024-05-01,PEN-06,threshold,80\n")

            #expect(report.lines.contains("  rules that end: 1"))
            #expect(
                report.lines.last
                    == "warning: schedules.csv:2: schedule `penalties-248-2022@2024-04-01`: lacks PEN-02, which "
                    + "penalties-248-2022@2022-11-01 has: they count no more from then on")
            #expect(more.result == .imported && more.warnings.isEmpty)
        }
    }

    /// A version between two others, with more rules than the later one.
    @Test func `a version that is put before another ends what that one lacks`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file() + ScheduleText.penalties("2024-06-01"))
            let failure = try #require(throws: CommandFailure.self) {
                try site.load(
                    .schedules,
                    ScheduleText.header
                        + ScheduleText.penalties("2024-03-01")
                        + "penalties-248-2022,penalty,2024-03-01,PEN-03,rate,2.5\n")
            }

            #expect(
                failure.found.hasPrefix(
                    "penalties-248-2022@2024-06-01 lacks PEN-03, which penalties-248-2022@2024-03-01 has"))
        }
    }

    @Test func `what the shipped schedules hold can be charged`() async throws {
        try await ImportSite.with { site in
            let path = Checkout.root + "/policies/schedules.csv"
            var run = ImportRun(.schedules, path: path, period: ImportSite.march)
            run.badRowsPath = site.folder + "/bad.csv"
            let report = try run.run(on: site.link)

            #expect(report.result == .imported)
        }
    }

    @Test func `a contract needs schedules that are in force in its first month`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(
                .schedules, ScheduleText.header + "late,fee,2024-03-02,FEE-11,administrative.phone,12.50\n")
            let running = try site.load(.contracts, ContractText.file([["contract": "32", "fee_schedule": "late"]]))
            let coming = try site.load(
                .contracts,
                ContractText.file([["contract": "32", "fee_schedule": "late", "starts_on": "2024-04-15"]]))

            #expect(
                running.badValues.map { "\($0.column): \($0.reason)" } == [
                    "fee_schedule: has no version in force on 2024-03-01, when the contract's first month begins, only "
                        + "from 2024-03-02 on; import the one before, or correct starts_on"
                ])
            #expect(coming.result == .imported)
        }
    }

    @Test func `schedules that are there already change nothing`() async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, ScheduleText.file())
            let report = try site.load(.schedules, ScheduleText.file("fees-2022,fee,2022-11-01,FEE-11,dual.visit,90\n"))

            #expect(report.lines.contains("  values added: 1"))
            #expect(report.lines.contains("  values already there: 4"))
        }
    }

    @Test func `a zone is not taken from under a contract`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let report = try site.load(.zones, "zone,delegation\n10,14\n")

            #expect(report.badValues.map(\.reason) == ["contract 31 works in delegation 14 for zone 9"])
        }
    }

    @Test func `the zone map says which delegations it lacks`() async throws {
        try await ImportSite.with { site in
            let report = try site.load(.zones, "zone,delegation\n9,14\n9,15\n")

            #expect(report.lines.contains("  delegations without a zone: 30"))
        }
    }

    /// Rows of FEE-01 of one schedule from 2024-04-01 on.
    private func scale(_ ranges: [String], minimum: Bool = true) -> String {
        ScheduleText.header
            + ((minimum ? ["minimum"] : []) + ranges).map { "bands,fee,2024-04-01,FEE-01,\($0),5\n" }.joined()
    }

    @Test(
        arguments: [
            (["0-50", "51-60"], true, []),
            (
                ["0-50", "50-60"], true,
                ["50-60: overlaps `0-50` of the same version", "0-50: overlaps `50-60` of the same version"]
            ),
            (["0-50", "52-60"], true, ["52-60: begins with 52, and no range of FEE-01 ends with 51"]),
            (["1-50"], true, ["1-50: begins with 1, and no range of FEE-01 ends with 0"]),
            (["0-50"], false, ["0-50: has no `minimum` beside it; add a row for it"]),
            ([], true, ["minimum: is a minimum without a range; add rows such as `0-50`"]),
        ] as [([String], Bool, [String])])
    func `ranges of a scale follow one another, neither overlapping nor with a gap`(
        ranges: [String], minimum: Bool, reasons: [String]
    ) async throws {
        try await ImportSite.with { site in
            let report = try site.load(.schedules, scale(ranges, minimum: minimum))
            let found = report.badValues.map { "\($0.value): \($0.reason)" }

            #expect(report.result == (reasons.isEmpty ? .imported : .refused))
            #expect(reasons.allSatisfy(found.contains), "\(found)")
            #expect(found.isEmpty == reasons.isEmpty)
        }
    }

    @Test(arguments: [
        ("51-60", nil), ("50-60", "overlaps `0-50` of the same version"),
        ("61-70", "begins with 61, and no range of FEE-01 ends with 60"),
    ])
    func `a range is held to those that are loaded, too`(range: String, reason: String?) async throws {
        try await ImportSite.with { site in
            try site.load(.schedules, scale(["0-50"]))
            let report = try site.load(.schedules, ScheduleText.header + "bands,fee,2024-04-01,FEE-01,\(range),6\n")

            #expect(report.badValues.map(\.reason) == (reason.map { [$0] } ?? []))
        }
    }

    /// A month takes the version of its first day.
    @Test(
        arguments: [
            ("2024-04-10", "2024-04-20", true), ("2024-04-10", "2024-05-01", true), ("2024-04-10", "2024-05-02", false),
            ("2024-04-01", "2024-04-02", false),
        ])
    func `a version that another one begins before is never in force, and refused`(
        first: String, second: String, isRefused: Bool
    ) async throws {
        try await ImportSite.with { site in
            func row(_ day: String) -> String { "turns,fee,\(day),FEE-11,dual.visit,5\n" }
            let together = try site.load(.schedules, ScheduleText.header + row(first) + row(second))

            #expect(
                together.badValues.map(\.reason)
                    == (isRefused
                        ? [
                            "is never in force: turns has a version from \(second) on, before a month begins with this one"
                        ] : []))
            try site.load(.schedules, ScheduleText.header + row(second))
            #expect(try site.load(.schedules, ScheduleText.header + row(first)).badValues.isEmpty != isRefused)
        }
    }
}
