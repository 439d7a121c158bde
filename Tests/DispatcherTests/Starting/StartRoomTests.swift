// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// How many starts of one file find room: 900016 waits in the preventive hand of contract 4, whose quota is dealt to its last
/// account, and nobody has 900014.
struct StartRoomTests {
    private static let dealt = "dealt into front hands"
    private static let noQuota = "unassigned, no quota is left"

    // Transferred since dictámenes are issued: with the judicial segment.
    @Test(arguments: [false, true])
    func `what its start excludes makes room for another of the same file, whether it waited or was held`(
        isHeld: Bool
    ) async throws {
        try await StartedMonth.with { month in
            let (hand, account) = try month.firstPreventive()
            if isHeld { try month.month.lease(hand: hand, accounts: 1) }
            let report = try month.start(
                "\(account),9,missed-payment,2024-03-11,2023-01-15", "900014,9,job-loss,2024-03-11,",
                "900028,9,job-loss,2024-03-11,", columns: ",judicial_on")

            #expect(report.count("excluded") == 1)
            #expect(report.count("of them held and recalled") == (isHeld ? 1 : 0))
            // For one, and not for two.
            #expect(report.count(Self.dealt) == 1)
            #expect(report.count(Self.noQuota) == 1)
            #expect(try month.broken() == [])
        }
    }

    @Test func `what goes to the front makes no room`() async throws {
        try await StartedMonth.with { month in
            let report = try month.start(
                "900016,9,missed-payment,2024-03-11,9900.00", "900014,9,job-loss,2024-03-11,", columns: ",overdue")

            #expect(report.count("moved to the front of the hands where they waited") == 1)
            #expect(report.count(Self.noQuota) == 1)
            #expect(try month.fate(900_014) == "quota")
        }
    }

    @Test func `what waits in a front hand already makes no room`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            try month.start("900014,9,job-loss,2024-03-11")
            let report = try month.start("900014,9,job-loss,2024-03-10", "900028,9,job-loss,2024-03-11")

            #expect(report.count("waiting in front hands already") == 1)
            #expect(report.count(Self.noQuota) == 1)
        }
    }

    /// Adding it up takes the longer the more waits in all, and nobody can draw from a hand that is locked.
    @Test(.timeLimit(.minutes(2))) func `room is added up before any hand is locked`() async throws {
        try await StartedMonth.with { month in
            let path = "\(month.folder)/room.csv"
            let rows = "900016,9,missed-payment,2024-03-11,9900.00\n900014,9,job-loss,2024-03-11,\n"
            try Data("\(StartedMonth.header),overdue\n\(rows)".utf8).write(to: URL(filePath: path))
            let mine = try month.database.link()
            let other = try month.database.link()
            try other.script("BEGIN; SELECT FROM hand WHERE delegation_id = 9 FOR UPDATE")
            async let report = Task.detached {
                try ImportRun(.starts, path: path, period: PlannedMonth.march).run(on: mine)
            }.value
            #expect(try await month.waits(1))
            // What comes while it waits for the hands is too late for it.
            try month.link.script("UPDATE quota SET limit_accounts = limit_accounts + 1 WHERE contract_id = 4")
            try other.script("COMMIT")

            #expect(try await report.count(Self.noQuota) == 1)
            #expect(try month.fate(900_016) == "dealt")
            let again = try month.start("900014,9,job-loss,2024-03-10")
            #expect(again.count(Self.dealt) == 1)
        }
    }
}
