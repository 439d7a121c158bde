// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Something in a policy that is allowed and probably not meant.
package struct PolicyWarning: Hashable, Sendable, Encodable, CustomStringConvertible {
    package let line: Int
    package let column: Int
    /// The rule, as in `strategies.dual`.
    package let rule: String
    package let found: String
    package let advice: String

    package var description: String { "line \(line), column \(column): warning: \(rule): \(found); \(advice)" }
}

/// Looks for what a version's rules can never do. Says only what it can prove; see ``ConditionSpace``.
struct PolicyReview {
    /// Boxes in which what is left for a strategy is followed up.
    private static let leftMax = 128
    /// Rules among which those that are needed are looked for.
    private static let comparedMax = 12

    private let read: ReadPolicy
    private var policy: Policy { read.policy }
    private(set) var warnings: [PolicyWarning] = []
    /// Rules that ask for a value that no account has.
    var outOfRange: Set<String> = []
    /// Values that belong to no band, which have been told.
    private(set) var bandGaps: [(field: AccountField, range: ClosedRange<Int64>)] = []

    /// - Parameter known: rules that were compared with each other in another version, and not once more.
    init(_ read: ReadPolicy, known: Set<Placing> = []) {
        self.read = read
        reviewValues(read.policy)
        reviewBands()
        reviewTactics()
        reviewRelief()
        reviewExclusions()
        reviewEnds(of: read.policy.exclusions)
        if !known.contains(Placing(read.policy)) {
            reviewPlacement()
            reviewGaps(read.policy)
        }
        reviewExhaustion()
    }

    /// All that decides where accounts go.
    struct Placing: Hashable {
        private let relief: [Relief]
        private let exclusions: [Exclusion]
        private let strategies: [StrategyRule]
        private let invitation: Invitation?

        init(_ policy: Policy) {
            relief = policy.relief
            exclusions = policy.exclusions
            strategies = policy.strategies
            invitation = policy.invitation
        }
    }

    /// The warnings of all versions, in the order of the file; what is so in several versions is said once.
    static func warnings(_ versions: [ReadPolicy]) -> [PolicyWarning] {
        var found: [PolicyWarning] = []
        var known: Set<Placing> = []
        for version in versions {
            for warning in PolicyReview(version, known: known).warnings where !found.contains(warning) {
                found.append(warning)
            }
            known.insert(Placing(version.policy))
        }
        return found.sorted { ($0.line, $0.column, $0.rule) < ($1.line, $1.column, $1.rule) }
    }

    mutating func warn(_ rule: String, at place: String? = nil, _ found: String, _ advice: String) {
        let place = read.places[place ?? rule]
        warnings.append(
            PolicyWarning(line: place?.line ?? 0, column: place?.column ?? 0, rule: rule, found: found, advice: advice))
    }

    // MARK: Bands

    private mutating func reviewBands() {
        for set in read.bands {
            let bands = set.bands.sorted {
                ($0.atLeast ?? .min, $0.atMost ?? .max) < ($1.atLeast ?? .min, $1.atMost ?? .max)
            }
            for (lower, upper) in zip(bands, bands.dropFirst()) { review(lower, upper, field: set.field) }
        }
    }

    private mutating func review(_ lower: PolicyBandSet.Band, _ upper: PolicyBandSet.Band, field: AccountField) {
        let end = lower.atMost ?? .max
        let start = upper.atLeast ?? .min
        if start <= end {
            let common = field.shown(start) + (end > start && end < .max ? " to \(field.shown(end))" : "")
            warn(
                "bands.\(upper.name)", "it overlaps '\(lower.name)' from \(common)",
                "let each value belong to one band, both ends included")
        } else if start > end + 1 {
            bandGaps.append((field, end + 1...start - 1))
            let gap = field.shown(end + 1) + (start > end + 2 ? " to \(field.shown(start - 1))" : "")
            warn(
                "bands.\(upper.name)", "between '\(lower.name)' and it \(field.name) \(gap) belongs to no band",
                "let it start right after the other ends")
        }
    }

