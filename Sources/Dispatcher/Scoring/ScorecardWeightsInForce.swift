// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// The weights that a month's scorecards take, for people.
package struct ScorecardWeightsInForce {
    private let from: Period?
    private let weights: ScorecardWeights

    package init(_ link: PgLink, period: Period) throws {
        let inForce = try ScorecardStore(link, period: period).weights()
        from = inForce?.from
        weights = inForce?.weights ?? .standard
    }

    package var lines: [String] {
        var table = TextTable(columns: [.left, .right, .right, .left])
        table.row(["measure", "weight", "sample", "what"])
        for entry in weights.entries {
            table.row([entry.measure.rawValue, "\(entry.weight)", "\(entry.sample)", entry.measure.name])
        }
        let source = from.map { "loaded for \($0)" } ?? "the shipped ones; nobody has loaded others"
        return table.lines + ["", source]
    }

    package var json: String {
        let json = CanonicalJSON.object([
            "from": .string(from?.description ?? "standard"),
            "weights": .array(
                weights.entries.map { entry in
                    .object([
                        "measure": .string(entry.measure.rawValue), "weight": .number(entry.weight),
                        "sample": .number(entry.sample),
                    ])
                }),
        ])
        return String(json.text.dropLast())
    }
}
