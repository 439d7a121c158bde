// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Testing

/// What a connection heard and nobody read.
struct UnreadPushTests {
    private static let kept = 256

    /// Each push has its number as its delegation's, so that it is seen which ones are left.
    @Test(.timeLimit(.minutes(1)), arguments: [kept - 1, kept, kept + 1, 1_000])
    func `of pushes that nobody read the newest are kept, and how many went before them is said first`(
        count: Int
    ) async throws {
        let server = try await TestServer()
        let agent = try await server.connect()
        server.push((1...count).map { Push(.paused, [ReplyField("until", Int64($0))]) })
        // The first may be read in the turn of the server's loop that says them at its end; the second comes behind all of them.
        _ = try await agent.ping()
        _ = try await agent.ping()
        var pushes = agent.pushes.makeAsyncIterator()
        var heard: [ClientPush] = []
        while heard.last?.fields["until"] != "\(count)", let push = await pushes.next() { heard.append(push) }

        let lost = max(0, count - Self.kept)
        let numbers = heard.filter { $0.name == "PAUSED" }.compactMap { $0.fields.number("until") }
        #expect(numbers == (lost + 1...count).map { Int64($0) })
        #expect(heard.filter { $0.name == "MISSED" }.map { $0.fields["pushes"] } == (lost > 0 ? ["\(lost)"] : []))
        #expect(lost == 0 || heard.first?.name == "MISSED")
        try await agent.bye()
        #expect(await pushes.next() == nil)
        await server.stop()
    }

    /// What one tells of that is the first to be thrown away, what comes behind it, and what is said in their place.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [([7], kept, 7), ([7], kept + 1, 8), ([1, 2], kept, 3), ([.max, .max], kept, .max)]
            as [([Int64], Int, Int64)])
    func `a push that told of lost ones counts as those where it is lost itself`(
        told: [Int64], count: Int, lost: Int64
    ) async throws {
        let server = try await TestServer()
        let agent = try await server.connect()
        server.push(
            told.map { Push(.missed, [ReplyField("pushes", $0)]) }
                + (1...count).map { Push(.paused, [ReplyField("until", Int64($0))]) })
        // The first may be read in the turn of the server's loop that says them at its end; the second comes behind all of them.
        _ = try await agent.ping()
        _ = try await agent.ping()
        var pushes = agent.pushes.makeAsyncIterator()
        let first = await pushes.next()

        #expect(first?.name == "MISSED" && first?.fields.number("pushes") == lost)
        try await agent.bye()
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `who waits for a push gets it, and who is cancelled waits no longer`() async throws {
        let server = try await TestServer()
        let agent = try await server.connect()
        let reader = Task { await agent.pushes.first { _ in true } }
        server.push([Push(.resumed, [ReplyField("delegation", delegation14)])])
        #expect(await reader.value?.name == "RESUMED")

        let cancelled = Task { await agent.pushes.first { _ in true } }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        try await agent.bye()
        await server.stop()
    }
}
