// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// A month is closed by the terms that its contracts had in it (AGY-04), whatever was imported since.
struct ClosingTermsTests {
    private let march = ImportSite.march
    private var april: Period { march.advanced(byMonths: 1) }

    /// Contract 31 of ACE07 in delegations 14 and 15, and from April on other terms; the clock stands in May.
    private func with(_ body: (ImportSite) throws -> Void) async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            try site.load(
                .schedules,
                ScheduleText.header + "fees-2024,fee,2024-01-01,FEE-11,administrative.phone,99\n"
                    + ScheduleText.penalties("2024-01-01").replacing("penalties-248-2022", with: "penalties-2024"))
            try body(site)
        }
    }

    private static func changed(_ changes: [String: String] = [:]) -> String {
        ContractText.file(
            ["14", "15"].map { delegation in
                [
                    "delegation": delegation, "strategies": "dual;administrative", "fee_schedule": "fees-2024",
                    "penalty_schedule": "penalties-2024", "agency_name": "Otro Nombre", "number": "CT-031/2024",
                    "bond": "7.00",
                    "accounts_per_telephone_adviser": "10",
                ].merging(changes) { $1 }
            })
    }

    private func document(_ site: ImportSite, _ period: Period) throws -> StatementDocument {
        try StatementDocument(try MonthClosing(site.link, period: period).preview().statements[0].body)
    }

    private func perAdviser(_ site: ImportSite, _ period: Period) throws -> Set<Int32> {
        try site.link.transaction {
            let store = try ClosingStore(site.link, period: period) { _ in }
            return Set(try store.capacity().filter { $0.portfolio == 1 }.map(\.accountsPerAdviser))
        }
    }

    @Test func `terms of a later month leave those of an earlier one as they were`() async throws {
        try await with { site in
            try site.load(.contracts, Self.changed(), period: april)
            let (before, after) = (try document(site, march), try document(site, april))

            #expect(before.feeSchedule == "fees-2022@2022-11-01")
            #expect(before.penaltySchedule == "penalties-248-2022@2022-11-01")
            #expect(before.agencyName == "Cobranza del Norte")
            #expect(before.number == "CT-031/2022")
            #expect(try perAdviser(site, march) == [450])
            #expect(after.feeSchedule == "fees-2024@2024-01-01")
            #expect(after.penaltySchedule == "penalties-2024@2024-01-01")
            #expect(after.agencyName == "Otro Nombre")
            #expect(after.number == "CT-031/2024")
            #expect(try perAdviser(site, april) == [10])
            #expect(try perAdviser(site, april.advanced(byMonths: 7)) == [10])
            #expect(try perAdviser(site, march.advanced(byMonths: -9)) == [450])
        }
    }

    @Test func `a closed month closes to the same bytes after later terms came in`() async throws {
        try await with { site in
            try site.link.script("UPDATE clock SET virtual_now = '2024-04-10T06:00:00Z'")
            let closing = MonthClosing(site.link, period: march)
            #expect(try closing.close(evenIfEmpty: true).result == .closed)
            try site.load(.contracts, Self.changed(), period: april)

            #expect(try closing.close(evenIfEmpty: true).result == .identical)
        }
    }

    @Test func `a closed month closes to the same bytes after a delegation and a contract of a later month came in`()
        async throws
    {
        try await with { site in
            try site.link.script("UPDATE clock SET virtual_now = '2024-04-10T06:00:00Z'")
            let closing = MonthClosing(site.link, period: march)
            #expect(try closing.close(evenIfEmpty: true).result == .closed)
            try site.load(.zones, "zone,delegation\n9,14\n9,15\n9,16\n10,9\n", period: april)
            let rows = ["14", "15", "16"].map { ["delegation": $0, "strategies": "dual;administrative"] }
            try site.load(
                .contracts, ContractText.file(rows + rows.map { $0.merging(["contract": "32"]) { $1 } }), period: april)

            #expect(try closing.close(evenIfEmpty: true).result == .identical)
            let statements = try MonthClosing(site.link, period: april).preview().statements
            #expect(
                try statements.map { try StatementDocument($0.body).sections.compactMap(\.delegation) }
                    == [[14, 15, 16], [14, 15, 16]])
        }
    }

    @Test(arguments: ["dealt", "supervised"])
    func `a contract that a later month's file brought is in the month in which it was dealt accounts or supervised`(
        way: String
    ) async throws {
        try await with { site in
            let rows = ["14", "15"].map { ["contract": "32", "delegation": $0, "strategies": "dual;administrative"] }
            try site.load(.contracts, ContractText.file(rows), period: april)
            #expect(try MonthClosing(site.link, period: march).preview().statements.map(\.contract) == [31])
            try site.link.script(
                way == "dealt"
                    ? """
                    INSERT INTO plan (period, state, seed, segmentation_digest, digest, made_at)
                    VALUES (202403, 'applied', 1, '', '', '2024-03-01');
                    INSERT INTO hand VALUES (14, 1, '{32}', 2, 1, 202403, 1, false, 'open', 10, 30, 60, 0, 0, '');
                    """
                    : """
                    INSERT INTO fact (period, fact_id, kind, contract_id, delegation_id, on_date, portfolio, value, import_id)
                    VALUES (202403, 'S', 'staffing', 32, 14, '2024-03-29', 1, '3', 1);
                    """)
            #expect(try MonthClosing(site.link, period: march).preview().statements.map(\.contract) == [31, 32])
        }
    }

    @Test func `terms are corrected within their month, and one that goes back leaves later ones alone`() async throws {
        try await with { site in
            try site.load(.contracts, Self.changed(), period: april)
            try site.load(.contracts, Self.changed(["agency_name": "Tercer Nombre", "bond": "8.00"]), period: april)
            try site.load(.contracts, Self.changed(["agency_name": "De Marzo", "bond": "9.00"]), period: march)

            #expect(try document(site, april).agencyName == "Tercer Nombre")
            #expect(try document(site, march).agencyName == "De Marzo")
            // What everything else reads is the latest month's.
            #expect(try site.count("contract WHERE bond = 800") == 1)
            #expect(try site.count("agency WHERE name = 'Tercer Nombre'") == 1)
            #expect(try site.count("contract_capacity WHERE portfolio = 1 AND accounts_per_adviser = 10") == 2)
        }
    }

    @Test func `a contract of before terms were kept keeps those that it had`() async throws {
        try await with { site in
            try site.link.script("TRUNCATE contract_term, capacity_term, agency_term")
            #expect(try document(site, march).feeSchedule == "fees-2022@2022-11-01")
            try site.load(.contracts, Self.changed(), period: april)

            #expect(try document(site, march).feeSchedule == "fees-2022@2022-11-01")
            #expect(try perAdviser(site, march) == [450])
            #expect(try document(site, april).feeSchedule == "fees-2024@2024-01-01")
        }
    }

    @Test
    func `a contract that its budget ended has no statement of later months, until another fee schedule (AGY-15)`()
        async throws
    {
        try await with { site in
            let june = march.advanced(byMonths: 3)
            func contracts(_ months: Int) throws -> Int {
                let period = march.advanced(byMonths: months)
                try site.link.run(
                    "INSERT INTO period VALUES ($1, 'open', '2024-01-01', NULL, NULL) ON CONFLICT DO NOTHING",
                    [.int32(period.number)])
                return try MonthClosing(site.link, period: period).preview().statements.count
            }
            func same(_ period: Period) throws {
                try site.load(
                    .contracts,
                    ContractText.file(
                        ["14", "15"].map {
                            ["delegation": $0, "strategies": "dual;administrative", "number": "CT-\(period)"]
                        }), period: period)
            }
            try site.link.script("UPDATE clock SET virtual_now = '2024-04-10T18:00:00Z'")
            #expect(try (0...2).map(contracts) == [1, 1, 1])
            try PeriodStore(site.link, period: march).end([31])
            // It was in force in the month in which it ended.
            #expect(try (0...3).map(contracts) == [1, 1, 0, 0])

            // The same schedule again, with other terms, changes nothing about it.
            try same(march)
            try same(june)
            #expect(try (0...3).map(contracts) == [1, 1, 0, 0])
            try site.load(.contracts, Self.changed(), period: june)
            #expect(try (0...3).map(contracts) == [1, 1, 0, 1])
            #expect(try site.count("contract WHERE spent_on IS NULL AND ends_on > '2024-06-30'") == 1)

            // The ended schedule is that of earlier terms alone by now, and stays ended: in its month, and where it comes back.
            try same(march)
            #expect(try (0...3).map(contracts) == [1, 1, 0, 1])
            try same(june.advanced(byMonths: 1))
            #expect(try (0...4).map(contracts) == [1, 1, 0, 1, 0])
            #expect(try site.count("contract WHERE spent_on = '2024-04-10' AND ends_on = '2024-04-10'") == 1)
        }
    }

    @Test func `a renewal under the same schedule begins on its day, and ends by a close of its own (AGY-15)`()
        async throws
    {
        try await with { site in
            let june = march.advanced(byMonths: 3)
            func renew(_ number: String) throws {
                try site.load(
                    .contracts,
                    ContractText.file(
                        ["14", "15"].map {
                            [
                                "delegation": $0, "strategies": "dual;administrative", "number": number,
                                "starts_on": "2024-06-01",
                            ]
                        }), period: june)
            }
            func left(_ day: String?) throws -> Bool {
                let last =
                    day.map { "spent_on = '\($0)' AND ends_on = '\($0)'" }
                    ?? "spent_on IS NULL AND ends_on > '2024-06-30'"
                let isRenewal = "starts_on = '2024-06-01' AND \(last)"
                return try site.count("contract WHERE \(isRenewal)") == 1
                    && site.count("contract_term WHERE period = 202406 AND \(isRenewal)") == 1
            }
            try renew("CT-1")
            try site.link.script("UPDATE clock SET virtual_now = '2024-04-10T18:00:00Z'")
            try PeriodStore(site.link, period: march).end([31])
            #expect(try left(nil))
            #expect(
                try site.count("contract_term WHERE period < 202406 AND ends_on = '2024-04-10' AND spent_on = ends_on")
                    == 1)
            try renew("CT-2")
            #expect(try left(nil))

            try site.link.script("UPDATE clock SET virtual_now = '2024-07-05T18:00:00Z'")
            try PeriodStore(site.link, period: june).end([31])
            #expect(try left("2024-07-05"))
            try renew("CT-3")
            #expect(try left("2024-07-05"))
        }
    }

    @Test func `a contract that goes on by another schedule already is not ended`() async throws {
        try await with { site in
            try site.load(.contracts, Self.changed(), period: april)
            try site.link.script("UPDATE clock SET virtual_now = '2024-04-10T18:00:00Z'")
            try PeriodStore(site.link, period: march).end([31])

            #expect(try site.count("contract WHERE spent_on IS NULL AND ends_on > '2024-06-30'") == 1)
            #expect(try document(site, april).feeSchedule == "fees-2024@2024-01-01")
        }
    }

    @Test func `the same terms again add nothing`() async throws {
        try await with { site in
            let kept = try site.count("contract_term") + site.count("capacity_term") + site.count("agency_term")
            try site.load(
                .contracts,
                ContractText.file(["14", "15"].map { ["delegation": $0, "strategies": "dual;administrative"] }),
                period: april)

            #expect(try site.count("contract_term") + site.count("capacity_term") + site.count("agency_term") == kept)
        }
    }
}
