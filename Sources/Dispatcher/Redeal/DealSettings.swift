// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// How the month is dealt in some delegations and a strategy, as an operator sets it.
package struct DealSettings {
    private let strategy: Strategy
    private let delegations: [Delegation]
    private let unpulledDays: Int32?
    private let by: String

    /// - Parameter unpulledDays: 1 to 366, or `off`.
    /// - Throws: ``CommandFailure`` of usage.
    package init(strategy: String, delegations: [Int16], unpulledDays: String, by: String) throws(CommandFailure) {
        self.strategy = try Words.strategy(strategy)
        var places: [Delegation] = []
        for number in delegations { places.append(try Words.delegation(number)) }
        self.delegations = places.isEmpty ? Delegation.all : places
        if unpulledDays == "off" {
            self.unpulledDays = nil
        } else if let days = Int32(unpulledDays), (1...366).contains(days) {
            self.unpulledDays = days
        } else {
            throw CommandFailure(
                .usage, "'\(unpulledDays)' is no number of days", remedy: "Give 1 to 366, or off.")
        }
        self.by = try Words.person(by)
    }

    package func set(_ link: DatabaseLink) throws -> String {
        try link.transaction { try link.setUnpulledDays(unpulledDays, strategy, delegations, by: by) }
        let places = delegations.count == Delegation.all.count ? "every delegation" : "\(delegations.count) delegations"
        return unpulledDays.map { "\(strategy.name): in \(places) what is not pulled for \($0) days goes to others" }
            ?? "\(strategy.name): in \(places) what is not pulled stays where it is"
    }

    private struct Listed: Encodable {
        let delegation: Int16
        let strategy: String
        let unpulledDays: Int32?
        let setBy, setAt: String
    }

    /// The settings in force, one line each, or a JSON array.
    package static func list(asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let rows = try link.readDealSettings()
        if asJSON {
            return try JSONText.of(
                rows.map {
                    Listed(
                        delegation: $0.delegation.value, strategy: $0.strategy.name, unpulledDays: $0.unpulledDays,
                        setBy: $0.by, setAt: $0.at.description)
                })
        }
        guard !rows.isEmpty else { return "nothing is set: what nobody pulls stays where it is" }
        var table = TextTable(columns: [.right, .left, .right, .left, .left])
        table.row(["delegation", "strategy", "days without a pull", "by", "since"])
        for row in rows {
            table.row([
                "\(row.delegation)", row.strategy.name, row.unpulledDays.map(String.init) ?? "off", row.by,
                row.at.description,
            ])
        }
        return table.lines.joined(separator: "\n")
    }
}
