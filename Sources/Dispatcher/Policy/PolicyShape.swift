// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The names that one mapping of a policy file may have, and what stands behind each: said once, for the reader and for
/// the JSON Schema that editors complete and check by.
struct PolicyShape: Sendable {
    struct Key: Sendable {
        let name: String
        let isRequired: Bool
        let value: Value
        /// One sentence for people; editors show it.
        let meaning: String

        init(_ name: String, _ value: Value, required isRequired: Bool = true, _ meaning: String) {
            self.name = name
            self.isRequired = isRequired
            self.value = value
            self.meaning = meaning
        }
    }

    indirect enum Value: Sendable {
        /// A name of the author's own making.
        case word
        case text
        case date
        case origins
        case condition
        /// What comparisons a band may have.
        case range
        case portfolio
        case integer(ClosedRange<Int64>)
        /// A number with its unit: `30 days`.
        case quantity(unit: String, ClosedRange<Int64>)
        case oneOf([String])
        /// Counts by delegation.
        case byDelegation(ClosedRange<Int64>)
        /// With a member at least, where so said.
        case list(Value, isFilled: Bool = false)
        case record(PolicyShape)
    }

    /// How it is called in the schema.
    let name: String
    let keys: [Key]

    var required: [String] { keys.filter(\.isRequired).map(\.name) }
    var optional: [String] { keys.filter { !$0.isRequired }.map(\.name) }
}

extension PolicyShape {
    static let file = PolicyShape(
        name: "policy",
        keys: [
            Key("policy", .word, "The policy's name."),
            Key("version", .word, required: false, "The version's name; `versions` instead where there are several."),
            Key("effective", .date, required: false, "The first day of the version."),
            Key("versions", .list(.record(version)), required: false, "The versions, the oldest first."),
            Key("title", .record(title), "What it is called."),
            Key(
                "packs", .list(.oneOf(PolicyPack.words)),
                "Rule packs, and words that read one of them otherwise; what is not named does not apply."),
            Key("bands", .list(.record(bandSet)), required: false, "Named ranges that conditions can use."),
            Key("relief", .list(.record(relief)), required: false, "Solutions, and who may be offered them."),
            Key(
                "exclusions", .list(.record(exclusion)), "Who may not be collected; the first that holds is the reason."
            ),
            Key(
                "tactics", .list(.record(tactic)), "Ways of working, used by strategies in the order that they give."),
            Key(
                "strategies", .list(.record(strategy), isFilled: true),
                "Who is collected how; the first that holds takes the account."),
            Key("mediation", .record(mediation), required: false, "Invitations on top of a strategy."),
            Key("exhaustion", .record(exhaustion), required: false, "When social collection has ended, and reports."),
        ])

    static let version = PolicyShape(
        name: "version",
        keys: [
            Key("version", .word, "The version's name; rules say `since` and `before` by it."),
            Key("effective", .date, "Its first day."),
            Key("title", .record(title), required: false, "What it is called, if not as the policy."),
        ])

    static let title = PolicyShape(
        name: "title", keys: [Key("es", .text, "In Spanish."), Key("en", .text, "In English.")])

    static let bandSet = PolicyShape(
        name: "band-set",
        keys: [
            Key("bands", .word, "The name of the set."), Key("title", .record(title), "What it is called."),
            Key("origin", .origins, "Catalogue IDs that it comes from."),
            Key(
                "field", .oneOf(AccountField.banded.map(\.name)),
                "What is cut into bands: a number, an amount or a percent."),
            Key("ranges", .list(.record(band)), "The bands, the lowest first."),
        ])

    static let band = PolicyShape(
        name: "band",
        keys: [
            Key("band", .word, "Its name, unique in the policy."), Key("range", .range, "Which values belong to it."),
        ]
    )

    private static let ruleKeys = [
        Key("title", .record(title), "What it is called."),
        Key("origin", .origins, "Catalogue IDs that it comes from."),
        Key("when", .condition, "Which accounts it is for."),
    ]

    private static let spanKeys = [
        Key("since", .word, required: false, "The first version that has it."),
        Key("before", .word, required: false, "The first version that has it no more."),
    ]

    static let relief = PolicyShape(
        name: "relief", keys: [Key("relief", .word, "The solution's name.")] + ruleKeys + spanKeys)

