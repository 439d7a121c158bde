// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The verdicts that one policy can give, each as one small number, so that millions of them can be compared.
///
/// 0 is `none`, nothing to collect; then come the exclusions in the policy's order, then every strategy, tactic and
/// portfolio.
struct VerdictTable: Sendable {
    static let none: Int32 = 0

    private let exclusions: [String]
    private let tactics: [String]
    private let policy: Policy

    init(_ segmenter: Segmenter) {
        self.policy = segmenter.policy
        self.exclusions = segmenter.policy.exclusions.map(\.reason)
        self.tactics = segmenter.tactics
    }

    /// How many codes there are.
    var count: Int { 1 + exclusions.count + Strategy.allCases.count * tactics.count * Portfolio.allCases.count }

    func code(exclusion index: Int) -> Int32 { Int32(index) + 1 }

    func code(_ placement: Placement) -> Int32 {
        let work = (Int32(placement.strategy.rawValue) - 1) * Int32(tactics.count) + Int32(placement.tactic)
        return Int32(exclusions.count) + 1 + work * 2 + Int32(placement.portfolio.rawValue) - 1
    }

    func verdict(_ code: Int32) -> Verdict {
        guard code > 0 else { return Verdict(kind: .nothing, portfolio: nil) }
        let placed = Int(code) - 1 - exclusions.count
        guard placed >= 0 else {
            return Verdict(kind: .excluded(reason: exclusions[Int(code) - 1]), portfolio: nil)
        }
        let work = placed / 2
        guard let strategy = Strategy(rawValue: Int16(work / tactics.count) + 1),
            let portfolio = Portfolio(rawValue: Int16(placed % 2) + 1)
        else { preconditionFailure("no verdict has the code \(code)") }
        return Verdict(kind: .placed(strategy, tactic: tactics[work % tactics.count]), portfolio: portfolio)
    }

    /// Where a verdict stands in lists: strategies with their tactics as written, exclusions after them, then `none`.
    func order(_ kind: Verdict.Kind) -> [Int] {
        switch kind {
        case .placed(let strategy, let tactic):
            [0, -Int(strategy.rawValue), policy.place(ofTactic: tactic, in: strategy)]
        case .excluded(let reason): [1, exclusions.firstIndex(of: reason) ?? exclusions.count, 0]
        case .nothing: [2, 0, 0]
        }
    }
}

/// One verdict in words.
struct Verdict: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case placed(Strategy, tactic: String)
        case excluded(reason: String)
        case nothing

        /// As the rule is named in the table of placements; `none` has no row there.
        var rule: String {
            switch self {
            case .placed(let strategy, let tactic): "\(strategy.name).\(tactic)"
            case .excluded(let reason): "exclusion.\(reason)"
            case .nothing: "none"
            }
        }

        var strategy: Strategy? {
            if case .placed(let strategy, _) = self { return strategy }
            return nil
        }
    }

    let kind: Kind
    /// `nil` where nobody works the account.
    let portfolio: Portfolio?
}
