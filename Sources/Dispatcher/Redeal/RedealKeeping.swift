// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// What the nodes look after besides serving: rounds that were stopped, hands that nobody pulls or whose contract has ended, and what
/// came back.
///
/// Any number of nodes may do it: a hand is withdrawn under its lock, and there is one round at a time.
package enum RedealKeeping {
    /// Hands of one look.
    private static let handsMax: Int32 = 200
    private static let name = "upkeep"

    /// - Parameter dealAgain: how long after a deal what came back meanwhile is dealt again; zero: never.
    /// - Returns: accounts that were dealt.
    package static func run(_ link: PgLink, dealAgain: Duration) throws -> Int64 {
        let store = RedealStore(link)
        if let round = try store.unfinished() {
            // Somebody's round that goes on is waited for; what else there is to do is there in the next look.
            guard !round.isAlive else { return 0 }
            do {
                return try RedealRun.goOn(link, showsProgress: false)?.accounts ?? 0
            } catch is RedealRun.Outrun {
                // Another node was first, and goes on with it.
                return 0
            }
        }
        guard try store.dealtPeriod() != nil else { return 0 }
        let unpulled = try link.readUnpulledHands(limit: handsMax)
        if !unpulled.isEmpty { return try passOn(link, unpulled) }
        if try !link.readEndedHands(limit: 1).isEmpty {
            return try deal(link, RedealScope(.leftOver), reason: EndedContracts.reason)
        }
        guard dealAgain > .zero, try link.isDealOlder(than: dealAgain.components.seconds) else { return 0 }
        return try deal(link, RedealScope(.leftOver), reason: "left-over")
    }

    /// Withdraws the hands and deals what waited in them to those who pull.
    private static func passOn(_ link: PgLink, _ hands: [UnpulledHand]) throws -> Int64 {
        var accounts: Int64 = 0
        let places = Dictionary(grouping: hands) {
            TargetKey(delegation: $0.key.delegation, strategy: $0.strategy)
        }
        for (place, hands) in places.sorted(by: {
            ($0.key.delegation, $0.key.strategy) < ($1.key.delegation, $1.key.strategy)
        }) {
            let reason = "unpulled"
            try link.transaction {
                let withdrawn = try link.withdrawHands(WithdrawalScope(hands: hands.map(\.key)), reason: reason)
                let now = try link.readNow()
                let period = Period.ofWork(at: now)
                try link.insertBlocks(
                    LedgerBlock.seal(withdrawn.map { .withdrawal($0, reason: reason, period: period, at: now) }))
            }
            let scope = RedealScope(
                .leftOver, delegations: [place.delegation], strategies: [place.strategy],
                excluded: Dictionary(grouping: hands, by: \.contract).mapValues { Set($0.map(\.station)) })
            accounts += try deal(link, scope, reason: reason)
        }
        return accounts
    }

    private static func deal(_ link: PgLink, _ scope: RedealScope, reason: String) throws -> Int64 {
        try RedealRun(link, scope: scope, reason: reason, by: name, showsProgress: false).dealOrYield()
    }
}
