// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// How the agencies behaved in a month, beside each other. It judges nobody: a star says that a figure stands out from the agencies'
/// median, and that somebody should look.
package struct AgencyConduct {
    /// One figure of an agency: a part of a whole, or a plain number.
    package enum Figure: String, CaseIterable, Sendable {
        case pulled, worked, perAccount = "per-account", most, late, paying, returned, stale, clones

        /// On which side of the median it stands out.
        fileprivate var isSuspectHigh: Bool {
            switch self {
            case .pulled, .worked, .paying: false
            case .perAccount, .most, .late, .returned, .stale, .clones: true
            }
        }

        fileprivate var isShare: Bool {
            switch self {
            case .pulled, .worked, .late, .paying, .returned, .stale: true
            case .perAccount, .most, .clones: false
            }
        }

        /// Below it a figure is small whatever the others are: basis points, or a hundredth of one.
        fileprivate var smallest: Int64 {
            switch self {
            case .pulled, .worked, .paying: 0
            case .late, .stale: 500
            case .returned: 1_000
            case .perAccount: 300
            case .most: 1_000
            case .clones: 100
            }
        }
    }

    package let period: Period
    package let rows: [ConductRow]
    /// Whether any payment of the month is known; without one nobody's debtors can be seen to pay.
    private let hasPayments: Bool
    private let medians: [Figure: Int64]

    package init(_ link: PgLink, period: Period) throws {
        let zone = MexicanTimeZone.mexicoCity.standardOffsetSeconds
        let first = Timestamp(date: period.firstDay, offsetSeconds: zone)
        let end = Timestamp(date: period.advanced(byMonths: 1).firstDay, offsetSeconds: zone)
        self.init(
            period: period, rows: try link.readConduct(period, from: first, until: end),
            hasPayments: try link.hasPayments(period))
    }

    package init(period: Period, rows: [ConductRow], hasPayments: Bool = true) {
        self.period = period
        self.rows = rows
        self.hasPayments = hasPayments
        var medians: [Figure: Int64] = [:]
        for figure in Figure.allCases {
            let values = rows.compactMap { Self.value(figure, of: $0) }.sorted()
            if !values.isEmpty { medians[figure] = values[values.count / 2] }
        }
        self.medians = medians
    }

    /// Shares in basis points, numbers in hundredths; `nil` where it has nothing to be divided by.
    package static func value(_ figure: Figure, of row: ConductRow) -> Int64? {
        func share(_ part: Int64, _ whole: Int64) -> Int64? { whole > 0 ? part * 10_000 / whole : nil }
        switch figure {
        case .pulled: return share(row.pulled, row.dealt)
        case .worked: return share(row.worked, row.pulled)
        case .perAccount: return row.worked > 0 ? row.outcomes * 100 / row.worked : nil
        case .most: return row.mostOnOne * 100
        case .late: return share(row.late, row.outcomes)
        case .paying: return share(row.reachedAndPaid, row.reached)
        case .returned: return share(row.returned, row.pulled)
        case .stale: return share(row.evidence, row.outcomes + row.evidence)
        case .clones: return row.clones * 100
        }
    }

    /// Fewer cases than these say nothing.
    package static let casesMin: Int64 = 10

    /// How many cases a figure is made of; of a plain number it does not matter.
    private static func cases(_ figure: Figure, of row: ConductRow) -> Int64 {
        switch figure {
        case .pulled: row.dealt
        case .worked, .returned: row.pulled
        case .perAccount: row.worked
        case .late: row.outcomes
        case .paying: row.reached
        case .stale: row.outcomes + row.evidence
        case .most, .clones: casesMin
        }
    }

    /// Twice the median and more, or half of it and less, of ten cases at least.
    package func standsOut(_ figure: Figure, _ row: ConductRow) -> Bool {
        guard Self.cases(figure, of: row) >= Self.casesMin, figure != .paying || hasPayments else { return false }
        guard let value = Self.value(figure, of: row), let median = medians[figure] else { return false }
        return figure.isSuspectHigh
            ? value >= figure.smallest && value >= 2 * median && value > 0 : median > 0 && value <= median / 2
    }

    /// How many cases it takes until half of the median, or twice of it, is more than two standard errors away from it: with fewer a
    /// figure says nothing either way, unless it is further away than that.
    private func casesNeeded(_ figure: Figure) -> Int64 {
        guard figure.isShare, let median = medians[figure], median > 0, median < 10_000 else { return Self.casesMin }
        let distance = figure.isSuspectHigh ? max(median, figure.smallest - median) : max(1, median / 2)
        let square = distance * distance
        return max(Self.casesMin, (4 * median * (10_000 - median) + square - 1) / square)
    }

    /// Whether there are too few cases to say that an agency does not stand out.
    package func isTooFew(_ figure: Figure, _ row: ConductRow) -> Bool {
        guard figure != .paying || hasPayments, Self.value(figure, of: row) != nil else { return false }
        return !standsOut(figure, row) && Self.cases(figure, of: row) < casesNeeded(figure)
    }

    package var lines: [String] {
        guard !rows.isEmpty else { return ["there are no contracts"] }
        var table = TextTable(columns: [.left] + Array(repeating: .right, count: Figure.allCases.count + 2))
        table.row(["agency", "dealt", "reports"] + Figure.allCases.map(\.rawValue))
        for row in rows {
            table.row(
                [row.agency.description, Console.grouped(Int(row.dealt)), Console.grouped(Int(row.outcomes))]
                    + Figure.allCases.map { cell($0, row) })
        }
        return table.lines + [
            "",
            "pulled of dealt, worked of pulled, reports per worked account, most reports on one account, reports later than 24 hours after "
                + "the work, paying of reached, returned of pulled, refused as stale of all reports, sign-ins refused as a clone's.",
            "* twice the agencies' median and more, or half of it and less, of ten cases at least: somebody should look.",
            "? too few cases to judge: half of the median, or twice of it, could be chance.",
        ] + (hasPayments ? [] : ["paying: no payment of \(period) is loaded yet (dispatcherd import payments)."])
    }

    private func cell(_ figure: Figure, _ row: ConductRow) -> String {
        guard figure != .paying || hasPayments, let value = Self.value(figure, of: row) else { return "- " }
        let mark = standsOut(figure, row) ? "*" : isTooFew(figure, row) ? "?" : " "
        if figure.isShare {
            let tenths = (value + 5) / 10
            return "\(tenths / 10).\(tenths % 10) %\(mark)"
        }
        switch figure {
        case .perAccount: return "\(value / 100).\(value % 100 / 10)\(mark)"
        default: return "\(Console.grouped(Int(value / 100)))\(mark)"
        }
    }

    private struct Listed: Encodable {
        let agency: String
        let dealt, pulled, outcomes, worked, mostOnOne, late, reached, returned, evidence, clones: Int64
        /// Absent where no payment of the month is loaded yet.
        let reachedAndPaid: Int64?
        let standsOut: [String]
        /// Figures of too few cases to judge.
        let tooFew: [String]
    }

    package func json() throws -> String {
        try JSONText.of(
            rows.map { row in
                Listed(
                    agency: row.agency.description, dealt: row.dealt, pulled: row.pulled, outcomes: row.outcomes,
                    worked: row.worked, mostOnOne: row.mostOnOne, late: row.late, reached: row.reached,
                    returned: row.returned, evidence: row.evidence, clones: row.clones,
                    reachedAndPaid: hasPayments ? row.reachedAndPaid : nil,
                    standsOut: Figure.allCases.filter { standsOut($0, row) }.map(\.rawValue),
                    tooFew: Figure.allCases.filter { isTooFew($0, row) }.map(\.rawValue))
            })
    }
}
