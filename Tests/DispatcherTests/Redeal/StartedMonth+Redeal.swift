// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Dispatcher
import Foundation
import PgStore
import Simulation
import TestSupport
import Testing

extension StartedMonth {
    /// An agency that signed in at a node with a key of its own.
    func agency(_ number: Int32 = 1, at node: DispatcherNode.Running) async throws -> AgentConnection {
        let key = AgencyPrivateKey()
        try link.run(
            "INSERT INTO agency_key (agency_id, key_name, public_key, added_at) VALUES ($1, 'k', $2, now_instant())",
            [.int32(number), .bytes(key.publicKey)])
        return try await AgentConnection.connect(
            AgentConnectionSettings(
                port: node.port, agency: try #require(AgencyID(number)), instance: try #require(Token("one")),
                sequence: 1,
                privateKey: key))
    }

    /// What breaks an invariant in the delegations of the month, as the checker of histories sees it.
    func broken() throws -> [String] {
        try ([9, 14] as [Int16]).flatMap { number -> [String] in
            let delegation = try #require(Delegation(number))
            let verdict = Judge.judge(try HistoryReader(link, operations: []).history(delegation))
            // Accounts are leased and given back here without a wire, so nobody said RETURN.
            return verdict.findings.filter { $0.invariant != .endings }.map { "\($0)" }
        }
    }

    /// The contracts have just been taken in anew.
    func noteContracts() throws {
        try link.script(
            """
            INSERT INTO import (kind, period, file_name, digest, rows_good, rows_bad, imported_at)
            VALUES ('contracts', 202403, 'contracts.csv', sha256('again'), 1, 0, now_instant())
            """)
    }

    /// Limits that are in force, or were, and that the ledger tells nothing of.
    func unrecordedLimits() throws -> [String] {
        try ([9, 14] as [Int16]).flatMap { number -> [String] in
            let delegation = try #require(Delegation(number))
            let history = try HistoryReader(link, operations: [], comparesRecords: true).history(delegation)
            return Judge.judge(history).findings.filter { $0.found.hasPrefix("a limit") }.map { "\($0)" }
        }
    }

    /// Gives back the first account that a contract leased, for a reason.
    /// - Parameter isFolded: whether a node has counted it in the quota since.
    func giveBack(_ account: Int64, reason: String, isFolded: Bool = true) throws {
        try link.run(
            """
            WITH e AS (
                INSERT INTO ending
                SELECT d.delegation_id, d.account_id, d.epoch, 'return', $2, now_instant(), d.hand_id, d.position, true
                  FROM deal d WHERE d.account_id = $1 ORDER BY d.epoch DESC LIMIT 1 RETURNING *)
            INSERT INTO release (delegation_id, quota_id, accounts, exposure)
            SELECT g.delegation_id, g.quota_id, 1, 0 FROM e JOIN lease_grant g USING (delegation_id, hand_id)
             WHERE e.position BETWEEN g.first_position AND g.last_position
            """, [.int64(account), .text(reason)])
        while try isFolded && link.foldReleases(limit: 100) > 0 {}
    }

    /// The hand of a contract in delegation 9 with telephone accounts of the administrative strategy.
    func hand(of contract: Int32) throws -> Int32 {
        Int32(
            try number(
                """
                SELECT hand_id::bigint FROM hand WHERE delegation_id = 9 AND strategy = 2 AND portfolio = 1 AND state = 'open'
                   AND contract_ids = ARRAY[\(contract)] AND NOT is_front ORDER BY hand_id LIMIT 1
                """))
    }

    /// Accounts that wait in open hands.
    var waiting: String {
        """
        hand h JOIN position p USING (delegation_id, hand_id)
         WHERE h.state = 'open' AND p.position > coalesce((SELECT max(g.last_position) FROM lease_grant g
               WHERE g.delegation_id = h.delegation_id AND g.hand_id = h.hand_id), 0)
           AND NOT EXISTS (SELECT FROM ending e WHERE e.account_id = p.account_id AND e.epoch = p.epoch)
        """
    }

    func redeal(_ manner: RedealScope.Manner, on other: PgLink? = nil) throws -> RedealReport {
        try RedealRun(other ?? link, scope: RedealScope(manner), reason: "rebalance", by: "ana").run()
    }
}
