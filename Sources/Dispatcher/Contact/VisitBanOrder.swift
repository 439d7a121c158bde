// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A territory without visits, as an operator orders it. A visit reported there is taken and marked, from the order on (GEO-02).
package struct VisitBanOrder {
    private let ban: VisitBan

    /// - Parameter municipality: its five digits; `nil`: the whole delegation.
    /// - Throws: ``CommandFailure`` of usage.
    package init(delegation: Int16, municipality: String?, pack: String) throws(CommandFailure) {
        let place = try Words.delegation(delegation)
        var town: Municipality?
        if let municipality {
            guard let known = Municipality(text: municipality), known.delegation == place else {
                throw CommandFailure(
                    .usage, "\(municipality) is no municipality of delegation \(delegation)",
                    remedy: "Write its five digits, the delegation's two first, as 14039.")
            }
            town = known
        }
        guard let rules = RulePack(rawValue: pack) else {
            let names = RulePack.allCases.map(\.rawValue)
            let hint = nearestName(to: pack, among: names).map { "Did you mean \($0)? " } ?? ""
            throw CommandFailure(
                .usage, "\(pack) is no rule pack", remedy: hint + "They are \(names.joined(separator: ", ")).")
        }
        ban = VisitBan(delegation: place, municipality: town, pack: rules)
    }

    package func add(_ link: DatabaseLink) throws -> String {
        "\(words): \(try link.insertVisitBan(ban) ? "no visits from now on" : "there were no visits before")"
    }

    package func remove(_ link: DatabaseLink) throws -> String {
        guard try link.deleteVisitBan(ban) else {
            throw CommandFailure(
                .findings, "\(words) has no such ban", remedy: "`dispatcherd visit-ban list` shows those in force.")
        }
        return "\(words): visits are allowed again"
    }

    /// The bans in force, one line each, or a JSON array.
    package static func list(asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let bans = try link.readVisitBans().map { ListedVisitBan($0.ban, since: $0.since) }
        if asJSON { return try JSONText.of(bans) }
        guard !bans.isEmpty else { return "visits are allowed everywhere" }
        var table = TextTable(columns: [.right, .left, .left, .left])
        table.row(["delegation", "municipality", "pack", "since"])
        for ban in bans { table.row(["\(ban.delegation)", ban.municipality ?? "all", ban.pack, ban.since]) }
        return table.lines.joined(separator: "\n")
    }

    private var words: String {
        "delegation \(ban.delegation)\(ban.municipality.map { " municipality \($0)" } ?? "") under \(ban.pack.rawValue)"
    }
}

private struct ListedVisitBan: Encodable {
    let delegation: Int16
    let municipality: String?
    let pack, since: String

    init(_ ban: VisitBan, since: Timestamp) {
        delegation = ban.delegation.value
        municipality = ban.municipality?.description
        pack = ban.pack.rawValue
        self.since = since.description
    }
}
