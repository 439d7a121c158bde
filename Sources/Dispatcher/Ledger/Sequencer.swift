// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// Chains sealed blocks, per delegation and period, in the order of their transactions.
package enum Sequencer {
    static let batchMax: Int32 = 2_000

    /// Chains everything that is committed for good.
    ///
    /// - Returns: how many blocks were chained.
    @discardableResult
    package static func run(_ link: PgLink) throws -> Int {
        var total = 0
        while true {
            let count = try link.transaction { try chainBatch(link) }
            total += count
            if count < Int(batchMax) { return total }
        }
    }

    private static func chainBatch(_ link: PgLink) throws -> Int {
        let unchained = try link.lockUnchained(limit: batchMax)
        var ends = unchained.ends
        let links = unchained.blocks.map { block in
            let end = ends[block.delegation]?[block.period]
            let next = ChainEnd(
                height: (end?.height ?? 0) + 1,
                head: LedgerTree.head(after: end?.head ?? LedgerTree.firstHead, root: block.root))
            ends[block.delegation, default: [:]][block.period] = next
            return ChainLink(block: block, height: next.height, head: next.head)
        }
        try link.appendChain(links)
        return links.count
    }
}
