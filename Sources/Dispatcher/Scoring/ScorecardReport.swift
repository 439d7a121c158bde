// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import FoundationEssentials
package import PgStore

/// How a month rates each contract in each delegation: as the close kept it, or as the facts of an open month are now. Changes nothing.
package struct ScorecardReport {
    package struct Measure: Decodable, Equatable, Sendable {
        package let measure: String
        package let weight: Int64
        package let numerator: Int64
        package let denominator: Int64
        /// Millionths of the best; `nil` where it does not count.
        package let relative: Int64?
    }

    package struct Row: Equatable, Sendable {
        package let delegation: Int16
        package let contract: Int32
        package let agency: String
        /// Millionths; `nil` where nobody of the delegation has a sample that is large enough.
        package let points: Int64?
        package let isNeutral: Bool
        /// Against the month before; `nil` where it was not rated then.
        package let trend: Int64?
        package let weights: String
        package let measures: [Measure]
    }

    private struct Body: Decodable {
        let agency: String
        let weights: String
        let measures: [Measure]
    }

    package let period: Period
    /// Whether they are those that the close kept.
    package let isFinal: Bool
    package let rows: [Row]
    package let conduct: [ConductScore]

    package init(_ link: PgLink, period: Period) throws {
        self.period = period
        let counted = try MonthClosing(link, period: period).scorecards()
        isFinal = counted.isFinal
        conduct = counted.conduct
        let before = Dictionary(
            try ScorecardStore(link, period: period.advanced(byMonths: -1)).kept().map {
                (StatementPlace(contract: $0.contract, delegation: $0.delegation), $0.points)
            }, uniquingKeysWith: { $1 })
        rows = try counted.rows.map { row in
            let body = try JSONDecoder().decode(Body.self, from: Data(row.body.utf8))
            let former = before[StatementPlace(contract: row.contract, delegation: row.delegation)] ?? nil
            return Row(
                delegation: row.delegation, contract: row.contract, agency: body.agency, points: row.points,
                isNeutral: row.isNeutral, trend: row.points.flatMap { now in former.map { now - $0 } },
                weights: body.weights, measures: body.measures)
        }
    }

    /// `83.25` of 100, from millionths.
    static func text(_ points: Int64?) -> String {
        points.map { Ratio(Int128($0), over: 10_000).hundredths } ?? "–"
    }

    private static func signed(_ points: Int64?) -> String {
        points.map { ($0 > 0 ? "+" : "") + Ratio(Int128($0), over: 10_000).hundredths } ?? "new"
    }

    /// - Throws: ``CommandFailure`` where there is no such contract or delegation; one that was dealt nothing is no error.
    package static func requireKnown(contract: Int32?, delegation: Int16?, _ link: PgLink) throws {
        if let delegation { _ = try Words.delegation(delegation) }
        if let contract { _ = try AdjustmentScope.requireKnown(contract: contract, StageStore(link)) }
    }

    /// - Parameters:
    ///   - delegation: only that one.
    ///   - contract: only that one, with each measure on a line of its own.
    package func lines(delegation: Int16? = nil, contract: Int32? = nil) -> [String] {
        let shown = rows.filter {
            (delegation == nil || $0.delegation == delegation) && (contract == nil || $0.contract == contract)
        }
        guard !shown.isEmpty else {
            let who = contract.map { "to contract \($0) " } ?? ""
            return ["nothing was dealt \(who)in \(period)" + (delegation.map { ", delegation \($0)" } ?? "")]
        }
        let names = shown[0].measures.map(\.measure)
        var table = TextTable(columns: [.right, .right, .left, .right, .right] + names.map { _ in .right })
        table.row(["delegation", "contract", "agency", "points", "trend"] + names)
        for row in shown {
            let points = Self.text(row.points) + (row.isNeutral && row.points != nil ? "*" : "")
            let place = ["\(row.delegation)", "\(row.contract)", row.agency, points, Self.signed(row.trend)]
            table.row(place + row.measures.map { Self.text($0.relative) })
        }
        var lines =
            table.lines + ["", "measures are in percent of the delegation's best, with weights \(shown[0].weights):"]
        lines += shown[0].measures.map { measure in
            "\(measure.measure) × \(measure.weight)  \(ScorecardMeasure(rawValue: measure.measure)?.name ?? "")"
        }
        if shown.contains(where: \.isNeutral) {
            lines.append("* too small a sample: the mean of the delegation's other contracts")
        }
        if !isFinal { lines.append("the month is not closed: this is what is known so far, and no plan takes it") }
        if contract != nil { lines += shown.flatMap(details) }
        return lines
    }

    private func details(_ row: Row) -> [String] {
        ["", "delegation \(row.delegation):"]
            + row.measures.map { measure in
                let share = measure.relative.map { "\(Self.text($0)) % of the best" } ?? "does not count"
                return "  \(measure.measure): \(Self.figures(measure)) = "
                    + "\(Self.share(measure)), \(share), weight \(measure.weight)"
            }
    }

    /// `348,202.11 ÷ 16,624,862.41`: amounts in pesos, the others as they were counted.
    private static func figures(_ measure: Measure) -> String {
        let indicator = ScorecardMeasure(rawValue: measure.measure)?.indicator
        func text(_ value: Int64, isMoney: Bool?) -> String {
            isMoney == true ? grouped(Cents(value)) : grouped(value)
        }
        return text(measure.numerator, isMoney: indicator?.isMoney) + " ÷ "
            + text(measure.denominator, isMoney: indicator?.isOverMoney)
    }

    private static func share(_ measure: Measure) -> String {
        guard measure.denominator > 0 else { return "–" }
        return Ratio(Int128(measure.numerator) * 100, over: Int128(measure.denominator)).hundredths + " %"
    }

    package static let header =
        "delegation,contract,agency,points,neutral,trend,measure,weight,numerator,denominator,relative"

    /// A row per contract, delegation and measure as CSV, points and parts in millionths.
    ///
    /// - Returns: how many rows.
    package func write(to path: String) throws -> Int {
        try OutputFile.writing(path) { file in
            try file.write(Self.header)
            var count = 0
            for row in rows {
                for measure in row.measures {
                    count += 1
                    try file.write((Self.fields(row) + Self.fields(measure)).joined(separator: ","))
                }
            }
            return count
        }
    }

    private static func fields(_ row: Row) -> [String] {
        let points = row.points.map { "\($0)" } ?? ""
        let trend = row.trend.map { "\($0)" } ?? ""
        return ["\(row.delegation)", "\(row.contract)", row.agency, points, row.isNeutral ? "yes" : "no", trend]
    }

    private static func fields(_ measure: Measure) -> [String] {
        let relative = measure.relative.map { "\($0)" } ?? ""
        return [measure.measure, "\(measure.weight)", "\(measure.numerator)", "\(measure.denominator)", relative]
    }

    package var json: String {
        let json = CanonicalJSON.object([
            "period": .string("\(period)"), "final": .string(isFinal ? "yes" : "no"),
            "rows": .array(rows.map(Self.json)),
        ])
        return String(json.text.dropLast())
    }

    private static func json(_ row: Row) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "delegation": .number(Int64(row.delegation)), "contract": .number(Int64(row.contract)),
            "agency": .string(row.agency), "neutral": .string(row.isNeutral ? "yes" : "no"),
            "weights": .string(row.weights), "measures": .array(row.measures.map(json)),
        ]
        if let points = row.points { members["points"] = .number(points) }
        if let trend = row.trend { members["trend"] = .number(trend) }
        return .object(members)
    }

    private static func json(_ measure: Measure) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "measure": .string(measure.measure), "weight": .number(measure.weight),
            "numerator": .number(measure.numerator), "denominator": .number(measure.denominator),
        ]
        if let relative = measure.relative { members["relative"] = .number(relative) }
        return .object(members)
    }
}

