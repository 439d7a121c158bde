// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import PgStore
import Synchronization
import TestSupport
import Testing

@testable import Dispatcher

/// Questions of agencies, which take turns.
struct InquiryQueueTests {
    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func add() { value.withLock { $0 += 1 } }
    }

    /// Opened once; whoever waits before goes on then.
    private final class Gate: Sendable {
        private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock {
                    if !$0.isOpen { $0.waiting.append(continuation) }
                    return $0.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock {
                $0.isOpen = true
                return $0.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    /// The order of answers: agency 1 asks `flood` times while its first question is under way, then agency 2 once.
    private func order(max: Int, flood: Int) async throws -> (answered: [String], refused: [ReplyCode?]) {
        let queue = InquiryQueue(max: max)
        let gate = Gate()
        let (told, tell) = AsyncStream<(String, Reply)>.makeStream()
        let first = try #require(AgencyID(1))
        let other = try #require(AgencyID(2))
        func ask(_ agency: AgencyID, _ name: String) {
            queue.submit(
                agency,
                {
                    await gate.pass(); return .listed([], end: [])
                }, { tell.yield((name, $0)) })
        }
        ask(first, "under way")
        for number in 1...flood { ask(first, "\(number)") }
        ask(other, "other")
        gate.open()
        var answered: [String] = []
        var refused: [ReplyCode?] = []
        for await (name, reply) in told {
            if case .refused(let refusal) = reply { refused.append(refusal.code) } else { answered.append(name) }
            if answered.count + refused.count == flood + 2 { break }
        }
        return (answered, refused)
    }

    @Test func `a question waits for the one under way and one turn of each agency, however much another one asks`()
        async throws
    {
        let (answered, refused) = try await order(max: 1_000, flood: 100)

        #expect(answered.count == 102)
        #expect(refused.isEmpty)
        // The first may have been taken before or after the others came in.
        #expect(try #require(answered.firstIndex(of: "other")) <= 2)
        #expect(answered.filter { $0 != "other" } == ["under way"] + (1...100).map { "\($0)" })
    }

    @Test(arguments: [(4, 0), (5, 1), (6, 2)])
    func `an agency has half of the queue, and another one is answered when it is full`(flood: Int, busy: Int)
        async throws
    {
        let (answered, refused) = try await order(max: 8, flood: flood - 1)

        // The first question is taken at once or is one of those that wait.
        #expect((max(0, busy - 1)...busy).contains(refused.count))
        #expect(refused.allSatisfy { $0 == .busy })
        #expect(answered.contains("other"))
    }

    @Test(.timeLimit(.minutes(2)))
    func `a flood of one agency's questions does not hold up another one's`() async throws {
        try await DealtMonth.with { month in
            let quiet = try await month.connect(2)
            let flood = try await month.connect(1)
            _ = try await flood.lease(DealtMonth.lease(1, max: 20))
            // How many of the flood are answered before the other one. Behind all of them it would be the last in every try; this
            // process can be late to see its answer in one.
            var before = 512
            var agents: [AgentConnection] = []
            for number in 0..<8 { agents.append(try await month.connect(1, instance: "i\(number)")) }
            for _ in 1...5 where before >= 400 {
                let done = Counter()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for agent in agents {
                        for _ in 0..<64 {
                            group.addTask {
                                _ = try await agent.held(HeldRequest())
                                done.add()
                            }
                        }
                    }
                    // The first of the flood's is answered: hundreds are waiting.
                    try await until { done.count > 0 }
                    #expect(try await quiet.status(StatusRequest()).isOK)
                    before = min(before, done.count)
                    try await group.waitForAll()
                }
                #expect(done.count == 512)
            }
            #expect(before < 400)
        }
    }
}
