// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import PgStore
import Testing

/// What `report starts` says is true when it is printed.
struct StartListTests {
    private func line(_ month: StartedMonth, _ account: Int64) throws -> [String] {
        let list = try StartList(month.link, period: PlannedMonth.march)
        let words = list.lines.first { $0.contains("\(account)") }?.split(separator: " ").map(String.init) ?? []
        return Array(words.dropFirst(4))
    }

    @Test func `a start that was dealt is told with what came after`() async throws {
        try await StartedMonth.with { month in
            try month.makeRoom(1)
            try month.start("900014,9,job-loss,2024-03-11")
            let waiting = try line(month, 900_014)
            let hand = Int32(try month.number("SELECT hand_id::bigint FROM hand WHERE is_front"))
            try month.month.lease(hand: hand, accounts: 1)
            let held = try line(month, 900_014)
            try month.giveBack(900_014, reason: "unlocatable")
            let back = try line(month, 900_014)
            try month.stop("900014,9,,dispute,2024-03-12,")
            let stopped = try line(month, 900_014)

            let done = ["preventive.agreements-50", "dealt", "4294967297", "4"]
            #expect(waiting == done + ["waiting", "4"])
            #expect(held == done + ["held", "4"])
            #expect(back == done + ["unassigned"])
            #expect(stopped == done + ["stopped"])
        }
    }

    @Test func `a start without room is unassigned, until somebody has it`() async throws {
        try await StartedMonth.with { month in
            try month.start("900014,9,job-loss,2024-03-11")
            let before = try line(month, 900_014)
            try month.makeRoom(1)
            _ = try month.redeal(.leftOver)
            let after = try line(month, 900_014)
            let list = try StartList(month.link, period: PlannedMonth.march)

            #expect(before == ["preventive.agreements-50", "quota", "unassigned"])
            #expect(after == ["preventive.agreements-50", "quota", "waiting", "4"])
            #expect(list.lines[0].hasSuffix("as of 2024-03-12T15:00:00.000Z (now)"))
            #expect(list.lines.contains { $0.contains("unassigned, no quota is left") })
            #expect(list.lines.contains { $0.contains("waiting in a hand") })
        }
    }
}
