// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Why a pull brings nothing, and when to ask again.
struct PullStopTests {
    /// A node that reads neither the routes nor what is pushed again.
    private static var deafPace: Upkeep.Pace {
        var pace = Upkeep.Pace()
        pace.round = .seconds(3_600)
        pace.pushes = .seconds(3_600)
        return pace
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `a pause that was answered binds every node at once`(isAgencys: Bool) async throws {
        try await DealtMonth.with(pace: Self.deafPace) { month in
            let other = try await DealtMonth.startNode(month.database, Self.deafPace)
            let agent = try await month.connect(1)
            let elsewhere = try await month.connect(1, instance: "two", to: other)
            let stranger = try await month.connect(2, to: other)
            #expect(try await elsewhere.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.count == 1)
            if isAgencys {
                let quiet = QuietRequest(delegation: DealtMonth.delegation, strategy: .administrative, state: .on)
                #expect(try await agent.quiet(quiet).fields["paused"] == "yes")
            } else {
                let place = AgencyPlace(
                    delegation: DealtMonth.delegation, agency: try #require(AgencyID(1)), strategy: .administrative)
                let link = try month.database.link()
                try link.transaction {
                    _ = try link.pause([place], side: "institution", reason: "audit", until: nil)
                }
            }
            let paused = try await elsewhere.lease(DealtMonth.lease(2, max: 1))
            #expect(paused.isOK && paused.fields["granted"] == "0")
            #expect(paused.fields["stop"] == "paused" && paused.fields["after"] == "60")
            #expect(try await stranger.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.count == 1)
            // What was answered before is repeated all the same.
            #expect(try await elsewhere.lease(DealtMonth.lease(1, max: 1)).leasedAccounts.count == 1)
            await other.stop()
        }
    }

    private static let fiveCarried = "UPDATE contract_capacity SET committed_advisers = 1, accounts_per_adviser = 5"

    /// Limits of five accounts, of 500.00 and of a hand of five.
    @Test(
        arguments: [
            (DealtMonth.Shape(agencies: 1, limitAccounts: 5), nil, "quota", "60"),
            (DealtMonth.Shape(agencies: 1, limitAccounts: 5), Self.fiveCarried, "capacity", "60"),
            (DealtMonth.Shape(agencies: 1, limitExposure: 50_000), nil, "bond", "60"),
            (DealtMonth.Shape(agencies: 1, handSize: 5), nil, "empty", "60"),
            (DealtMonth.Shape(agencies: 1), "UPDATE hand SET barred_ids = '{1}'", "suspended", "3600"),
            (DealtMonth.Shape(agencies: 1), "UPDATE hand SET state = 'closed'", "paused", "1"),
        ] as [(DealtMonth.Shape, String?, String, String)])
    func `a pull that brings nothing says when to ask again, and one that brings something does not`(
        shape: DealtMonth.Shape, change: String?, stop: String, after: String
    ) async throws {
        try await DealtMonth.with(shape, pace: Self.deafPace) { month in
            if let change, stop == "capacity" { try month.database.link().script(change) }
            let node = try await DealtMonth.startNode(month.database, Self.deafPace)
            let agent = try await month.connect(1, to: node)
            let some = try await agent.lease(DealtMonth.lease(1))
            #expect(some.leasedAccounts.count == 5 && some.fields["after"] == nil)
            if let change, stop != "capacity" { try month.database.link().script(change) }
            let none = try await agent.lease(DealtMonth.lease(2))
            #expect(none.isOK && none.leasedAccounts.isEmpty)
            #expect(none.fields["stop"] == stop && none.fields["after"] == after, "\(none.text)")
            await node.stop()
        }
    }
}
