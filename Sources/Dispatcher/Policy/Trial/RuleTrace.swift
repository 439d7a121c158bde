// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// One rule of a policy with what the account says to it.
package struct RuleTrace: Encodable, Sendable {
    package let rule: String
    package let title: String
    package let titulo: String
    package let origins: [String]
    package let held: Bool
    /// Whether the order of the rules came to it; what stands behind the deciding rule is answered for comparison only.
    package let isAsked: Bool
    package let condition: ConditionTrace

    init(_ name: String, _ title: Title, _ origins: [String], _ condition: ConditionTrace, isAsked: Bool) {
        self.rule = name
        self.title = title.english
        self.titulo = title.spanish
        self.origins = origins
        self.held = condition.held
        self.isAsked = isAsked
        self.condition = condition
    }

    /// The rule, and its tests below it, also where it was not asked: they say what it would have come to.
    func lines(indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        let origin = origins.isEmpty ? "" : " (\(origins.joined(separator: ", ")))"
        let head = "\(rule): \(title)\(origin)"
        let mark = isAsked ? (held ? "[x] \(head)" : "[ ] \(head)") : " -  \(head): not asked any more"
        return [space + mark] + condition.lines(indent: indent + 4)
    }
}

/// What a choice by conditions came to: the portfolio, or the class.
package struct ChoiceTrace: Encodable, Sendable {
    package struct Option: Encodable, Sendable {
        package let value: String
        package let condition: ConditionTrace
    }
    package let of: String
    package let value: String
    /// Those that were asked, in order.
    package let options: [Option]

    func lines(indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        return ["\(space)\(of): \(value)"]
            + options.flatMap { option in
                ["\(space)  \(option.value), if"] + option.condition.lines(indent: indent + 4)
            }
    }
}

/// A strategy, with its tactics and choices where it takes the account.
package struct StrategyTrace: Encodable, Sendable {
    package let rule: RuleTrace
    package let tactics: [RuleTrace]
    package let choices: [ChoiceTrace]

    func lines(indent: Int) -> [String] {
        rule.lines(indent: indent) + (tactics.isEmpty ? [] : ["\(String(repeating: " ", count: indent + 4))tactics"])
            + tactics.flatMap { $0.lines(indent: indent + 6) } + choices.flatMap { $0.lines(indent: indent + 4) }
    }
}
