// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto

/// Recomputes every block's root and the chain of heads, and looks for each receipt that a client was given.
struct LedgerChecks {
    let history: History

    func run(_ verdict: inout Verdict) {
        var receipts = Set(history.operations.compactMap(\.receipt))
        verdict.count(.ledger, receipts.count)
        var roots: [Int64: History.Block] = [:]
        for block in history.blocks {
            verdict.count(.ledger)
            check(block, &receipts, &verdict)
            roots[block.id] = block
        }
        chain(roots, &verdict)
        for operation in history.operations {
            guard let receipt = operation.receipt, receipts.contains(receipt) else { continue }
            verdict.add(
                Finding(
                    .ledger, history.delegation, "a receipt is in no block of the ledger",
                    events: [operation.line]))
        }
    }

    private func check(_ block: History.Block, _ receipts: inout Set<[UInt8]>, _ verdict: inout Verdict) {
        let name = "block \(block.id) of \(block.period)"
        guard let leaves = Merkle.leaves(block.records), leaves.count == Int(block.count) else {
            verdict.add(Finding(.ledger, history.delegation, "a block's records do not add up", events: [name]))
            return
        }
        for leaf in leaves { receipts.remove(leaf) }
        let root = Merkle.root(leaves)
        guard root != block.root else { return }
        verdict.add(
            Finding(
                .ledger, history.delegation, "a block's root is not that of its records",
                events: ["\(name) says \(Hex.text(block.root))", "its records make \(Hex.text(root))"]))
    }

    private func chain(_ blocks: [Int64: History.Block], _ verdict: inout Verdict) {
        var chained: Set<Int64> = []
        let byPeriod = Dictionary(grouping: history.links, by: \.period)
        for period in byPeriod.keys.sorted() {
            var head = [UInt8](repeating: 0, count: 32)
            var height = byPeriod[period]?.map(\.height).min() ?? 0
            for link in (byPeriod[period] ?? []).sorted(by: { $0.height < $1.height }) {
                verdict.count(.ledger)
                let name = "height \(link.height) of \(period)"
                guard let block = blocks[link.block], block.period == period, chained.insert(link.block).inserted,
                    link.height == height
                else {
                    verdict.add(
                        Finding(
                            .ledger, history.delegation,
                            "the chain has a hole, or a block that is missing or chained twice",
                            events: ["\(name) names block \(link.block)", "height \(height) was expected"]))
                    break
                }
                head = Array(SHA256.hash(data: head + block.root))
                height += 1
                guard head != link.head else { continue }
                verdict.add(
                    Finding(
                        .ledger, history.delegation, "a head does not follow from the one before",
                        events: ["\(name) says \(Hex.text(link.head))", "the chain makes \(Hex.text(head))"]))
                break
            }
            signed(period, &verdict)
        }
        for period in history.signedEnds.keys.sorted() where byPeriod[period] == nil { signed(period, &verdict) }
        torn(blocks, chained, &verdict)
        unchained(blocks, chained, &verdict)
    }

    /// A chain that was signed goes at least as far as it went then, and through the same head.
    private func signed(_ period: Int32, _ verdict: inout Verdict) {
        guard let end = history.signedEnds[period] else { return }
        verdict.count(.ledger)
        let links = history.links.filter { $0.period == period }
        guard links.first(where: { $0.height == end.height })?.head != end.head else { return }
        verdict.add(
            Finding(
                .ledger, history.delegation, "a chain is not the one that was signed",
                events: [
                    "signed of \(period): height \(end.height), head \(Hex.text(end.head))",
                    links.max { $0.height < $1.height }.map {
                        "the chain ends at height \($0.height), head \(Hex.text($0.head))"
                    } ?? "the chain is empty",
                ]))
    }

    /// What the sequencer has passed stands in a chain.
    private func torn(_ blocks: [Int64: History.Block], _ chained: Set<Int64>, _ verdict: inout Verdict) {
        verdict.count(.ledger, history.sequencedBlocks.count)
        guard let first = history.sequencedBlocks.subtracting(chained).min() else { return }
        let period = blocks[first].map { "\($0.period)" } ?? "?"
        verdict.add(
            Finding(
                .ledger, history.delegation, "a chain was cut off: the sequencer had chained more",
                events: [
                    "block \(first) of \(period) was chained, and stands in no chain",
                    "chained blocks: \(chained.count) of \(history.sequencedBlocks.count)",
                ]))
    }

    private func unchained(_ blocks: [Int64: History.Block], _ chained: Set<Int64>, _ verdict: inout Verdict) {
        let waiting = blocks.values.filter { !chained.contains($0.id) && !history.sequencedBlocks.contains($0.id) }
            .sorted { $0.id < $1.id }
        guard let first = waiting.first(where: { history.closedPeriods.contains($0.period) }) else {
            if !waiting.isEmpty {
                verdict.note("delegation \(history.delegation): \(waiting.count) blocks wait for the sequencer")
            }
            return
        }
        verdict.add(
            Finding(
                .ledger, history.delegation, "a closed period has blocks that are not in its chain",
                events: ["block \(first.id) of \(first.period)"]))
    }
}

/// The hashes of the ledger: leaves SHA-256(0x00 ‖ record), nodes SHA-256(0x01 ‖ left ‖ right), an odd one promoted.
package enum Merkle {
    /// `nil` where lengths and bytes do not fit.
    package static func leaves(_ packed: [UInt8]) -> [[UInt8]]? {
        let records = records(packed)
        guard records.reduce(0, { $0 + $1.count + 4 }) == packed.count else { return nil }
        return records.map(leaf)
    }

    static func hash(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    package static func leaf(_ record: ArraySlice<UInt8>) -> [UInt8] { Array(SHA256.hash(data: [0] + record)) }

    /// The records of a block; what follows one that is cut off is left out.
    package static func records(_ packed: [UInt8]) -> [ArraySlice<UInt8>] {
        var records: [ArraySlice<UInt8>] = []
        var rest = packed[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= length else { break }
            records.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return records
    }

    /// The root of no leaves is the hash of nothing.
    package static func root(_ leaves: [[UInt8]]) -> [UInt8] {
        if leaves.isEmpty { return Array(SHA256.hash(data: [UInt8]())) }
        var level = leaves
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map { index in
                index + 1 < level.count ? Array(SHA256.hash(data: [1] + level[index] + level[index + 1])) : level[index]
            }
        }
        return level[0]
    }
}
