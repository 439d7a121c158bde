// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A pause as the institution orders it: of one strategy, in some or all places.
package struct PauseOrder {
    private let strategy: Strategy
    private let delegation: Delegation?
    private let agency: AgencyID?
    private let reason: String
    private let until: Timestamp?

    /// - Throws: ``CommandFailure`` of usage.
    package init(
        strategy: String, delegation: Int16?, agency: String?, reason: String, until: String?
    ) throws(CommandFailure) {
        self.strategy = try Words.strategy(strategy)
        self.delegation = try delegation.map(Words.delegation)
        self.agency = try agency.map(Words.agency)
        self.reason = try Words.token(reason, "reason")
        self.until = try until.map(Words.midnight)
    }

    package func set(_ link: DatabaseLink) throws -> String {
        if let until, until <= (try link.readNow()) {
            throw CommandFailure(.usage, "\(until) has passed", remedy: "Give a later day, or none.")
        }
        let places = try places(link)
        guard !places.isEmpty else {
            throw CommandFailure(
                .findings, "no contract in force has that strategy there", remedy: "Check the words, and the contracts."
            )
        }
        let changed = try link.transaction {
            try Pauses.set(link, places, side: .institution, isPaused: true, reason: reason, until: until)
        }
        return "\(strategy.name): paused in \(changed.count) places"
            + (changed.count < places.count ? ", paused before in \(places.count - changed.count)" : "")
    }

    package func lift(_ link: DatabaseLink) throws -> String {
        let places = try link.readPauses().map(\.place).filter(fits)
        let changed = try link.transaction {
            try Pauses.set(link, places, side: .institution, isPaused: false, reason: reason)
        }
        return "\(strategy.name): resumed in \(changed.count) places"
    }

    /// The pauses in force, one line each, or a JSON array.
    package static func list(asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let pauses = try link.readPauses().map(ListedPause.init)
        if asJSON { return try JSONText.of(pauses) }
        guard !pauses.isEmpty else { return "nothing is paused" }
        var table = TextTable(columns: [.right, .left, .left, .left, .left, .left])
        table.row(["delegation", "agency", "strategy", "by", "reason", "until"])
        for pause in pauses {
            table.row([
                "\(pause.delegation)", pause.agency, pause.strategy, pause.by, pause.reason,
                pause.until ?? "it is lifted",
            ])
        }
        return table.lines.joined(separator: "\n")
    }

    private func places(_ link: DatabaseLink) throws -> [AgencyPlace] {
        try link.readPlaces().filter(fits).sorted {
            ($0.delegation, $0.agency) < ($1.delegation, $1.agency)
        }
    }

    private func fits(_ place: AgencyPlace) -> Bool {
        place.strategy == strategy && (delegation.map { $0 == place.delegation } ?? true)
            && (agency.map { $0 == place.agency } ?? true)
    }
}

private struct ListedPause: Encodable {
    let delegation: Int16
    let agency, strategy, by, reason, since: String
    let until: String?

    init(_ pause: PauseRow) {
        delegation = pause.place.delegation.value
        agency = pause.place.agency.description
        strategy = pause.place.strategy.name
        by = pause.side
        reason = pause.reason
        since = pause.since.description
        until = pause.until?.description
    }
}
