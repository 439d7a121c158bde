// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The arithmetic of kept statements, done again with nothing of the close's own code but its units: each line from its base and
/// rate, each total from its lines.
package struct StatementChecks {
    private let statements: [KeptStatement]

    package init(statements: [KeptStatement]) { self.statements = statements }

    package func verdict() -> Verdict {
        var verdict = Verdict()
        for statement in statements { check(statement, &verdict) }
        return verdict
    }

    private struct Sums: Equatable {
        var fees: Int64 = 0
        var penalties: Int64 = 0
        var taxOnFees: Int64 = 0
        var taxOnPenalties: Int64 = 0

        static func += (left: inout Sums, right: Sums) {
            left.fees += right.fees
            left.penalties += right.penalties
            left.taxOnFees += right.taxOnFees
            left.taxOnPenalties += right.taxOnPenalties
        }
    }

    private func check(_ statement: KeptStatement, _ verdict: inout Verdict) {
        // One without a section of a delegation is told with the first of them all.
        guard let first = statement.firstDelegation ?? Delegation(1) else { return }
        var whole = Sums()
        let name = "statement of \(statement.period), contract \(statement.contract)"
        verdict.count(.money)
        if !statement.isItsDigest {
            add("a statement's text is not the one that its digest is of", first, [name], &verdict)
        }
        for section in statement.sections {
            let delegation = section.delegation.flatMap { Delegation($0) } ?? first
            let place = section.delegation.map { "\(name), delegation \($0)" } ?? "\(name), whole invoice"
            var sums = Sums()
            for line in section.lines {
                verdict.count(.money)
                guard let amount = Cents(pesos: line.amount)?.value, add(amount, of: line.kind, to: &sums) else {
                    add("a line has no amount", delegation, ["\(place): \(line.words)"], &verdict)
                    continue
                }
                check(line, amount, place, delegation, &verdict)
            }
            taxes(section, sums, place, delegation, &verdict)
            totals(section.totals, sums, place, delegation, &verdict)
            whole += sums
        }
        totals(statement.totals, whole, name, first, &verdict)
        cap(statement, name, first, &verdict)
    }

    /// What a limit takes of a month's penalties is what they pass it by; what earlier months owe has no part in it (AMB-15).
    private func cap(
        _ statement: KeptStatement, _ name: String, _ delegation: Delegation, _ verdict: inout Verdict
    ) {
        let lines = statement.sections.flatMap(\.lines)
        let charged = lines.reduce(Int64(0)) { sum, line in
            let amount = Cents(pesos: line.amount)?.value ?? 0
            return sum + (line.kind == "penalty" ? amount : line.kind == "waiver" ? -amount : 0)
        }
        for line in lines where line.kind == "penalty-cap" {
            verdict.count(.money)
            guard let most = line.part, line.amount != Cents(charged - most).description else { continue }
            add(
                "a limit takes more or less than what passes it", delegation,
                [
                    "\(name): \(line.words)", "\(line.factors) makes \(Cents(most))",
                    "the month's penalties come to \(Cents(charged))",
                ], &verdict)
        }
    }

    /// - Returns: whether the kind is known.
    private func add(_ amount: Int64, of kind: String, to sums: inout Sums) -> Bool {
        switch kind {
        case "fee", "credit": sums.fees += amount
        case "fee-cut": sums.fees -= amount
        case "penalty", "debit": sums.penalties += amount
        case "penalty-cap", "waiver": sums.penalties -= amount
        case "tax-on-fees": sums.taxOnFees += amount
        case "tax-on-penalties": sums.taxOnPenalties += amount
        default: return false
        }
        return true
    }

    // MARK: - Lines

    private func check(
        _ line: KeptStatement.Line, _ amount: Int64, _ place: String, _ delegation: Delegation, _ verdict: inout Verdict
    ) {
        if let made = line.product, made != amount {
            add(
                "a line is not its base at its rate", delegation,
                ["\(place): \(line.words)", "\(line.factors) makes \(Cents(made))"], &verdict)
        }
        // A price per service: as many outcomes as are counted.
        if line.rule == "FEE-11", line.kind == "fee", let count = line.base.count, count != Int64(line.records.count) {
            add(
                "a line counts more or fewer records than it names", delegation,
                ["\(place): \(line.words)", "it counts \(count) and names \(line.records.count)"], &verdict)
        }
    }

    /// What IVA is on is the section's sum; where penalties carry none, without those that are given back, and with the fees that are taken back.
    private func taxes(
        _ section: KeptStatement.Section, _ sums: Sums, _ place: String, _ delegation: Delegation,
        _ verdict: inout Verdict
    ) {
        func sum(_ kind: String, ofPenalties isOfPenalties: Bool) -> Int64 {
            section.lines.filter { $0.kind == kind && $0.rule.hasPrefix("PEN-") == isOfPenalties }
                .reduce(0) { $0 + (Cents(pesos: $1.amount)?.value ?? 0) }
        }
        for line in section.lines {
            let (base, other): (Int64, Int64)
            switch line.kind {
            case "tax-on-fees": (base, other) = (sums.fees, sums.fees - sum("credit", ofPenalties: true))
            case "tax-on-penalties": (base, other) = (sums.penalties, sum("debit", ofPenalties: false))
            default: continue
            }
            guard ![base, other].map({ Cents($0).description }).contains(line.base.pesos) else { continue }
            add(
                "IVA is not on what the section charges", delegation,
                ["\(place): \(line.words)", "its lines come to \(Cents(base))"], &verdict)
        }
    }

    // MARK: - Totals

    private func totals(
        _ told: KeptStatement.Totals, _ sums: Sums, _ place: String, _ delegation: Delegation, _ verdict: inout Verdict
    ) {
        let payable = sums.fees + sums.taxOnFees - sums.penalties - sums.taxOnPenalties
        for (name, told, made) in [
            ("fees", told.fees, sums.fees), ("penalties", told.penalties, sums.penalties),
            ("IVA on fees", told.taxOnFees, sums.taxOnFees),
            ("IVA on penalties", told.taxOnPenalties, sums.taxOnPenalties), ("payable", told.payable, payable),
        ] {
            verdict.count(.money)
            guard told != Cents(made).description else { continue }
            add(
                "a total is not the sum of its lines", delegation,
                ["\(place): \(name) are told as \(told)", "its lines make \(Cents(made))"], &verdict)
        }
    }

    private func add(_ found: String, _ delegation: Delegation, _ events: [String], _ verdict: inout Verdict) {
        verdict.add(Finding(.money, delegation, found, events: events))
    }
}

