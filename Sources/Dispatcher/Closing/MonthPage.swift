// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// The month as text of one page.
package struct MonthPage {
    private let summary: MonthSummary

    package init(_ summary: MonthSummary) { self.summary = summary }

    package var lines: [String] {
        var lines = [
            "Month \(summary.period): \(Words.counted(Int64(summary.tally.contracts), "contract"))", "",
            row("strategy", ["placed", "dealt", "leased", "worked", "outcomes", "recovered"]),
        ]
        for figures in summary.strategies {
            lines.append(
                row(
                    figures.strategy.name,
                    [figures.placed, figures.dealt, figures.leased, figures.worked, figures.outcomes].map {
                        grouped($0)
                    }
                        + [grouped(figures.recovered)]))
        }
        let sum = summary.total
        lines.append(
            row(
                "total",
                [sum.placed, sum.dealt, sum.leased, sum.worked, sum.outcomes].map { grouped($0) }
                    + [grouped(sum.recovered)]))
        if let gap = summary.gap {
            lines += [
                "\(grouped(gap.all)) placed and not dealt:",
                left(grouped(gap.leftOver), 10)
                    + "  left over by the plan for want of room or bond, trimmed by a bond, or stopped first",
                left(grouped(gap.started), 10) + "  started within the month, and no contract had room left",
            ]
        }
        lines += [""] + accounts
        lines += ["", "fees by service"]
        for (service, charge) in summary.tally.services.sorted(by: { $0.key < $1.key }) {
            lines.append(money(service.description, Words.counted(charge.lines, "account"), charge.amount))
        }
        for (band, charge) in summary.tally.bands.sorted(by: { $0.key < $1.key }) {
            lines.append(
                money("\(band.rawValue) arrears \(band.label)", Words.counted(charge.lines, "line"), charge.amount))
        }
        lines += changes(of: .fees)
        lines += ["", "penalties by rule"]
        for (rule, charge) in summary.tally.penalties.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            lines.append(money("\(rule.rawValue) \(rule.title)", Words.counted(charge.lines, "line"), charge.amount))
        }
        lines += changes(of: .penalties)
        let totals = summary.tally.totals
        lines += [
            "", money("fees", "", totals.fees), money("IVA on fees", "", totals.taxOnFees),
            money("penalties", "", -totals.penalties), money("IVA on penalties", "", -totals.taxOnPenalties),
            money("payable", "", totals.payable),
            "  IVA is rounded in each section of a statement, so it can differ by centavos from the rate of a sum.",
        ]
        if !summary.warnings.isEmpty { lines.append("") }
        return lines + summary.warnings.map { "warning: \($0)" }
    }

    private func changes(of part: StatementTotals.Part) -> [String] {
        summary.tally.changes.filter { $0.key.part.total == part }.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { kind, charge in money(kind.title, Words.counted(charge.lines, "line"), charge.amount) }
    }

    /// Placed, not collected on and with nothing to collect add up to the cut.
    private var accounts: [String] {
        guard let cut = summary.cut else {
            return [row("not collected on", [grouped(summary.excluded)]) + "  excluded by a rule of the policy"]
        }
        return [
            row("placed", [grouped(cut.placed)]) + "  of the cut; above, with the starts within the month",
            row("not collected on", [grouped(cut.excluded)]) + "  excluded by a rule of the policy",
            row("nothing due", [grouped(cut.nothingToCollect)]) + "  had nothing to collect",
            row("accounts", [grouped(cut.accounts)]) + "  of the cut",
        ]
    }

    private func row(_ name: String, _ figures: [String]) -> String {
        padded(name, 18) + zip(figures, [10, 10, 10, 10, 12, 18]).map { left($0, $1) }.joined()
    }

    private func money(_ name: String, _ note: String, _ amount: Cents) -> String {
        "  " + padded(name, 44) + left(note, 18) + left(grouped(amount), 20)
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }

    private func left(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 1)) + text
    }
}