    // MARK: Rules that no account reaches

    private mutating func reviewTactics() {
        for name in read.idleTactics {
            warn(
                "tactics.\(name)", "no strategy names it, so it has no term and gets no account",
                "name it under a strategy's 'tactics', or take it out")
        }
    }

    private mutating func reviewRelief() {
        for relief in policy.relief where ConditionSpace(relief.when, relief: [])?.isEmpty == true {
            warnImpossible("relief.\(relief.name)")
        }
    }

    /// ASG-10: what the policy leaves out of the union of reasons why an account may not be leased.
    private mutating func reviewExclusions() {
        for exclusion in read.addedExclusions {
            warn(
                "exclusions", "it does not take every account with '\(exclusion.title.english)'",
                "such an account is excluded all the same, as '\(exclusion.reason)' "
                    + "(\(exclusion.origins.joined(separator: ", "))); write the exclusion, so that the policy says so")
        }
        let open = ExclusionFloor.uncovered(
            ExclusionFloor.expected, by: policy.exclusions, relief: policy.relief)
        for exclusion in open {
            warn(
                "exclusions", "it does not take every account with '\(exclusion.title.english)'",
                "such an account is collected; add an exclusion, as '\(exclusion.reason)' in "
                    + "policies/infonavit-2023.yaml (\(exclusion.origins.joined(separator: ", ")))")
        }
    }

    private mutating func reviewExhaustion() {
        guard let exhaustion = policy.exhaustion else { return }
        let lists = [
            ("clauses", exhaustion.clauses), ("segregation", exhaustion.segregation),
            ("return_to_balance", exhaustion.returnToBalance),
        ]
        for (name, clauses) in lists {
            for clause in clauses where ConditionSpace(clause.when, relief: [])?.isEmpty == true {
                warnImpossible("exhaustion.\(name).\(clause.name)")
            }
            guard let last = clauses.last, clauses.count > 1,
                ConditionSpace(.all(clauses.map(\.when)), relief: [])?.isEmpty == true
            else { continue }
            warn(
                "exhaustion.\(name).\(last.name)", "no account can meet it together with the clauses before it",
                "all clauses of a list must be met at once")
        }
    }

    private mutating func reviewPlacement() {
        let everyone = ConditionSpace(.always, relief: [])
        let exclusions = policy.exclusions.map { Named("exclusions.\($0.reason)", $0.reason, $0.when) }
        _ = walk(exclusions, within: everyone, before: [])
        let strategies = policy.strategies.map { rule in
            Named("strategies.\(rule.strategy.name)", rule.strategy.name, rule.when)
        }
        let left = walk(strategies, within: everyone, before: exclusions, keepsLeft: true)
        for (rule, space) in zip(policy.strategies, left) {
            let path = "strategies.\(rule.strategy.name)"
            let tactics = (rule.tactics + [rule.rest]).map { tactic in
                Named("\(path).\(tactic.name)", tactic.name, tactic.when, place: "\(path).tactics")
            }
            // A strategy that gets nobody is said once, not again for each of its tactics.
            guard let space, !space.isEmpty else { continue }
            _ = walk(tactics, within: space, before: [])
            reviewOptions(rule.portfolio.options.map { ($0.value.name, $0.when) }, path, "portfolio", within: space)
            reviewOptions(rule.urgent.map { ("class \($0.value)", $0.when) }, path, "urgent", within: space)
        }
        reviewInvitation(zip(policy.strategies, left).map { ($0.strategy, $1) })
    }

    private mutating func reviewOptions(
        _ options: [(String, Condition)], _ path: String, _ part: String, within space: ConditionSpace
    ) {
        let named = options.enumerated().map { index, option in
            Named("\(path).\(part)[\(index + 1)]", option.0, option.1, place: path)
        }
        _ = walk(named, within: space, before: [])
    }

