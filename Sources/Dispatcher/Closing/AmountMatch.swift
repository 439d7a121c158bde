// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The ways in which an amount can be one of a section's, or of several together: a line, a line with its IVA, a total, all lines of a
/// rule, what a rule or one service of it charges, or what limits and persons changed: the figures of statements and of the month's page.
struct AmountMatch {
    private(set) var sums: [String] = []
    /// Of the candidates, the lines that it is made of; ascending.
    private(set) var indices: [Int] = []

    private let amount: Cents
    private let taxes: SectionTaxes

    /// - Parameters:
    ///   - candidates: the lines that are asked about.
    ///   - taxes: of all lines that they are among, because a question about a rule leaves the line of IVA out.
    init(
        _ amount: Cents, totals: [StatementDocument.Totals], _ candidates: [StatementDocument.Line], taxes: SectionTaxes
    ) {
        self.amount = amount
        self.taxes = taxes
        if totals.count == 1 { matchLines(candidates) }
        if indices.isEmpty { matchTotals(totals, candidates) }
        if indices.isEmpty { matchGroups(candidates) }
    }

    /// Pages show what is taken off with a minus; statements keep it without.
    private func isShown(_ figure: Cents, isTaken: Bool) -> Bool {
        figure == amount || isTaken && figure == -amount
    }

    private mutating func matchLines(_ candidates: [StatementDocument.Line]) {
        for (index, line) in candidates.enumerated() {
            guard let own = Cents(pesos: line.amount) else { continue }
            if isShown(own, isTaken: line.isTaken) {
                indices.append(index)
                sums.append("\(grouped(amount)) is the line \(line.rule) \(line.subject)".trimmed)
            } else if let rate = taxes.rate(on: line), isShown(own + own.charge(rate), isTaken: line.isTaken) {
                let (shown, tax) = amount < .zero ? (-own, -own.charge(rate)) : (own, own.charge(rate))
                indices.append(index)
                sums.append(
                    "\(grouped(amount)) is \(line.rule) \(line.subject)".trimmed
                        + ", \(grouped(shown)), with IVA \(grouped(tax))")
            }
        }
    }

    // MARK: - Rules, services and changes

    private mutating func matchGroups(_ candidates: [StatementDocument.Line]) {
        typealias Named = (name: String, index: Int)
        func named(
            _ isMeant: (StatementDocument.Line) -> Bool, _ name: (StatementDocument.Line) -> String
        ) -> [Named] {
            candidates.indices.filter { isMeant(candidates[$0]) }.map { (name(candidates[$0]), $0) }
        }
        let groups = [
            // What a rule adds to its total, less what limits and persons took of it.
            named({ $0.rule != PenaltyTerms.taxRule }, \.rule),
            named(\.isCharge) { "what \($0.rule) charges" },
            named({ $0.isCharge && !$0.subject.isEmpty }) { "what \($0.rule) \($0.subject) charges" },
            named(\.isChange) { "what is \($0.kind)" },
        ]
        for group in groups.flatMap({ Dictionary(grouping: $0, by: \.name).values.sorted { $0[0].name < $1[0].name } })
        {
            let lines = group.map { candidates[$0.index] }
            guard lines.count > 1, lines.reduce(Cents.zero, { $0 + $1.signed }) == amount else { continue }
            indices = group.map(\.index)
            sums.append(
                "\(grouped(amount)) is the sum of \(group[0].name), \(lines.count) lines" + StatementSum.words(lines))
            return
        }
    }

    // MARK: - Totals

    private static let sides: [(name: String, parts: [StatementTotals.Part])] = [
        ("fees", [.fees]), ("penalties", [.penalties]), ("fees with IVA", [.fees, .taxOnFees]),
        ("penalties with IVA", [.penalties, .taxOnPenalties]), ("IVA on fees", [.taxOnFees]),
        ("IVA on penalties", [.taxOnPenalties]),
        ("IVA, of fees less that of penalties", [.taxOnFees, .taxOnPenalties]),
        ("payable amount", [.fees, .taxOnFees, .penalties, .taxOnPenalties]),
    ]

