// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Who signs in with a key that is in force no more, and who is signed in when it ends.
struct SigningKeyTests {
    private func refusal(_ body: () async throws -> AgentConnection) async throws -> ReplyCode? {
        do {
            _ = try await body()
            return nil
        } catch AgentConnectionError.refused(let reply) {
            return reply.code
        }
    }

    @Test func `a revoked key lets nobody in, and an expired one from its end on`() async throws {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            try link.script("UPDATE agency_key SET expires_at = '2024-03-05T06:00:00Z' WHERE agency_id = 2")
            try month.setClock("2024-03-05T05:59:59Z")
            #expect(try await refusal { try await month.connect(2, sequence: 1) } == nil)
            try month.setClock("2024-03-05T06:00:00Z")
            #expect(try await refusal { try await month.connect(2, sequence: 2) } == .auth)

            #expect(try await refusal { try await month.connect(1, sequence: 1) } == nil)
            _ = try AgencyKeyring(link, by: "ana").revoke(try #require(AgencyID(1)), name: "k")
            #expect(try await refusal { try await month.connect(1, sequence: 2) } == .auth)
        }
    }

    @Test func `a rotated key is taken to its end beside the new one, and then the new one alone`() async throws {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            let agency = try #require(AgencyID(1))
            let next = AgencyPrivateKey()
            let key = try AgencyKeyring.key(
                agency: agency, name: "next", base64: Base64.text(next.publicKey), expiresOn: nil)
            #expect(
                try AgencyKeyring(link, by: "ana").rotate(key, replacing: "k", afterDays: 1).description
                    == "2024-03-05T15:00:00.000Z")
            let renewed = DealtMonth(database: month.database, node: month.node, keys: [next])
            for (time, sequence, old) in [("2024-03-05T14:59:59Z", 1, nil), ("2024-03-05T15:00:00Z", 2, .auth)]
                as [(String, Int64, ReplyCode?)]
            {
                try month.setClock(time)
                #expect(try await refusal { try await month.connect(1, instance: "old", sequence: sequence) } == old)
                #expect(try await refusal { try await renewed.connect(1, instance: "new", sequence: sequence) } == nil)
            }
        }
    }

    /// The end of a connection's pushes is its end.
    private func ended(_ agent: AgentConnection) async -> ReplyCode? {
        for await _ in agent.pushes {}
        do {
            _ = try await agent.ping()
            return nil
        } catch AgentConnectionError.ended(let code) {
            return ReplyCode(rawValue: code)
        } catch {
            return nil
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `who is signed in with a key that is revoked or expires is sent away by name, on every node, and nobody else`()
        async throws
    {
        try await DealtMonth.with(pace: DealtMonth.quickPace) { month in
            let link = try month.database.link()
            let other = try await DealtMonth.startNode(month.database, DealtMonth.quickPace)
            let second = AgencyPrivateKey()
            let agency = try #require(AgencyID(1))
            _ = try AgencyKeyring(link, by: "ana").add(
                try AgencyKeyring.key(
                    agency: agency, name: "second", base64: Base64.text(second.publicKey),
                    expiresOn: LocalDate(text: "2024-03-31")))
            let own = DealtMonth(database: month.database, node: month.node, keys: [second])
            let here = try await month.connect(1)
            let there = try await month.connect(1, instance: "two", to: other)
            let kept = try await own.connect(1, instance: "three")
            let stranger = try await month.connect(2)
            _ = try AgencyKeyring(link, by: "ana").revoke(agency, name: "k")

            #expect(await ended(here) == .keyEnded)
            #expect(await ended(there) == .keyEnded)
            #expect(try await kept.ping().isOK)
            #expect(try await stranger.ping().isOK)
            try month.setClock("2024-04-01T06:00:00Z")
            #expect(await ended(kept) == .keyEnded)
            #expect(try await stranger.ping().isOK)
            await other.stop()
        }
    }

    @Test func `each change of a key is in the ledger, with who did it, and what changes nothing is not`() async throws
    {
        try await DealtMonth.with { month in
            let link = try month.database.link()
            let agency = try #require(AgencyID(1))
            let keyring = AgencyKeyring(link, by: "ana")
            let text = Base64.text(AgencyPrivateKey().publicKey)
            let key = try AgencyKeyring.key(agency: agency, name: "second", base64: text, expiresOn: nil)
            for _ in 0..<2 { _ = try keyring.add(key) }
            let third = Base64.text(AgencyPrivateKey().publicKey)
            _ = try keyring.rotate(
                try AgencyKeyring.key(agency: agency, name: "third", base64: third, expiresOn: nil),
                replacing: "second",
                afterDays: 0)
            for _ in 0..<2 { _ = try keyring.revoke(agency, name: "k") }
            let records = try link.run("SELECT records FROM block ORDER BY block_id").flatMap {
                LedgerBlock.unpack($0.bytes(0)).map { String(decoding: $0, as: UTF8.self) }
            }.filter { $0.hasPrefix("key ") }

            #expect(records.count == 4)
            #expect(records[0].hasPrefix("key agency=ACE01 delegation=9 name=second action=add public="))
            #expect(records[1].hasPrefix("key agency=ACE01 delegation=9 name=third action=add public="))
            let at = "2024-03-04T15:00:00.000Z by=ana at=2024-03-04T15:00:00.000Z"
            #expect(records[2] == "key agency=ACE01 delegation=9 name=second action=rotate until=\(at)")
            #expect(records[3] == "key agency=ACE01 delegation=9 name=k action=revoke until=\(at)")
        }
    }
}