extension KeptStatement.Line {
    fileprivate var words: String { "\(kind) \(rule) \(subject), \(amount)" }

    fileprivate var factors: String {
        "\(base.count.map(String.init) ?? base.pesos ?? "?") at \(rate.pesos ?? rate.percent.map { "\($0) %" } ?? "?")"
    }

    /// Base times rate in centavos, rounded half away from zero; `nil` where the amount is what is left above a limit, or what is
    /// there is no number.
    fileprivate var product: Int64? {
        guard kind != "penalty-cap", !(kind == "fee-cut" && rate.percent == nil) else { return nil }
        if let count = base.count, let price = rate.pesos.flatMap({ Cents(pesos: $0)?.value }) {
            let (product, hasOverflowed) = count.multipliedReportingOverflow(by: price)
            return hasOverflowed ? nil : product
        }
        return part
    }

    /// The part of an amount that a percentage stands for.
    fileprivate var part: Int64? {
        guard let amount = base.pesos.flatMap({ Cents(pesos: $0)?.value }),
            let percent = rate.percent.flatMap({ Int64(decimal: $0, places: 2) })
        else { return nil }
        let exact = Int128(amount) * Int128(percent)
        let half: Int128 = exact < 0 ? -5_000 : 5_000
        return Int64(exactly: (exact + half) / 10_000)
    }
}