    private mutating func matchTotals(_ totals: [StatementDocument.Totals], _ candidates: [StatementDocument.Line]) {
        for (name, parts) in Self.sides {
            // Alone penalties are a sum of their own; beside fees they are taken off.
            let isTaken = parts.allSatisfy(\.isOfPenalties)
            func signed(_ amount: Cents, _ part: StatementTotals.Part) -> Cents {
                part.isOfPenalties && !isTaken ? -amount : amount
            }
            let terms = parts.map { part in
                (part: part, amount: signed(totals.reduce(.zero) { $0 + $1.amount(part) }, part))
            }
            let sum = terms.reduce(Cents.zero) { $0 + $1.amount }
            guard isShown(sum, isTaken: isTaken) else { continue }
            let found = candidates.indices.filter { candidates[$0].part.map(parts.contains) ?? false }
            let own = found.reduce(Cents.zero) { sum, index in
                sum + (candidates[index].part.map { signed(candidates[index].signed, $0) } ?? .zero)
            }
            // Of one rule alone they are the total where no other rule adds to it; its IVA is a line apart.
            let untaxed = terms.filter { !$0.part.isTax }.reduce(Cents.zero) { $0 + $1.amount }
            guard !found.isEmpty, own == sum || own == untaxed else { continue }
            indices = found
            sums.append(
                "\(grouped(amount)) is the sum of its \(name), \(Words.counted(Int64(found.count), "line"))"
                    + (terms.count > 1
                        ? StatementSum.words(terms.map { ($0.part.word, $0.amount) }, sum)
                        : StatementSum.words(found.map { candidates[$0] })))
            return
        }
    }
}

/// A sum in words and figures.
enum StatementSum {
    /// `: 3,033.00 + 485.28 − 9,151.65 − 1,464.26 = −7,097.63 (fees, IVA, penalties, IVA)`; terms of nothing are left out.
    static func words(_ terms: [(name: String, amount: Cents)], _ sum: Cents) -> String {
        let told = terms.filter { $0.amount != .zero }
        guard !told.isEmpty else { return "" }
        return ": \(joined(told.map(\.amount))) = \(grouped(sum)) (\(told.map(\.name).joined(separator: ", ")))"
    }

    /// By rule and kind, the charges of each before what was changed of them; empty where all are of one.
    static func words(_ lines: [StatementDocument.Line]) -> String {
        let sums = Dictionary(
            lines.map { ($0.isCharge || $0.part?.isTax == true ? $0.rule : "\($0.rule) \($0.kind)", $0.signed) },
            uniquingKeysWith: +)
        guard sums.count > 1 else { return "" }
        let names = sums.keys.sorted()
        return words(names.map { ($0, sums[$0, default: .zero]) }, sums.values.reduce(.zero, +))
    }

    private static func joined(_ amounts: [Cents]) -> String {
        amounts.enumerated().map { index, amount in
            if index == 0 { return grouped(amount) }
            return amount < .zero ? " − \(grouped(-amount))" : " + \(grouped(amount))"
        }.joined()
    }
}

/// The IVA of a section, fees and penalties apart: one side may have none, or another rate.
struct SectionTaxes {
    private let onFees: BasisPoints?
    private let onPenalties: BasisPoints?

    init(_ lines: [StatementDocument.Line]) {
        func rate(_ part: StatementTotals.Part) -> BasisPoints? {
            lines.first { $0.part == part }?.rate.percent.flatMap { BasisPoints(percent: $0) }
        }
        onFees = rate(.taxOnFees)
        onPenalties = rate(.taxOnPenalties)
    }

    /// `nil` where the line is not taxed, or is IVA itself.
    func rate(on line: StatementDocument.Line) -> BasisPoints? {
        switch line.part {
        case .fees: onFees
        case .penalties: onPenalties
        case .taxOnFees, .taxOnPenalties, nil: nil
        }
    }
}

extension StatementTotals.Part {
    fileprivate var isOfPenalties: Bool { self == .penalties || self == .taxOnPenalties }
    fileprivate var isTax: Bool { self == .taxOnFees || self == .taxOnPenalties }
    fileprivate var word: String { isTax ? "IVA" : rawValue }
}

extension StatementDocument.Totals {
    fileprivate func amount(_ part: StatementTotals.Part) -> Cents {
        let text =
            switch part {
            case .fees: fees
            case .penalties: penalties
            case .taxOnFees: taxOnFees
            case .taxOnPenalties: taxOnPenalties
            }
        return Cents(pesos: text) ?? .zero
    }
}

extension StatementDocument.Line {
    fileprivate var part: StatementTotals.Part? { StatementLine.Kind(rawValue: kind)?.part.total }
    fileprivate var isTaken: Bool { StatementLine.Kind(rawValue: kind)?.isTaken == true }
    fileprivate var isCharge: Bool { ["fee", "penalty"].contains(kind) }

    /// Whether it is what limits and persons add or take.
    fileprivate var isChange: Bool {
        switch StatementLine.Kind(rawValue: kind) {
        case .feeCut, .penaltyCap, .waiver, .credit, .debit: true
        case .fee, .penalty, .taxOnFees, .taxOnPenalties, nil: false
        }
    }
}
