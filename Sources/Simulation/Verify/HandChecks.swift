// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto

/// Who draws from a hand: the contracts that it was dealt to, by their agencies, and what it was dealt as.
struct HandChecks {
    let history: History
    let records: LedgerRecords

    func run(_ verdict: inout Verdict) {
        drawn(&verdict)
        recorded(&verdict)
    }

    /// A grant out of a hand is one of the hand's contracts, of that contract's agency, and counts under its quota of the hand's
    /// strategy and portfolio.
    private func drawn(_ verdict: inout Verdict) {
        let agencies = Dictionary(
            history.instances.compactMap { name, number in
                name.split(separator: " ").first.flatMap { AgencyID(text: $0) }.map { (number, $0.value) }
            }
        ) { first, _ in first }
        for grant in history.grants {
            guard let hand = history.dealtHands[grant.grant.hand] else { continue }
            verdict.count(.deals)
            let told =
                "grant \(grant.grant) of contract \(grant.contract), agency \(grant.agency), quota \(grant.quota) at "
                + "\(grant.grantedAt)"
            let dealt = "hand \(grant.grant.hand) was dealt to contract \(hand.contractWords), as \(hand.words)"
            if !hand.contracts.contains(grant.contract) {
                add("a contract was granted what another one was dealt", [dealt, told], &verdict)
            }
            if let place = history.quotaPlaces[grant.quota],
                place.contract != grant.contract || place.portfolio != hand.portfolio
                    || place.strategy.map({ $0 != hand.strategy }) ?? false
            {
                add(
                    "a grant counts under another quota than its hand's",
                    [dealt, told, "quota \(grant.quota) is of contract \(place.contract), \(place.words)"], &verdict)
            }
            // What an opening took over was granted by nobody here.
            guard grant.instance != 0 else { continue }
            if let agency = history.contractAgencies[grant.contract], agency != grant.agency {
                add(
                    "an agency was granted what is another one's contract's",
                    [told, "contract \(grant.contract) is of agency \(agency)"], &verdict)
            }
            if let agency = agencies[grant.instance], agency != grant.agency {
                add(
                    "a grant is of another agency than the installation that pulled",
                    [told, "installation \(grant.instance) is of agency \(agency)"], &verdict)
            }
        }
    }

    /// Each hand is what was recorded when it was dealt: whose, what, and which accounts in which order.
    private func recorded(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        var deals: [Int32: LogFields] = [:]
        for record in records.of("deal") {
            let fields = record.fields
            guard let hand = fields.number("hand").flatMap({ Int32(exactly: $0) }) else { continue }
            deals[hand] = fields
        }
        let positions = Dictionary(grouping: history.positions, by: \.hand)
        for (number, hand) in history.dealtHands.sorted(by: { $0.key < $1.key }) where !hand.isInactive {
            verdict.count(.deals)
            guard let fields = deals.removeValue(forKey: number) else {
                add("a hand was never recorded", ["hand \(number) of contract \(hand.contractWords)"], &verdict)
                continue
            }
            let accounts = (positions[number] ?? []).sorted { $0.position < $1.position }
            let told = [
                "contract": hand.contractWords, "strategy": Strategy(rawValue: hand.strategy)?.name ?? "?",
                "portfolio": Portfolio(rawValue: hand.portfolio)?.name ?? "?", "accounts": "\(hand.size)",
                "leases": Hex.text(Self.digest(accounts)),
            ]
            let wrong = told.filter { fields[Substring($0.key)].map(String.init) != $0.value }.keys.sorted()
            guard !wrong.isEmpty else { continue }
            add(
                "a hand is not what was recorded of it",
                [
                    "recorded of hand \(number): "
                        + wrong.map { "\($0)=\(fields[Substring($0)] ?? "nothing")" }.joined(separator: " "),
                    "it is " + wrong.map { "\($0)=\(told[$0] ?? "")" }.joined(separator: " "),
                ], &verdict)
        }
        for number in deals.keys.sorted() where history.dealtHands[number] == nil {
            add("a hand that was recorded is gone", ["hand \(number)"], &verdict)
        }
    }

    /// Over the accounts in their order, each as its number and epoch in eight bytes.
    private static func digest(_ positions: [History.Position]) -> [UInt8] {
        var sha = SHA256()
        for position in positions {
            sha.update(data: Merkle.bytes(position.held.account.value) + Merkle.bytes(position.held.epoch.value))
        }
        return Array(sha.finalize())
    }

    private func add(_ found: String, _ events: [String], _ verdict: inout Verdict) {
        verdict.add(Finding(.deals, history.delegation, found, events: events))
    }
}

extension Merkle {
    /// Eight bytes, most significant first.
    static func bytes(_ number: Int64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

extension History.DealtHand {
    fileprivate var contractWords: String { contracts.map(String.init).joined(separator: ",") }
    fileprivate var words: String {
        "\(Strategy(rawValue: strategy)?.name ?? "?") \(Portfolio(rawValue: portfolio)?.name ?? "?")"
    }
}

extension History.QuotaPlace {
    fileprivate var words: String {
        "\(strategy.flatMap { Strategy(rawValue: $0)?.name } ?? "?") \(Portfolio(rawValue: portfolio)?.name ?? "?")"
    }
}
