// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import PgStore
import TestSupport
import Testing

/// Who fails too often is not looked at for a while.
struct AttemptLimitTests {
    private let agency = AgencyID.allExamples[0]

    /// Also those of others that the greeting does not have.
    @Test func `the limits that are not in the greeting are the document's`() throws {
        let text = ProtocolDocument().paragraph("Not in the greeting:")
        let (attempts, session) = (AttemptLimits(), SessionLimits())
        let server = AgentServerSettings(node: "test")
        let node = DispatcherNode.Settings(server: server)
        #expect(attempts.window == .seconds(60))
        for words in [
            "\(attempts.perAddress) failed `AUTH` a minute from one address",
            "and \(attempts.perAgency) for one agency from addresses that it never came from",
            "\(session.authentication.components.seconds) seconds from the greeting to `AUTH`",
            "\(session.outputMaxBytes / 1_024) KiB of unsent replies",
            "\(session.writeIdle.components.seconds) seconds without any progress in sending",
            "\(Console.grouped(server.connectionsMax)) connections, or as many as the node has files for",
            "\(Console.grouped(server.unsignedPerAddress)) connections of one address",
            "half of the node's connections for one agency",
            "\(Console.grouped(node.instancesMax)) instances of one agency",
            "\(Console.grouped(node.engine.evidencePerDay)) pieces of evidence of one agency a day",
        ] {
            #expect(text.contains(words), "\(words)")
        }
    }

    /// By what a node has unless somebody sets it.
    @Test
    func
        `twenty failures from one address and fifty of one agency are looked at, and one more each some seconds later`()
    {
        for (count, addresses, wait) in [(20, 1, 3), (50, 50, 1)] as [(Int, Int, Int64)] {
            var limits = AttemptLimits()
            for number in 1...count {
                let block = AddressBlock("10.0.0.\(number % addresses)")
                #expect(limits.wait(agency, from: block, at: .zero) == nil)
                limits.failed(agency, from: block, at: .zero)
            }
            let next = AddressBlock(addresses == 1 ? "10.0.0.0" : "10.0.1.1")
            #expect((1...wait + 1).contains(limits.wait(agency, from: next, at: .zero) ?? 0))
            #expect(limits.wait(agency, from: next, at: .milliseconds(60_000 / count + 1)) == nil)
        }
    }

    @Test func `failures from one address are counted over all agencies, and drain with time`() {
        var limits = AttemptLimits(perAddress: 3, perAgency: 100, window: .seconds(60))
        for agency in AgencyID.allExamples {
            #expect(limits.wait(agency, from: AddressBlock("10.0.0.1"), at: .zero) == nil)
            limits.failed(agency, from: AddressBlock("10.0.0.1"), at: .zero)
        }

        #expect(limits.wait(agency, from: AddressBlock("10.0.0.1"), at: .zero) == 21)
        #expect(limits.wait(agency, from: AddressBlock("10.0.0.2"), at: .zero) == nil)
        #expect(limits.wait(agency, from: AddressBlock("10.0.0.1"), at: .seconds(20)) == nil)
    }

    @Test func `strangers who try an agency's name do not lock it out of its own address`() {
        var limits = AttemptLimits(perAddress: 100, perAgency: 3, window: .seconds(60))
        limits.succeeded(agency, from: AddressBlock("10.0.0.1"), at: .zero)
        for host in 2...4 { limits.failed(agency, from: AddressBlock("10.0.0.\(host)"), at: .zero) }

        #expect(limits.wait(agency, from: AddressBlock("10.0.0.9"), at: .zero) == 21)
        #expect(limits.wait(agency, from: AddressBlock("10.0.0.1"), at: .zero) == nil)
        #expect(limits.wait(AgencyID.allExamples[1], from: AddressBlock("10.0.0.9"), at: .zero) == nil)
    }

    @Test func `an agency whose name strangers try is not locked out of its address while 20,000 others sign in`()
        throws
    {
        var limits = AttemptLimits(perAddress: 100, perAgency: 3, window: .seconds(60))
        limits.succeeded(agency, from: AddressBlock("10.0.0.1"), at: .zero)
        for number in 1...20_000 {
            limits.succeeded(
                try #require(AgencyID(Int32(number + 1))), from: AddressBlock("10.1.\(number / 250).\(number % 250)"),
                at: .milliseconds(number))
        }
        for host in 2...4 { limits.failed(agency, from: AddressBlock("10.0.0.\(host)"), at: .seconds(20)) }

        #expect(limits.wait(agency, from: AddressBlock("10.0.0.9"), at: .seconds(20)) == 21)
        #expect(limits.wait(agency, from: AddressBlock("10.0.0.1"), at: .seconds(20)) == nil)
    }

