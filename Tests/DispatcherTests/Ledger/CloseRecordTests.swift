// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import PgStore
import Testing

/// What a close recorded of its statements, and that it was signed, stands in the ledger: also where the signed root is taken out.
struct CloseRecordTests {
    private static let changed = """
        UPDATE statement SET body = replace(body, '"fees":"', '"fees":"1'),
            digest = sha256(replace(body, '"fees":"', '"fees":"1')::bytea) WHERE contract_id = 1
        """
    private static let notRecorded = "the statement of contract 1 is not the one that the close recorded"

    private func found(_ month: ProvenMonth, _ change: String) throws -> [String] {
        try month.link.script("BEGIN; SET LOCAL session_replication_role = replica")
        try month.link.script(change)
        let found = try LedgerVerification(month.link).runInSnapshot(sample: nil, seed: 0).findings.map(\.found)
        try month.link.script("ROLLBACK")
        return found
    }

    @Test func `a month that nobody signed has its statements in the ledger`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let report = try month.verify()
            #expect(report.findings == [])
            #expect(report.notes.contains("2024-03 is closed and its root is not signed"))
            #expect(try found(month, Self.changed) == [Self.notRecorded])
            #expect(
                try found(month, "UPDATE statement SET body = body || ' ' WHERE contract_id = 1") == [Self.notRecorded])
            #expect(
                try found(month, "UPDATE statement SET digest = sha256(digest) WHERE contract_id = 1") == [
                    Self.notRecorded
                ])
            #expect(
                try found(month, "DELETE FROM statement WHERE contract_id = 2") == [
                    "the statement of contract 2 that the close recorded is gone"
                ])
            #expect(
                try found(
                    month,
                    """
                    INSERT INTO statement SELECT (jsonb_populate_record(NULL::statement, to_jsonb(s) || '{"contract_id": 77}')).*
                    FROM statement s WHERE contract_id = 1
                    """) == ["the statement of contract 77 was recorded by no close"])
            // Nor is one missed that has no delegation's section.
            #expect(
                try found(
                    month,
                    """
                    INSERT INTO statement SELECT (jsonb_populate_record(NULL::statement, to_jsonb(s) || jsonb_build_object(
                        'contract_id', 77, 'body', jsonb_set(body::jsonb, '{sections}', (
                            SELECT jsonb_agg(x) FROM jsonb_array_elements(body::jsonb -> 'sections') x WHERE NOT x ? 'delegation'))::text))).*
                    FROM statement s WHERE contract_id = 1
                    """) == ["the statement of contract 77 was recorded by no close"])
        }
    }

    @Test func `a signed root that is taken out is missed, whatever it leaves`() async throws {
        try await ProvenMonth.with { month in
            #expect(try month.verify().findings == [])
            let gone = "its root was signed by key \(month.root.key), and is gone"
            #expect(try found(month, "DELETE FROM period_root") == [gone])
            let both = try found(month, "DELETE FROM period_root; " + Self.changed)
            #expect(both == [Self.notRecorded, gone] || both == [gone, Self.notRecorded])
        }
    }

    @Test func `the row of a month that was closed is missed`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let gone = try found(month, "DELETE FROM period WHERE period = 202403")
            #expect(gone == ["it was closed, and its row is gone"])
        }
    }

    @Test func `signed roots and keys keep their numbers, and a key all of its text`() async throws {
        try await ProvenMonth.with { month in
            let numbers = try found(month, "UPDATE period_root SET number = number + 1")
            #expect(numbers == ["they are not numbered one behind the other, as they were signed"])
            for change in [
                "number = number + 1", "message = replace(message, 'added=20', 'added=21')",
                "message = message || 'more' || chr(10)", "added_at = added_at + interval '1 hour'",
            ] {
                let told = try found(month, "UPDATE signing_key SET " + change)
                #expect(told == ["its name, its public key and the text that was endorsed do not fit"], "\(change)")
            }
        }
    }

    /// The record of a signature stands in the chain of the month in which it was signed, which may have nothing else.
    @Test func `the record of a signature is missed, with its link and without`() async throws {
        try await ProvenMonth.with { month in
            let record = "position(convert_to('root delegation=', 'UTF8') IN records) > 0"
            try Sequencer.run(month.link)
            let whole = "the record of that is gone"
            let alone = try found(month, "DELETE FROM block WHERE " + record)
            #expect(alone.contains { $0.hasSuffix(whole) }, "\(alone)")
            #expect(alone.contains("the last block of its chain is gone"), "\(alone)")
            let both = try found(
                month,
                """
                DELETE FROM chain c USING block b
                 WHERE (b.transaction, b.block_id) = (c.transaction, c.block_id) AND \(record);
                DELETE FROM block WHERE \(record)
                """)
            #expect(both.contains { $0.hasSuffix(whole) }, "\(both)")
        }
    }

    @Test func `nor is another root signed in its place`() async throws {
        try await ProvenMonth.with { month in
            try month.link.script("SET session_replication_role = replica; DELETE FROM period_root; " + Self.changed)
            let again = try RootSigning(month.link).sign(
                ProvenMonth.period, with: SigningKey(file: month.folder + "/first.key"))
            #expect(again.root != month.root.root)
            let found = try month.verify().findings.map(\.found)

            #expect(found.contains("its signed root is not the one that was recorded"), "\(found)")
            #expect(found.contains(Self.notRecorded))
        }
    }

    /// A month is signed once, whoever asks again; its record is proved as any other once its own month is signed.
    @Test func `the record of a root names it, and is written once`() async throws {
        try await ProvenMonth.with { month in
            try RootSigning(month.link).sign(ProvenMonth.period, with: SigningKey(file: month.folder + "/first.key"))
            var records: [String] = []
            for place in try ProofStore(month.link).places() {
                try ProofStore(month.link).eachBlock(place.delegation, place.period) { block in
                    records += LedgerBlock.unpack(block.records).map { String(decoding: $0, as: UTF8.self) }
                        .filter { $0.hasPrefix("root ") }
                        .map { "\(place.delegation) \(place.period): \($0)" }
                }
            }

            #expect(
                records == [
                    "1 2024-04: root delegation=1 period=2024-03 root=\(LedgerTree.hex(month.root.root)) "
                        + "key=\(month.root.key) at=2024-04-02T06:00:00.000Z"
                ])
        }
    }
}
