// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

struct LedgerCheckTests {
    private static let texts = ["first", "second", "third"]

    private func history() throws -> History {
        var history = try History.sound()
        let leaves = Self.texts.map { Array(SHA256.hash(data: [0] + Array($0.utf8))) }
        let pair = Array(SHA256.hash(data: [1] + leaves[0] + leaves[1]))
        let root = Array(SHA256.hash(data: [1] + pair + leaves[2]))
        var records: [UInt8] = []
        for text in Self.texts { records += [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }
        let start = [UInt8](repeating: 0, count: 32)
        history.blocks = [History.Block(id: 1, period: 202_403, records: records, count: 3, root: root)]
        history.links = [
            History.Link(period: 202_403, height: 1, block: 1, head: Array(SHA256.hash(data: start + root)))
        ]
        history.closedPeriods = [202_403]
        history.operations[1].receipt = leaves[1]
        return history
    }

    @Test func `a whole ledger holds every receipt`() throws {
        #expect(Judge.judge(try history()).broken == [])
    }

    @Test func `a changed record breaks the root, and takes its receipt away`() throws {
        var history = try history()
        history.blocks[0].records[14] ^= 1

        #expect(Judge.judge(history).broken == [.ledger, .ledger])
    }

    @Test func `a head that does not follow is found`() throws {
        var history = try history()
        history.links[0].head[0] ^= 1

        #expect(Judge.judge(history).broken == [.ledger])
    }

    @Test func `a block outside the chain of a closed period is found`() throws {
        var history = try history()
        history.links = []
        #expect(Judge.judge(history).broken == [.ledger])

        history.closedPeriods = []
        #expect(Judge.judge(history).broken == [])
        #expect(Judge.judge(history).notes.count == 1)
    }
}
