// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The agencies as they stand, and what was ever ordered about one.
package enum AgencyList {
    private struct Listed: Encodable {
        let agency, name, status: String
        let motive: String?
        let suspended: [String]
        let held: Int64
        let since, by: String?
    }
    private struct Ordered: Encodable {
        let agency, action: String
        let strategy, band: String?
        let motive, held: String
        let recallOn: String?
        let by, at: String
    }

    /// Every agency, or one with its history, one line each, or JSON.
    package static func text(agency: String?, asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let one = try agency.map(Words.agency)
        let rows = try link.readAgencyStatus(of: one)
        guard !rows.isEmpty else {
            throw CommandFailure(
                one == nil ? .findings : .usage, one.map { "there is no agency \($0)" } ?? "there are no agencies",
                remedy: "They come with the contracts: dispatcherd import contracts.")
        }
        let orders = try one.map { try link.readAgencyOrders(of: $0) } ?? []
        if asJSON { return try one == nil ? JSONText.of(rows.map(listed)) : JSONText.of(orders.map(ordered)) }
        var table = TextTable(columns: [.left, .left, .left, .right, .left, .left, .left])
        table.row(["agency", "name", "status", "holds", "motive", "suspended", "since"])
        for row in rows {
            table.row([
                row.agency.description, row.name, row.status, Console.grouped(Int(row.held)), row.motive ?? "",
                suspended(row).joined(separator: " "), row.since?.description ?? "",
            ])
        }
        return (table.lines + history(orders)).joined(separator: "\n")
    }

    private static func history(_ orders: [AgencyOrderRow]) -> [String] {
        guard !orders.isEmpty else { return [] }
        var table = TextTable(columns: [.left, .left, .left, .left, .left, .left])
        table.row(["at", "order", "of", "motive", "held", "by"])
        for order in orders {
            table.row([
                order.at.description, order.action.rawValue,
                [order.strategy?.name, order.band].compactMap(\.self).joined(separator: ":"), order.motive,
                order.finalAt.map { "recalled for \($0)" } ?? "kept", order.by,
            ])
        }
        return [""] + table.lines
    }

    private static func suspended(_ row: AgencyStatusRow) -> [String] {
        row.suspensions.map { $0.strategy.name + ($0.band.isEmpty ? "" : ":\($0.band)") }
    }

    private static func listed(_ row: AgencyStatusRow) -> Listed {
        Listed(
            agency: row.agency.description, name: row.name, status: row.status, motive: row.motive,
            suspended: suspended(row), held: row.held, since: row.since?.description, by: row.by)
    }

    private static func ordered(_ row: AgencyOrderRow) -> Ordered {
        Ordered(
            agency: row.agency.description, action: row.action.rawValue, strategy: row.strategy?.name, band: row.band,
            motive: row.motive, held: row.held.rawValue, recallOn: row.finalAt?.description, by: row.by,
            at: row.at.description)
    }
}