extension ScorecardReport {
    /// Every agency's conduct with the points of each criterion by its own index and by its share.
    package var conductLines: [String] {
        guard !conduct.isEmpty else { return ["no agency worked in \(period)"] }
        var table = TextTable(columns: [.left, .left] + (0..<8).map { _ in .right })
        table.row(
            ["agency", "criterion", "bad", "of", "index %", "points", "share %", "points", "mean", "of at most"])
        func percent(_ ratio: Ratio) -> String { (ratio * Ratio(100)).hundredths }
        for score in conduct {
            for criterion in score.process.criteria {
                let count = ConductScore.Criterion(rawValue: criterion.name).flatMap { score.counts[$0] }
                table.row([
                    score.agency.description, criterion.name, "\(count?.bad ?? 0)", "\(count?.all ?? 0)",
                    percent(criterion.index.value), criterion.indexPoints.hundredths,
                    criterion.share.map { percent($0.value) } ?? "–", criterion.sharePoints?.hundredths ?? "–",
                    criterion.points.hundredths, "\(criterion.weight)",
                ])
            }
            table.row([score.agency.description, "all", "", "", "", "", "", "", score.points.hundredths, "100"])
        }
        return table.lines + [
            "", "points fall in a straight line from all, at none, to 1, at the worst agency (IDT-01, IDT-06);",
            "a criterion is the mean of the points by own index and by share of all agencies' (IDT-02)",
        ]
    }

    package var conductJSON: String {
        let json = CanonicalJSON.array(
            conduct.map { score in
                .object([
                    "agency": .string(score.agency.description), "points": .string(score.points.hundredths),
                    "criteria": .array(score.process.criteria.map { Self.json($0, of: score) }),
                ])
            })
        return String(json.text.dropLast())
    }

    private static func json(_ criterion: ScoreCriterion, of score: ConductScore) -> CanonicalJSON {
        let count = ConductScore.Criterion(rawValue: criterion.name).flatMap { score.counts[$0] }
        return .object([
            "criterion": .string(criterion.name), "weight": .number(criterion.weight),
            "bad": .number(count?.bad ?? 0), "all": .number(count?.all ?? 0),
            "indexPoints": .string(criterion.indexPoints.hundredths),
            "sharePoints": .string(criterion.sharePoints?.hundredths ?? ""),
            "points": .string(criterion.points.hundredths),
        ])
    }
}
