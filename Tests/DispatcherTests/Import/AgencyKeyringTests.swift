// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import Testing

struct AgencyKeyringTests {
    private static let other = Base64.text([UInt8](repeating: 5, count: 32))
    private static let header = "agency,key_name,public_key,expires_on\n"

    private func agency() throws -> AgencyID { try #require(AgencyID(text: "ACE07")) }

    private func key(_ name: String, _ base64: String = Table.key, expires: String? = nil) throws -> AgencyKey {
        try AgencyKeyring.key(
            agency: agency(), name: name, base64: base64, expiresOn: expires.flatMap { LocalDate(text: $0) })
    }

    @Test func `an agency has several keys, each until its day`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let keyring = AgencyKeyring(site.link, by: "ana")
            _ = try keyring.add(try key("a"))
            _ = try keyring.add(try key("b", Self.other, expires: "2024-12-31"))
            let keys = try keyring.list(try agency())

            #expect(keys.map(\.name) == ["a", "b"])
            #expect(keys[0].expiresAt == nil)
            #expect(keys[1].expiresAt == Timestamp(text: "2025-01-01T06:00:00Z"))
        }
    }

    @Test func `the same key again changes nothing`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let keyring = AgencyKeyring(site.link, by: "ana")

            #expect(try keyring.add(try key("a")) == AgencyKeyring.Additions(added: 1))
            #expect(try keyring.add(try key("a")) == AgencyKeyring.Additions(unchanged: 1))
        }
    }

    @Test func `a name is not used for another key, nor a key for two`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let keyring = AgencyKeyring(site.link, by: "ana")
            _ = try keyring.add(try key("a"))
            let name = try #require(throws: CommandFailure.self) { try keyring.add(try key("a", Self.other)) }
            let twice = try #require(throws: CommandFailure.self) { try keyring.add(try key("b")) }

            #expect(name.found == "ACE07 has had another key, or another last day, under the name a")
            #expect(twice.found == "the key is that of ACE07 already, as a")
        }
    }

    @Test func `a rotated key is taken for some days more, and both or neither change`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let keyring = AgencyKeyring(site.link, by: "ana")
            _ = try keyring.add(try key("a"))
            let new = try key("b", Self.other)

            #expect(throws: CommandFailure.self) { try keyring.rotate(new, replacing: "c", afterDays: 7) }
            #expect(try keyring.list(try agency()).map(\.name) == ["a"])
            let end = try keyring.rotate(new, replacing: "a", afterDays: 7)
            #expect(end == Timestamp(text: "2024-04-08T05:00:00Z"))
            #expect(try keyring.list(try agency()).map(\.expiresAt) == [end, nil])
        }
    }

    @Test func `a revoked key stays listed and revoked`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let keyring = AgencyKeyring(site.link, by: "ana")
            _ = try keyring.add(try key("a"))
            let first = try keyring.revoke(try agency(), name: "a")
            let again = try keyring.revoke(try agency(), name: "a")

            #expect(first == again)
            #expect(try keyring.list(nil).map(\.revokedAt) == [first])
            #expect(throws: CommandFailure.self) { try keyring.revoke(try agency(), name: "none") }
            #expect(throws: CommandFailure.self) { try keyring.add(try key("a")) }
        }
    }

    @Test func `a file of keys is taken whole or not at all`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let path = "\(site.folder)/keys.csv"
            let good = Self.header + "ACE07,a,\(Table.key),\nACE07,b,\(Self.other),2024-12-31\n"
            try Data((good + "ACE99,c,\(Base64.text([UInt8](repeating: 6, count: 32))),\n").utf8).write(
                to: URL(filePath: path))
            #expect(throws: CommandFailure.self) { try AgencyKeyring(site.link, by: "ana").add(file: path) }
            #expect(try site.count("agency_key") == 0)
            try Data(good.utf8).write(to: URL(filePath: path))

            #expect(try AgencyKeyring(site.link, by: "ana").add(file: path) == AgencyKeyring.Additions(added: 2))
        }
    }

    @Test func `the keys of a file are one block in each delegation of their agencies`() async throws {
        try await ImportSite.with { site in
            try site.seedContracts()
            let path = "\(site.folder)/keys.csv"
            try Data((Self.header + "ACE07,a,\(Table.key),\nACE07,b,\(Self.other),2024-12-31\n").utf8).write(
                to: URL(filePath: path))
            _ = try AgencyKeyring(site.link, by: "ana").add(file: path)
            let blocks = try site.link.run("SELECT delegation_id, records FROM block ORDER BY block_id")
            let places = try site.link.run("SELECT DISTINCT delegation_id FROM contract_capacity ORDER BY 1")

            #expect(!places.isEmpty && blocks.map { $0.int16(0) } == places.map { $0.int16(0) })
            for block in blocks {
                let records = LedgerBlock.unpack(block.bytes(1)).map { String(decoding: $0, as: UTF8.self) }
                #expect(records.map { $0.contains(" name=a action=add ") } == [true, false])
                #expect(records.last?.contains(" name=b action=add ") == true)
            }
        }
    }

    @Test(arguments: ["", "AAAA", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", "not base64 at all!!"])
    func `what is no public key is refused`(base64: String) {
        #expect(throws: CommandFailure.self) { try key("a", base64) }
    }
}
