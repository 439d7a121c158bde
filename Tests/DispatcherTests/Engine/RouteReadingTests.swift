// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Logging
import PgStore
import TestSupport
import Testing

@testable import Dispatcher

/// The open hands are read by two parts of a node, and a reading may end after a younger one.
struct RouteReadingTests {
    @Test func `a reading that was begun before the one in force is dropped, one that was begun with it is taken`()
        async throws
    {
        try await DealtMonth.with { month in
            // So that the installation is known.
            let agent = try await month.connect(1)
            let instance = Int32(try month.number("SELECT instance_id::bigint FROM agency_instance"))
            try await agent.bye()
            let agency = try #require(AgencyID(1))
            let link = try month.database.link()
            let engine = LeaseEngine(
                connection: PgConnection(month.database.conninfo, application: "test") { try $0.prepareForEngine() },
                limits: LeaseEngine.Limits(), now: try link.readNow(), logger: Logger(label: "test"))
            func pull(_ key: Int64) async -> PullStop? {
                let identity = AgentIdentity(agency: agency, instanceID: instance)
                let reply: Reply = await withCheckedContinuation { continuation in
                    engine.submit(
                        PendingRequest(identity: identity, work: .lease(DealtMonth.lease(key, max: 1))) {
                            continuation.resume(returning: $0)
                        })
                }
                guard case .leased(_, let grant) = reply else { return nil }
                return grant.stop
            }
            let order = try PauseOrder(
                strategy: "administrative", delegation: 9, agency: "ACE01", reason: "audit", until: nil)
            let place = AgencyPlace(delegation: DealtMonth.delegation, agency: agency, strategy: .administrative)

            let early = (begun: engine.beginReading(), routing: try link.readRouting())
            _ = try order.set(link)
            engine.note(place, isPaused: true)
            let late = (begun: engine.beginReading(), routing: try link.readRouting())
            engine.refresh(late.routing, begun: late.begun)
            engine.refresh(early.routing, begun: early.begun)
            #expect(await pull(1) == .paused)

            _ = try order.lift(link)
            engine.refresh(try link.readRouting(), begun: late.begun)
            #expect(await pull(2) == .limit)

            // Also where this node heard of nothing between the two.
            let former = (begun: engine.beginReading(), routing: try link.readRouting())
            _ = try order.set(link)
            let latter = (begun: engine.beginReading(), routing: try link.readRouting())
            engine.refresh(latter.routing, begun: latter.begun)
            engine.refresh(former.routing, begun: former.begun)
            #expect(await pull(3) == .paused)
        }
    }

    /// Behind a push the hands alone are read.
    @Test func `a reading of the hands alone leaves the names of the tactics known`() async throws {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            let engine = LeaseEngine(
                connection: PgConnection(month.database.conninfo, application: "test") { try $0.prepareForEngine() },
                limits: LeaseEngine.Limits(), now: try link.readNow(), logger: Logger(label: "test"))
            engine.refresh(try link.readRouting(), begun: engine.beginReading(), tactics: ["containment"])
            engine.refresh(try link.readRouting(), begun: engine.beginReading())
            let identity = AgentIdentity(agency: try #require(AgencyID(1)), instanceID: 1)
            var misspelt = DealtMonth.lease(1, max: 1)
            misspelt.tactic = Token("contaiment")
            let reply: Reply = await withCheckedContinuation { [misspelt] continuation in
                engine.submit(
                    PendingRequest(identity: identity, work: .lease(misspelt)) { continuation.resume(returning: $0) })
            }
            #expect(
                reply
                    == .refused(.badValue, [ReplyField("field", "tactic"), ReplyField("expected", "containment")]))
        }
    }
}
