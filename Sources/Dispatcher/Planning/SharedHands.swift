// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Which contracts of a pool pull from one hand where the settings share it: those of the same terms. What an account takes of
/// a bond is fixed with its position, and the rules of contact with the hand; so contracts whose bond counts otherwise,
/// or that have other rule packs, have a hand of their own, shared among their like.
enum SharedHands {
    private struct Terms: Hashable {
        let packs: [String]
        let exposure: Exposure
    }

    /// - Parameter sharers: the contracts that may pull of the pool.
    static func joined(
        _ shares: [DealShare], sharers: Set<ContractID>, _ contracts: [ContractID: ContractRow]
    ) -> [DealShare] {
        var numbers: [Terms: Int] = [:]
        return shares.map { share in
            guard sharers.contains(share.contract), let contract = contracts[share.contract] else { return share }
            let terms = Terms(packs: contract.packs.sorted(), exposure: contract.exposure)
            var joined = share
            joined.sharing = numbers[terms] ?? numbers.count
            numbers[terms] = joined.sharing
            return joined
        }
    }
}
