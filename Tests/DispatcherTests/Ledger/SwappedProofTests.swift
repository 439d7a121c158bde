// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import Testing

/// Parts of proofs of two signed months, put together: a record of one month is in no other one.
struct SwappedProofTests {
    private func text(_ part: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(part), as: UTF8.self)
    }

    /// A proof with one of its parts in the place of another one.
    private func swapped(_ proof: LedgerProof, _ own: some Encodable, _ other: some Encodable) throws -> LedgerProof {
        let (whole, former) = (try text(proof), try text(own))
        #expect(whole.contains(former))
        return try LedgerProof(text: Array(whole.replacing(former, with: try text(other)).utf8))
    }

    @Test func `a proof of one month does not hold with the root, the chain or the block of another`() async throws {
        try await ProvenMonth.with { month in
            let link = month.link
            let april = ProvenMonth.period.advanced(byMonths: 1)
            try link.script(
                """
                INSERT INTO period VALUES (202404, 'open', '2024-04-01', NULL, NULL);
                CREATE TABLE outcome_202404 PARTITION OF outcome FOR VALUES IN (202404);
                """)
            let records = (1...3).map { number in
                LedgerRecord(
                    delegation: DealtMonth.delegation, period: april,
                    "pause delegation=9 agency=ACE0\(number) strategy=administrative side=agency reason=x at=2024-04-02T06:00:00.000Z"
                )
            }
            try link.insertBlocks(LedgerBlock.seal(records))
            try link.script("UPDATE clock SET virtual_now = '2024-05-20T06:00:00Z'")
            _ = try MonthClosing(link, period: april).close(evenIfEmpty: true)
            let signing = RootSigning(link)
            try signing.sign(april, with: SigningKey(file: month.folder + "/first.key"))
            let proofs = [
                try signing.prove(receipt: month.receipts[0]), try signing.prove(receipt: records[1].receipt),
            ]
            #expect(try proofs.map { try $0.check().period } == ["2024-03", "2024-04"])
            #expect(proofs[0].root != proofs[1].root && proofs[0].chain != proofs[1].chain)

            for (own, other) in [(proofs[0], proofs[1]), (proofs[1], proofs[0])] {
                let broken = try [
                    swapped(own, own.root, other.root), swapped(own, own.chain, other.chain),
                    swapped(swapped(own, own.root, other.root), own.chain, other.chain),
                    swapped(own, own.root.message, other.root.message),
                    swapped(
                        swapped(own, own.root.message, other.root.message), own.root.signature, other.root.signature),
                    swapped(own, own.root.signature, other.root.signature),
                    swapped(swapped(own, own.record, other.record), own.receipt, other.receipt),
                ]
                for (index, proof) in broken.enumerated() {
                    #expect(throws: LedgerProof.Broken.self, "swap \(index)") { try proof.check() }
                }
            }
        }
    }
}
