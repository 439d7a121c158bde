// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// Words of the command line that name things of the domain, read once and refused with what they should be.
enum Words {
    static func delegation(_ number: Int16) throws(CommandFailure) -> Delegation {
        guard let delegation = Delegation(number) else {
            throw CommandFailure(.usage, "\(number) is no delegation", remedy: "Delegations are 1 to 32.")
        }
        return delegation
    }

    static func account(_ number: Int64) throws(CommandFailure) -> AccountID {
        guard let account = AccountID(number) else {
            throw CommandFailure(.usage, "\(number) is no account", remedy: "Accounts are 1 to 9999999999.")
        }
        return account
    }

    static func agency(_ text: String) throws(CommandFailure) -> AgencyID {
        guard let agency = AgencyID(text: text) else {
            throw CommandFailure(.usage, "\(text) is no agency", remedy: "Agencies are written as ACE07.")
        }
        return agency
    }

    static func strategy(_ text: String) throws(CommandFailure) -> Strategy {
        let names = Strategy.allCases.map(\.name)
        guard let strategy = Strategy.allCases.first(where: { $0.name == text }) else {
            let hint = nearestName(to: text, among: names).map { "Did you mean \($0)? " } ?? ""
            throw CommandFailure(
                .usage, "\(text) is no strategy", remedy: hint + "They are \(names.joined(separator: ", ")).")
        }
        return strategy
    }

    /// A word that goes over the wire as it is: a reason, a name.
    static func token(_ text: String, _ what: String) throws(CommandFailure) -> String {
        guard let token = Token(text) else {
            throw CommandFailure(
                .usage, "'\(text)' is no \(what)", remedy: "A \(what) is \"1 to 64 of A-Z a-z 0-9 . _ -\".")
        }
        return token.text
    }

    /// A rule as it is written in statements: its capitals, whatever was typed; a line of it, `PEN-01:telephone`, in small letters.
    static func rule(_ text: String) -> String {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return ([parts.first?.uppercased() ?? ""] + parts.dropFirst().map { $0.lowercased() }).joined(separator: ":")
    }

    /// Who does it, as typed for `--by`: kept as it is, and one word in the ledger.
    static func person(_ text: String) throws(CommandFailure) -> String {
        guard (1...PersonName.lengthMax).contains(text.count), !PersonName.folded(text).isEmpty else {
            throw CommandFailure(
                .usage, "--by names nobody", remedy: "Name who does it, in 1 to \(PersonName.lengthMax) characters.")
        }
        if let foreign = PersonName.foreign(in: text) {
            throw CommandFailure(
                .usage, "--by has \(foreignness(foreign))",
                remedy:
                    "Letters that look like others would make two persons of one; write the name in plain Latin letters, accents included."
            )
        }
        return text
    }

    /// What is wrong with a character of a name: it is of another script, or a Latin letter that is easily taken for another one or for two.
    static func foreignness(_ scalar: Unicode.Scalar) -> String {
        let isLatin = scalar.properties.name?.hasPrefix("LATIN ") ?? false
        return (isLatin ? "a letter that looks like another: " : "a character that is no Latin letter: ")
            + spelled(scalar)
    }

    /// `U+0410`: what it looks like tells nobody which character it is.
    static func spelled(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// What waits for a decision before a month is closed.
    static func undecided(_ count: Int64, _ period: Period) -> String {
        "\(counted(count, "objection or adjustment", "objections or adjustments")) of \(period) "
            + (count == 1 ? "waits for a decision" : "wait for a decision")
    }

    /// `1 account`, `0 accounts`, `2,709 accounts`.
    ///
    /// - Parameter several: where it is not the word with an s.
    static func counted(_ count: Int64, _ one: String, _ several: String? = nil) -> String {
        "\(Console.grouped(Int(count))) \(count == 1 ? one : several ?? one + "s")"
    }

    /// Names one after the other, and how many more there are.
    static func list(_ names: [String], shown count: Int) -> String {
        let more = names.count - count
        return names.prefix(count).joined(separator: ", ") + (more > 0 ? " and \(Console.grouped(more)) more" : "")
    }

    /// The first lines of a list, and how many more there are.
    static func first(_ count: Int, of lines: [String]) -> [String] {
        let more = lines.count - count
        return more > 0 ? lines.prefix(count) + ["… and \(Console.grouped(more)) more; --json has all"] : lines
    }

    /// The first instant of a day by the clocks of Mexico City.
    static func midnight(_ text: String) throws(CommandFailure) -> Timestamp {
        guard let day = LocalDate(text: text) else {
            throw CommandFailure(.usage, "\(text) is no day", remedy: "Write a day as 2024-12-31.")
        }
        return Timestamp(date: day, offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }
}
