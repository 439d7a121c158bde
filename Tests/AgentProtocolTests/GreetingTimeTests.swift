// SPDX-License-Identifier: Apache-2.0

import Assignment
import NIOCore
import NIOEmbedded
import Testing

@testable import AgentProtocol

struct GreetingTimeTests {
    @Test func `the greeting has its time from when the connection is made, however long that took`() throws {
        let channel = EmbeddedChannel()
        var settings = AgentConnectionSettings(
            port: 1, agency: valid(AgencyID(7)), instance: valid(Token("slow")), sequence: 1,
            privateKey: valid(AgencyPrivateKey(bytes: Desk.secret)))
        settings.connectTimeout = .zero
        let pushed = UnreadQueue<ClientPush>(max: 1, weight: \.count) { ClientPush(Push.missed(Int64($0))) }
        let handler = AgentConnectionHandler(settings, pushed: pushed, on: channel.embeddedEventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
        channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        #expect(handler.ending == "the connection works")
        channel.pipeline.fireChannelActive()
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))

        #expect(handler.ending == "the server did not greet in time")
        #expect(throws: AgentConnectionError.noGreeting) { try handler.greeted.futureResult.wait() }
    }
}