    @Test func `of more failures than are kept the older ones give way, and a new one is counted`() throws {
        var limits = AttemptLimits(perAddress: 1, perAgency: 1_000_000, window: .seconds(3_600))
        for number in 0..<12_000 {
            limits.failed(
                agency, from: AddressBlock("10.1.\(number / 250).\(number % 250)"), at: .milliseconds(number))
        }

        #expect(limits.wait(agency, from: AddressBlock("10.1.47.249"), at: .seconds(12)) != nil)
        #expect(limits.wait(agency, from: AddressBlock("10.1.0.0"), at: .seconds(12)) == nil)
    }

    @Test func `getting in empties the address's bucket`() {
        var limits = AttemptLimits(perAddress: 1, perAgency: 100, window: .seconds(60))
        limits.failed(agency, from: AddressBlock("10.0.0.1"), at: .zero)
        limits.succeeded(agency, from: AddressBlock("10.0.0.1"), at: .zero)

        #expect(limits.wait(agency, from: AddressBlock("10.0.0.1"), at: .zero) == nil)
    }

    @Test func `addresses of one IPv6 subscriber are one, those of two are not, and IPv4 behind IPv6 is IPv4`() {
        #expect(AddressBlock("2001:db8:1:2::1") == AddressBlock("2001:db8:1:2:ffff:ffff:ffff:ffff"))
        #expect(AddressBlock("2001:db8:1:2::1") != AddressBlock("2001:db8:1:3::1"))
        #expect(AddressBlock("fe80::1%eth0") == AddressBlock("fe80::2"))
        #expect(AddressBlock("::ffff:10.0.0.1") == AddressBlock("10.0.0.1"))
        #expect(AddressBlock("10.0.0.1") != AddressBlock("10.0.0.2"))
    }

    /// Attempts at once; how many of them are looked at, by address and by agency.
    @Test(.timeLimit(.minutes(1)), arguments: [(3, 100, 3), (100, 4, 4)])
    func `attempts side by side are looked at no more often than one after the other`(
        _ perAddress: Int, _ perAgency: Int, _ looked: Int
    ) async throws {
        let attempts = AttemptLimits(perAddress: perAddress, perAgency: perAgency, window: .seconds(3_600))
        try await DealtMonth.with(attempts: attempts) { month in
            let liar = DealtMonth(
                database: month.database, node: month.node, keys: [AgencyPrivateKey(), AgencyPrivateKey()])
            let codes = try await withThrowingTaskGroup(of: ReplyCode?.self) { group in
                for sequence in 1...30 as ClosedRange<Int64> {
                    group.addTask {
                        do {
                            _ = try await liar.connect(2, sequence: sequence)
                            return nil
                        } catch AgentConnectionError.refused(let reply) {
                            return reply.code
                        }
                    }
                }
                return try await group.reduce(into: [ReplyCode?]()) { $0.append($1) }
            }

            #expect(codes.count { $0 == .auth } == looked)
            #expect(codes.count { $0 == .limit } == 30 - looked)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `many installations of one address that come back at once all get in`() async throws {
        try await DealtMonth.with(attempts: AttemptLimits(perAddress: 3, perAgency: 3, window: .seconds(3_600))) {
            month in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...30 {
                    group.addTask { _ = try await month.connect(2, instance: "i\(number)") }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `an agency signs in under so many instances, and goes on under each of them`() async throws {
        try await DealtMonth.with { month in
            let node = try await DealtMonth.startNode(month.database, instancesMax: 2)
            func code(_ instance: String, _ sequence: Int64, agency: Int = 1) async throws -> ReplyCode? {
                do {
                    _ = try await month.connect(agency, instance: instance, sequence: sequence, to: node)
                    return nil
                } catch AgentConnectionError.refused(let reply) {
                    return reply.code
                }
            }
            #expect(try await code("one", 1) == nil)
            #expect(try await code("two", 1) == nil)
            #expect(try await code("three", 1) == .instances)
            #expect(try await code("one", 2) == nil)
            #expect(try await code("two", 1) == .clone)
            #expect(try await code("three", 1, agency: 2) == nil)
            #expect(try month.number("SELECT count(*) FROM agency_instance WHERE agency_id = 1") == 2)
            await node.stop()
        }
    }

    @Test func `a node answers AUTH to the first failures and LIMIT to the next, also to the right key`() async throws {
        try await DealtMonth.with(attempts: AttemptLimits(perAddress: 3, window: .seconds(3_600))) { month in
            let liar = DealtMonth(
                database: month.database, node: month.node, keys: [AgencyPrivateKey(), AgencyPrivateKey()])
            var codes: [ReplyCode?] = []
            for (client, sequence) in [(liar, 1), (liar, 2), (liar, 3), (liar, 4), (month, 5)] {
                do {
                    _ = try await client.connect(2, sequence: Int64(sequence))
                } catch AgentConnectionError.refused(let reply) {
                    codes.append(reply.code)
                }
            }

            #expect(codes == [.auth, .auth, .auth, .limit, .limit])
        }
    }
}

extension AgencyID {
    fileprivate static let allExamples = (1...3).compactMap { AgencyID($0) }
}