    static let exclusion = PolicyShape(
        name: "exclusion",
        keys: [Key("reason", .word, "The reason's name.")] + ruleKeys + [
            Key("until", .oneOf(AccountField.dates.map(\.name)), required: false, "The date field that ends it.")
        ] + spanKeys)

    private static let priority = 1...99 as ClosedRange<Int64>

    static let tactic = PolicyShape(
        name: "tactic",
        keys: [Key("tactic", .word, "The tactic's name.")] + ruleKeys + [
            Key("priority", .integer(priority), "The class; 1 is served first.")
        ] + spanKeys)

    static let strategy = PolicyShape(
        name: "strategy",
        keys: [Key("strategy", .oneOf(Strategy.collecting.map(\.name)), "Which of the strategies.")] + ruleKeys + [
            Key("tactics", .list(.word), "Its tactics by name; the last one has the condition `always`."),
            Key("portfolio", .portfolio, "By telephone or by home visit."),
            Key("urgent", .list(.record(urgent)), required: false, "Classes that go before the tactic's own."),
        ] + holdingKeys + spanKeys)

    static let urgent = PolicyShape(
        name: "urgent",
        keys: [
            Key("class", .integer(priority), "The class; 1 is served first."),
            Key("when", .condition, "Which accounts it is for."),
        ])

    static let holdingKeys = [
        Key("term", .quantity(unit: "days", 1...365), "Days from the grant to the end of its term."),
        Key("ceiling", .quantity(unit: "days", 1...730), "The furthest that extensions reach, in days from the grant."),
        Key("grace", .quantity(unit: "hours", 0...720), "Hours after the term in which work still counts."),
        Key("late_report", .quantity(unit: "hours", 0...720), "Hours after an ending in which reports are taken."),
        Key(
            "activity", .quantity(unit: "days", 1...365), required: false,
            "Days from the grant in which the first work must be reported."),
        Key(
            "unlocatable", .quantity(unit: "days", 0...365), required: false,
            "Days in which an account must be back whose debtor cannot be found."),
    ]

    static let mediation = PolicyShape(
        name: "mediation",
        keys: ruleKeys + [
            Key("invites", .oneOf(Strategy.collecting.map(\.name)), "The strategy whose accounts are invited."),
            Key("sessions", .record(sessions), "How many sessions a delegation has in a month."),
            Key("portfolio", .portfolio, "By telephone or by home visit."),
        ] + holdingKeys + spanKeys)

    static let sessions = PolicyShape(
        name: "sessions",
        keys: [
            Key(
                "one_per", .quantity(unit: "accounts", 1...1_000_000_000), required: false,
                "One session per so many accounts of the delegation's cut."),
            Key("fixed", .byDelegation(0...10_000_000), required: false, "For delegations that set their own."),
        ])

    static let exhaustion = PolicyShape(
        name: "exhaustion",
        keys: [
            Key("clauses", .list(.record(clause)), "All must be met for a certificate."),
            Key("segregation", .list(.record(clause)), required: false, "All must be met to leave the balance sheet."),
            Key("return_to_balance", .list(.record(clause)), required: false, "All must be met to come back to it."),
        ])

    static let clause = PolicyShape(
        name: "clause", keys: [Key("clause", .word, "The clause's name.")] + ruleKeys + spanKeys)

    /// The comparisons that a field of some kind can be tested with, beside a value and a list of values.
    static func comparisons(_ kind: AccountField.Kind) -> [String] {
        switch kind {
        case .number, .money, .percent: ["above", "at_least", "below", "at_most", "between"]
        case .date: ["after", "on_or_after", "before", "on_or_before", "between", "within"]
        case .flag, .code: []
        }
    }

    /// What a condition may be called beside the fields.
    static let connectives = ["all", "any", "not", "band", "offered"]
}

extension Strategy {
    /// Those that take accounts by themselves; mediation only invites.
    static let collecting = allCases.filter { $0 != Invitation.strategy }
}

extension AccountField {
    static let dates = allCases.filter { $0.kind == .date }
    /// What can be cut into bands.
    static let banded = allCases.filter { [.number, .money, .percent].contains($0.kind) }
}