    private mutating func reviewInvitation(_ left: [(Strategy, ConditionSpace?)]) {
        guard let invitation = policy.invitation, let when = ConditionSpace(invitation.when, relief: policy.relief),
            let space = left.first(where: { $0.0 == invitation.from })?.1, !space.isEmpty
        else { return }
        if when.isEmpty {
            warnImpossible("mediation")
        } else if space.intersection(when)?.isEmpty == true {
            warn(
                "mediation", "no account of '\(invitation.from.name)' can meet its condition",
                "compare it with the strategy's own condition")
        }
    }

    private struct Named {
        let rule: String
        let name: String
        let when: Condition
        let place: String

        init(_ rule: String, _ name: String, _ when: Condition, place: String? = nil) {
            self.rule = rule
            self.name = name
            self.when = when
            self.place = place ?? rule
        }
    }

    /// Goes down a list in which the first rule that holds wins, and warns of those that no account reaches.
    ///
    /// - Parameters:
    ///   - before: rules that come earlier still, reviewed already.
    ///   - keepsLeft: whether what is returned is without what the rules before take, which takes long in a long list.
    /// - Returns: for each rule the accounts that reach it, or more of them; `nil` where they are too many boxes to tell.
    private mutating func walk(
        _ rules: [Named], within space: ConditionSpace?, before: [Named], keepsLeft: Bool = false
    ) -> [ConditionSpace?] {
        var taken = before.compactMap { rule in spaceOf(rule.when).map { (rule.name, $0) } }
        return rules.map { rule in
            guard let space, let own = spaceOf(rule.when), let mine = space.intersection(own) else { return nil }
            if own.isEmpty {
                warnImpossible(rule.rule, at: rule.place)
                return mine
            }
            if mine.isEmpty {
                warn(
                    rule.rule, at: rule.place, "no account that comes this far can meet its condition",
                    "compare it with the strategy's own condition")
                return mine
            }
            let before = taken
            taken.append((rule.name, own))
            // Most often one rule alone takes all of it, which is told without cutting it to pieces.
            let alone = before.firstIndex { mine.cover([$0.1]) != nil }
            if let cover = alone.map({ [$0] }) ?? mine.cover(before.map(\.1)) {
                warnShadowed(rule, mine, cover.map { before[$0] })
                return spaceOf(.any([]))
            }
            guard keepsLeft else { return mine }
            // Where it is too much to tell what is left of it, it is looked at as if nothing had been taken.
            return before.reduce(Optional(mine)) { $0?.subtracting($1.1, upTo: Self.leftMax) } ?? mine
        }
    }

    /// - Parameter taken: rules that take all of its accounts together.
    private mutating func warnShadowed(_ rule: Named, _ mine: ConditionSpace, _ taken: [(String, ConditionSpace)]) {
        // As few of them as take everything together.
        var needed = taken
        if taken.count <= Self.comparedMax {
            for name in taken.map(\.0) {
                let fewer = needed.filter { $0.0 != name }
                if mine.cover(fewer.map(\.1)) != nil { needed = fewer }
            }
        }
        let who = needed.map { "'\($0.0)'" }.listed(5)
        warn(
            rule.rule, at: rule.place,
            "it never gets an account: \(who) before it \(needed.count == 1 ? "takes" : "take") every one that it would",
            "put it before, narrow what is before it, or take it out")
    }

    private mutating func warnImpossible(_ rule: String, at place: String? = nil) {
        // Where one of its values alone is why, that has been said.
        guard !outOfRange.contains(rule) else { return }
        warn(rule, at: place, "no account can meet its condition", "compare its tests: they contradict each other")
    }

    private func spaceOf(_ condition: Condition) -> ConditionSpace? {
        ConditionSpace(condition, relief: policy.relief)
    }
}

extension AccountField {
    /// A value as the policy writes it.
    fileprivate func shown(_ value: Int64) -> String {
        switch kind {
        case .money: "\(Cents(value)) pesos"
        case .percent where numbersPerBasisPoint > 1: words(for: value)
        case .percent: "\(Cents(value)) %"
        case .number, .date, .flag, .code: "\(value)"
        }
    }
}
