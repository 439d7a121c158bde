// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Which moves a manager wants to see the accounts of: words for where they come from and where they go.
///
/// A word is a rule (`dual.rest`, `exclusion.lawsuit`, `none`), all rules of one kind (`dual`, `exclusion`, `placed`),
/// or `any`.
package struct MoveCell: Hashable, Sendable {
    package let from: String
    package let to: String

    package init(from: String, to: String) {
        self.from = from
        self.to = to
    }

    func holds(_ from: Verdict.Kind, _ to: Verdict.Kind) -> Bool {
        Self.matches(self.from, from) && Self.matches(self.to, to)
    }

    private static func matches(_ word: String, _ kind: Verdict.Kind) -> Bool {
        switch word {
        case "any": true
        case "placed": kind.strategy != nil
        default: kind.rule == word || kind.rule.hasPrefix(word + ".")
        }
    }

    /// - Throws: ``CommandFailure`` (usage) where a policy cannot give such a verdict, which is mostly a misspelt word.
    func check(old: Policy, new: Policy) throws(CommandFailure) {
        for (word, policy) in [(from, old), (to, new)] {
            let known = Self.words(policy)
            guard !known.contains(word) else { continue }
            let near = nearestName(to: word, among: known).map { "Did you mean '\($0)'?" }
            throw CommandFailure(
                .usage, "\(policy.name) \(policy.version) has no verdict '\(word)'",
                remedy: near ?? "Write one as dual.rest, dual, exclusion.lawsuit, exclusion, placed, none or any")
        }
    }

    private static func words(_ policy: Policy) -> [String] {
        var words = ["any", "placed", "none", "exclusion"] + policy.exclusions.map { "exclusion.\($0.reason)" }
        for rule in policy.strategies {
            let tactics = (rule.tactics + [rule.rest]).map(\.name)
            var names = [rule.strategy.name]
            if let invitation = policy.invitation, invitation.from == rule.strategy {
                names.append(Invitation.strategy.name)
            }
            for name in names { words += [name] + tactics.map { "\(name).\($0)" } }
        }
        return words
    }
}
