// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What sweeps and endings gave back is held to what was granted, by a ledger whose hashes and counters all fit.
///
/// Grant 4294967297 is of accounts 1001 to 1005, grant 8589934593 of 2001 to 2005; the fifth of each was returned, and the others
/// swept.
struct ReleaseCheckTests {
    private func with(_ body: (ProvenMonth) throws -> Void) async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script("UPDATE clock SET virtual_now = '2024-04-20T06:00:00Z'")
            _ = try Sweep.run(month.link)
            while try ProofStore(month.link).unchained(ProvenMonth.period.advanced(byMonths: 1)) > 0 {
                try Sequencer.run(month.link)
            }
            let swept = try month.link.run("SELECT count(*) FROM lease_grant WHERE state = 'closed'")[0].int64(0)
            #expect(swept == 2)
            try month.link.script("BEGIN; SET LOCAL session_replication_role = replica")
            #expect(try findings(month) == [])
            try body(month)
        }
    }

    private func findings(_ month: ProvenMonth) throws -> [String] {
        try LedgerVerification(month.link).runInSnapshot(sample: nil, seed: 0).findings.map(\.found)
    }

    /// Changes records of delegation 9, and makes its blocks and chains fit them.
    private func rewrite(_ month: ProvenMonth, _ change: (String) -> [String]) throws {
        let store = ProofStore(month.link)
        for (delegation, period) in try store.places() where delegation == DealtMonth.delegation {
            var head = LedgerTree.firstHead
            var blocks: [LedgerBlockRow] = []
            try store.eachBlock(delegation, period) { blocks.append($0) }
            for block in blocks {
                let link = try #require(block.link)
                let records = LedgerBlock.unpack(block.records)
                    .flatMap { change(String(decoding: $0, as: UTF8.self)) }.map { Array($0.utf8) }
                let root = LedgerTree.root(records.map(LedgerTree.leaf))
                head = LedgerTree.head(after: head, root: root)
                try month.link.run(
                    "UPDATE block SET records = $1, count = $2, root = $3 WHERE block_id = $4",
                    [
                        .bytes(LedgerBlock.pack(records)), .int32(Int32(records.count)), .bytes(root),
                        .int64(block.number),
                    ])
                try month.link.run(
                    "UPDATE chain SET head = $1 WHERE delegation_id = $2 AND period = $3 AND height = $4",
                    [.bytes(head), .int16(delegation.value), .int32(period.number), .int64(link.height)])
            }
        }
    }

    /// The quota's counter goes with what the ledger says.
    private func release(_ accounts: Int, of contract: Int, _ month: ProvenMonth) throws {
        try month.link.script(
            "UPDATE quota SET released_accounts = released_accounts + \(accounts) WHERE contract_id = \(contract)")
    }

    @Test(arguments: [5, 3, 0])
    func `a sweep that gives back another number than was left is found, with a chain that fits it`(
        accounts: Int
    ) async throws {
        try await with { month in
            try rewrite(month) { record in
                guard record.hasPrefix("sweep ") else { return [record] }
                return [
                    record.replacing("grant=4294967297 accounts=4 ", with: "grant=4294967297 accounts=\(accounts) ")
                ]
            }
            try release(accounts - 4, of: 1, month)

            #expect(
                try findings(month) == [
                    "the sweep of grant id=4294967297 gave back \(accounts) accounts, and 4 were left of it"
                ])
        }
    }

    @Test func `a grant that was swept twice is found`() async throws {
        try await with { month in
            try rewrite(month) { record in
                record.hasPrefix("sweep ") && record.contains("grant=8589934593 ") ? [record, record] : [record]
            }
            try release(4, of: 2, month)

            #expect(try findings(month) == ["grant id=8589934593 was swept 2 times"])
        }
    }

    /// As an import excludes it when its grant was swept before; it had been given back with the grant.
    @Test(arguments: [true, false])
    func `what ends behind the sweep gives nothing back`(wasHeld: Bool) async throws {
        try await with { month in
            let lease = LeaseKey(
                delegation: DealtMonth.delegation, account: try #require(AccountID(1004)), epoch: try #require(Epoch(1))
            )
            let row = EndingRow(
                lease: lease, kind: .exclusion, reason: "judicial", hand: 1, position: 4, quota: 0, exposure: .zero)
            let at = try month.link.readNow()
            try month.link.insertBlocks(LedgerBlock.seal([.ending(row, period: .ofWork(at: at), at: at)]))
            try month.link.script(
                """
                INSERT INTO ending (delegation_id, account_id, epoch, kind, reason, ended_at, hand_id, position, was_held)
                VALUES (9, 1004, 1, 'exclusion', 'judicial', now_instant(), 1, 4, \(wasHeld))
                """)
            if wasHeld { try release(1, of: 1, month) }

            #expect(
                try findings(month)
                    == (wasHeld
                        ? ["ending delegation=9 account=1004 epoch=1 gave back an account that no grant held any more"]
                        : []))
        }
    }

    @Test(arguments: [
        (
            "UPDATE ending SET was_held = false WHERE account_id = 1005", -1,
            ["ending delegation=9 account=1005 epoch=1 ended a lease, and gave nothing back to its quota"]
        ),
        // Of an account that was only dealt, in front of the sweep, as the return's row.
        (
            "UPDATE ending SET position = 6 WHERE account_id = 1005", 0,
            [
                "the sweep of grant id=4294967297 gave back 4 accounts, and 5 were left of it",
                "ending delegation=9 account=1005 epoch=1 gave back an account that no grant held any more",
            ]
        ),
    ])
    func `an ending gives back what a grant held, and nothing else`(
        change: String, released: Int, found: [String]
    ) async throws {
        try await with { month in
            try month.link.script(change)
            try release(released, of: 1, month)

            #expect(try findings(month) == found)
        }
    }
}
