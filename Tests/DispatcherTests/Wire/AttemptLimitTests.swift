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

    @Test func `failures from one address are counted over all agencies, and drain with time`() {
        var limits = AttemptLimits(perAddress: 3, perAgency: 100, window: .seconds(60))
        for agency in AgencyID.allExamples {
            #expect(limits.wait(agency, from: "10.0.0.1", at: .zero) == nil)
            limits.failed(agency, from: "10.0.0.1", at: .zero)
        }

        #expect(limits.wait(agency, from: "10.0.0.1", at: .zero) == 21)
        #expect(limits.wait(agency, from: "10.0.0.2", at: .zero) == nil)
        #expect(limits.wait(agency, from: "10.0.0.1", at: .seconds(20)) == nil)
    }

    @Test func `strangers who try an agency's name do not lock it out of its own address`() {
        var limits = AttemptLimits(perAddress: 100, perAgency: 3, window: .seconds(60))
        limits.succeeded(agency, from: "10.0.0.1", at: .zero)
        for host in 2...4 { limits.failed(agency, from: "10.0.0.\(host)", at: .zero) }

        #expect(limits.wait(agency, from: "10.0.0.9", at: .zero) == 21)
        #expect(limits.wait(agency, from: "10.0.0.1", at: .zero) == nil)
        #expect(limits.wait(AgencyID.allExamples[1], from: "10.0.0.9", at: .zero) == nil)
    }

    @Test func `getting in empties the address's bucket`() {
        var limits = AttemptLimits(perAddress: 1, perAgency: 100, window: .seconds(60))
        limits.failed(agency, from: "10.0.0.1", at: .zero)
        limits.succeeded(agency, from: "10.0.0.1", at: .zero)

        #expect(limits.wait(agency, from: "10.0.0.1", at: .zero) == nil)
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
