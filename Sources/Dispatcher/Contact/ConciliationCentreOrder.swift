// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A municipality with a conciliation centre, as an operator says. In 91–120 days late `fna` has the centre see debtors there, and the
/// agency's own visits are taken and marked (CAD-16).
package struct ConciliationCentreOrder {
    private let town: Municipality

    /// - Parameter municipality: its five digits.
    /// - Throws: ``CommandFailure`` of usage.
    package init(municipality: String) throws(CommandFailure) {
        guard let town = Municipality(text: municipality) else {
            throw CommandFailure(
                .usage, "\(municipality) is no municipality",
                remedy: "Write its five digits, the delegation's two first, as 14039.")
        }
        self.town = town
    }

    package func add(_ link: DatabaseLink) throws -> String {
        "municipality \(town): "
            + (try link.insertCentre(town) ? "it has a conciliation centre from now on" : "it had one before")
    }

    package func remove(_ link: DatabaseLink) throws -> String {
        guard try link.deleteCentre(town) else {
            throw CommandFailure(
                .findings, "municipality \(town) has no conciliation centre",
                remedy: "`dispatcherd conciliation-centre list` shows those that have one.")
        }
        return "municipality \(town): it has no conciliation centre any more"
    }

    /// Those known, one line each, or a JSON array.
    package static func list(asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let centres = try link.readCentres().map {
            ListedCentre(
                delegation: $0.town.delegation.value, municipality: $0.town.description, since: $0.since.description)
        }
        if asJSON { return try JSONText.of(centres) }
        guard !centres.isEmpty else { return "no municipality has a conciliation centre" }
        var table = TextTable(columns: [.right, .left, .left])
        table.row(["delegation", "municipality", "since"])
        for centre in centres { table.row(["\(centre.delegation)", centre.municipality, centre.since]) }
        return table.lines.joined(separator: "\n")
    }
}

private struct ListedCentre: Encodable {
    let delegation: Int16
    let municipality, since: String
}
