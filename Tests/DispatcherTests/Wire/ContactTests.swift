// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

/// Contact data: sealed in the database, given to the live holder, each time with a record.
struct ContactTests {
    /// The follower marks more than the reply told, and bans change: a repetition is told what the first one was.
    @Test(arguments: [OutcomeChannel.phoneOut, .visit])
    func `a report that breaks contact rules is told so, and so is its repetition`(channel: OutcomeChannel) async throws
    {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try await agent.lease(DealtMonth.lease(1)).leasedAccounts[0]
            let link = try month.database.link()
            try link.script("INSERT INTO visit_ban VALUES (9, 0, 'infonavit-2023', now_instant())")
            // 05:30 in Mexico City.
            try month.setClock("2024-03-05T16:00:00Z")
            var report = try DealtMonth.report(2, account, at: "2024-03-05T11:30:00Z")
            report.channel = channel
            let first = try await agent.report(report)
            #expect(
                first.fields["marked"] == (channel == .visit ? "contact-window+visit-ban" : "contact-window"))
            try link.script("UPDATE outcome SET marks = marks || '{call-early}'; DELETE FROM visit_ban")
            #expect(try await agent.report(report).text == first.text)
            report.key = 3
            report.at = try #require(Timestamp(text: "2024-03-05T15:30:00Z"))
            #expect(try await agent.report(report).fields["marked"] == nil)
        }
    }

    @Test func `contact data is sealed at rest, and each disclosure to the holder is in the ledger`() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/contacts-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try ContactCommands.newKey(folder + "/key")
        #expect(throws: CommandFailure.self) { try ContactCommands.newKey(folder + "/key") }
        let cipher = try ContactCipher(file: folder + "/key")
        try await DealtMonth.with(cipher: cipher) { month in
            let agent = try await month.connect(1)
            let accounts = try await agent.lease(DealtMonth.lease(1)).leasedAccounts
            let csv =
                "account,delegation,name,phone_1,phone_2,phone_3,email,address\n"
                + "\(accounts[0].account),9,Ana Torres,+52 33 1234 5678,,,ana@example.org,\n"
                + "\(accounts[1].account),9,Luis,,,,,\n"
            try Data(csv.utf8).write(to: URL(filePath: folder + "/contacts.csv"))
            let load = try ContactImport(file: folder + "/contacts.csv", cipher: cipher)
            #expect(try load.run(on: try month.database.link()) == 2)
            func contact(_ account: LeasedAccount, _ agent: AgentConnection) async throws -> ClientReply {
                try await agent.contact(
                    ContactRequest(
                        delegation: DealtMonth.delegation, account: account.account, epoch: account.epoch))
            }
            let told = try await contact(accounts[0], agent)

            #expect(told.data.map { $0["kind"] } == ["name", "phone", "email"])
            #expect(told.data.map { $0["value"] } == ["Ana Torres", "+52 33 1234 5678", "ana@example.org"])
            #expect(try await contact(accounts[2], agent).code == .notFound)
            #expect(try await contact(accounts[0], try await month.connect(2)).code == .unknown)
            _ = try await agent.giveBack(DealtMonth.giveBack(2, accounts[1]))
            #expect(try await contact(accounts[1], agent).code == .closed)
            let link = try month.database.link()
            let records = try link.run("SELECT records FROM block").flatMap { LedgerBlock.unpack($0.bytes(0)) }
            let disclosures = records.filter { String(decoding: $0, as: UTF8.self).hasPrefix("disclosure ") }
            #expect(disclosures.map { LedgerTree.hex(LedgerTree.leaf($0)) } == [told.fields["receipt"]])
            // Whoever asks about the account is told of it, and of no other account's.
            let audit = try AccountAudit(link, account: accounts[0].account.value)
            let event = try #require(audit.events.first { $0.kind == "disclosure" })
            #expect(event.receipt == told.fields["receipt"])
            #expect(
                event.record.contains(" agency=ACE01 instance=")
                    && event.record.contains(" epoch=\(accounts[0].epoch) "))
            #expect(audit.lines.contains { $0.hasPrefix("  disclosure delegation=9 account=\(accounts[0].account) ") })
            let other = try AccountAudit(link, account: accounts[2].account.value)
            #expect(!other.events.contains { $0.kind == "disclosure" })
            #expect(
                try month.number(
                    "SELECT count(*) FROM contact_data WHERE position('Ana' in encode(sealed, 'escape')) > 0") == 0)
            // Another account's data does not open under this one's number.
            try link.script(
                """
                UPDATE contact_data c SET sealed = o.sealed FROM contact_data o
                 WHERE c.account_id = \(accounts[0].account) AND o.account_id = \(accounts[1].account)
                """)
            #expect(try await contact(accounts[0], agent).code == .notFound)
        }
    }

    /// Each step loads one address, on a day of its own; `nil`: none.
    @Test func `an address is new when it is another one than before, by day (CAD-14)`() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/addresses-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try ContactCommands.newKey(folder + "/key")
        let cipher = try ContactCipher(file: folder + "/key")
        try await DealtMonth.with(cipher: cipher) { month in
            let link = try month.database.link()
            func load(_ address: String, on day: String) throws -> String? {
                try month.setClock("\(day)T15:00:00Z")
                let csv = "account,delegation,name,phone_1,phone_2,phone_3,email,address\n77,9,Ana,,,,,\(address)\n"
                try Data(csv.utf8).write(to: URL(filePath: folder + "/contacts.csv"))
                _ = try ContactImport(file: folder + "/contacts.csv", cipher: cipher).run(on: link)
                return try link.run("SELECT address_since::text FROM contact_data")[0].optionalText(0)
            }
            #expect(try load("Calle 1", on: "2024-03-04") == nil)
            #expect(try load("Calle 1", on: "2024-03-05") == nil)
            #expect(try load("Calle 2", on: "2024-03-06") == "2024-03-06")
            #expect(try load("Calle 2", on: "2024-03-07") == "2024-03-06")
            #expect(try load("", on: "2024-03-08") == "2024-03-06")
            #expect(try load("Calle 3", on: "2024-03-09") == "2024-03-09")
        }
    }

    @Test func `a node without the key says so`() async throws {
        try await DealtMonth.with { month in
            let agent = try await month.connect(1)
            let account = try #require(try await agent.lease(DealtMonth.lease(1)).leasedAccounts.first)
            let reply = try await agent.contact(
                ContactRequest(delegation: DealtMonth.delegation, account: account.account, epoch: account.epoch))

            #expect(reply.code == .unsupported)
        }
    }
}
