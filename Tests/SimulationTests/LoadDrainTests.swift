// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Histogram
import NIOCore
import NIOEmbedded
@testable import Simulation
import Testing

/// How long a load whose time is over waits, and what it tells of what was not answered.
struct LoadDrainTests {
    /// Looks every second from the end on.
    ///
    /// - Parameter due: what is due at a second.
    /// - Returns: what was decided, by second, up to the end.
    private static func steps(
        hurried: Int? = nil, _ due: (Int) -> LoadDrain.Due
    ) -> [LoadDrain.Step] {
        let start = ContinuousClock.now
        var drain = LoadDrain(patience: .seconds(10), most: .seconds(60), from: start)
        var steps: [LoadDrain.Step] = []
        for second in 0...100 {
            let isHurried = hurried.map { second >= $0 } ?? false
            steps.append(drain.look(due(second), isHurried: isHurried, at: start + .seconds(second)))
            if steps.last == .over { break }
        }
        #expect(drain.isHurried == (hurried.map { $0 < steps.count } ?? false))
        return steps
    }

    private static func under(_ unanswered: Int, answers: Int, waiting: Int = 0) -> LoadDrain.Due {
        LoadDrain.Due(
            waiting: unanswered + waiting, unanswered: unanswered, isReporting: false, answers: Int64(answers))
    }

    @Test func `nothing that is due is waited for no longer`() {
        #expect(Self.steps { _ in Self.under(0, answers: 5) } == [.over])
        #expect(Self.steps { Self.under($0 < 3 ? 1 : 0, answers: $0) }.count == 4)
        let reporting = LoadDrain.Due(waiting: 0, unanswered: 0, isReporting: true, answers: 1)
        #expect(Self.steps { _ in reporting }[0] == .wait)
    }

    @Test func `a daemon that answers nobody is given up after the patience`() {
        let steps = Self.steps { _ in Self.under(20_000, answers: 7) }

        #expect(steps.count == 12)
        #expect(steps[10] == .sendNothingNew && steps[11] == .over)
        #expect(steps[..<10].allSatisfy { $0 == .wait })
    }

    @Test func `a daemon that goes on answering is waited for, a minute at most`() {
        // Twenty thousand under way, of which it answers five hundred a second.
        let slow = Self.steps { Self.under(20_000 - $0 * 500, answers: $0 * 500) }
        #expect(slow.count == 41 && slow[10] == .sendNothingNew)
        let endless = Self.steps { Self.under(20_000, answers: $0) }
        #expect(endless.count == 61)
        // Its last answer came in the twentieth second.
        let stopping = Self.steps { Self.under(20_000, answers: min(20, $0)) }
        #expect(stopping.count == 31)
    }

    @Test func `what had not left by then is not waited for`() {
        // Forever more of them than are served.
        let steps = Self.steps { Self.under($0 < 15 ? 3 : 0, answers: $0, waiting: 900) }

        #expect(steps.count == 16 && steps[10] == .sendNothingNew)
    }

    @Test func `who is in a hurry waits two seconds`() {
        #expect(Self.steps(hurried: 4) { Self.under(9, answers: $0) }.count == 7)
        #expect(Self.steps(hurried: 30) { Self.under(9, answers: $0) }.count == 33)
    }

    @Test func `what never left is told apart from what was never answered`() throws {
        let loop = EmbeddedEventLoop()
        var settings = LoadSettings(
            addresses: [LoadAddress(host: "127.0.0.1", port: 1)], keysFolder: "", contractsPath: "")
        settings.arrival = .open(pullsPerSecond: 10)
        let worker = LoadWorker(
            isOpenLoop: true, clock: LoadClock(fixed: Timestamp(microseconds: 0)), loop: loop,
            connector: try LoadConnector(settings), closedContacts: ClosedContacts())
        let identity = LoadIdentity(
            agency: try #require(AgencyID(1)), instance: try #require(Token("load-0")), sequence: 1,
            key: try #require(AgencyPrivateKey(bytes: [UInt8](repeating: 7, count: 32))))
        let pool = LoadPool(
            contract: try #require(ContractID(1)), delegation: try #require(Delegation(9)), strategy: .administrative)
        let seat = LoadSeat(identity, pools: [pool], settings: settings, number: 0, worker: worker)
        let connection = LoadConnection(seat, identity: identity, address: settings.addresses[0])
        let channel = EmbeddedChannel(handler: connection, loop: loop)
        worker.start()
        worker.measure()
        seat.ready(connection)
        func hear(_ line: String) {
            Array(line.utf8).withUnsafeBytes { seat.take($0) }
            connection.flush()
        }
        for _ in 0..<4 { seat.arrive(at: .now()) }
        _ = worker.drain()
        #expect(seat.waiting == 4 && seat.unanswered == 1)
        // Served behind the end; its report and the next pull leave.
        hear("l - account=1 epoch=1 tactic=a")
        hear("l OK grant=1 granted=1 left=9 stop=limit")
        #expect(seat.waiting == 3 && seat.unanswered == 2 && worker.tally.answers == 1)
        worker.end()
        hear("l - account=2 epoch=1 tactic=a")
        hear("l OK grant=2 granted=1 left=8 stop=limit")
        hear("r0 OK outcome=1")
        // Two have not left, and will not; nor does the report of what was pulled behind the end.
        #expect(seat.waiting == 2 && seat.unanswered == 0 && worker.tally.answers == 3)
        seat.giveUp(at: .now())
        let tally = worker.finish()
        _ = try channel.finish(acceptAlreadyClosed: true)

        #expect(tally.waiting == 2 && tally.unsent == 2 && tally.leases.totalCount == 4)
    }
}
