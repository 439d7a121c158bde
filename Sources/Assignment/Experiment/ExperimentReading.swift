// SPDX-License-Identifier: Apache-2.0

/// What an experiment says up to now: per arm, and per arm and stratum, and how each challenger differs from the champion.
package struct ExperimentReading: Hashable, Sendable {
    /// What one arm has, of all or of one stratum.
    package struct Figures: Hashable, Sendable {
        package var accounts: Int64 = 0
        package var contacted: Int64 = 0
        package var promised: Int64 = 0
        package var paid: Int64 = 0
        /// Centavos, and the sum of the squares per account.
        package var recovered: Int64 = 0
        package var squares: Int128 = 0
        /// Centavos of fees.
        package var cost: Int64 = 0

        package init() {}

        package mutating func add(_ other: Figures) {
            accounts += other.accounts
            contacted += other.contacted
            promised += other.promised
            paid += other.paid
            recovered += other.recovered
            squares += other.squares
            cost += other.cost
        }

        func share(_ hits: KeyPath<Figures, Int64>) -> SampleShare {
            SampleShare(hits: self[keyPath: hits], of: accounts)
        }
        var money: SampleMoney { SampleMoney(size: accounts, sum: recovered, squares: squares) }
    }

    /// How a challenger differs from the champion in the same accounts; shares in millionths, money in centavos.
    package struct Difference: Hashable, Sendable {
        package let contacted: ConfidenceInterval
        package let promised: ConfidenceInterval
        package let paid: ConfidenceInterval
        /// Of the mean per account.
        package let recovered: ConfidenceInterval?
    }

    package struct Line: Hashable, Sendable {
        package let arm: Int16
        /// `nil`: all strata together.
        package let stratum: String?
        package let figures: Figures
        /// `nil` for the champion, and where one of the two has too few accounts.
        package let difference: Difference?
        package let isEnough: Bool
    }

    /// By stratum, all together first, then by arm.
    package let lines: [Line]

    /// - Parameter cells: per arm and stratum; a stratum may come several times.
    package init(_ design: ExperimentDesign, _ cells: [(arm: Int16, stratum: String, figures: Figures)]) {
        var totals: [Int16: Figures] = [:]
        var byStratum: [String: [Int16: Figures]] = [:]
        for cell in cells {
            totals[cell.arm, default: Figures()].add(cell.figures)
            byStratum[cell.stratum, default: [:]][cell.arm, default: Figures()].add(cell.figures)
        }
        lines =
            Self.lines(design, nil, totals)
            + byStratum.keys.sorted().flatMap { Self.lines(design, $0, byStratum[$0] ?? [:]) }
    }

    private static func lines(_ design: ExperimentDesign, _ stratum: String?, _ arms: [Int16: Figures]) -> [Line] {
        let champion = arms[1] ?? Figures()
        return design.arms.map { arm in
            let figures = arms[arm.number] ?? Figures()
            let isEnough = figures.accounts >= design.smallestSample
            let compares = arm.number > 1 && isEnough && champion.accounts >= design.smallestSample
            return Line(
                arm: arm.number, stratum: stratum, figures: figures,
                difference: compares ? difference(figures, champion) : nil, isEnough: isEnough)
        }
    }

    private static func difference(_ one: Figures, _ champion: Figures) -> Difference {
        func shares(_ hits: KeyPath<Figures, Int64>) -> ConfidenceInterval {
            one.share(hits).difference(from: champion.share(hits))
        }
        return Difference(
            contacted: shares(\.contacted), promised: shares(\.promised), paid: shares(\.paid),
            recovered: one.money.difference(from: champion.money))
    }
}
