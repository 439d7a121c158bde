// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A published aggregate that a simulation is held to: what it is, of which accounts alone, and how near it has to be.
package struct PublishedFigure: Sendable, Equatable {
    package enum Unit: Sendable { case share, pesos }
    package enum Basis: String, Sendable {
        /// As printed.
        case published
        /// Calculated from what is printed.
        case derived
        /// Fits all that is printed, and is not printed.
        case assumption
    }

    /// As in docs/rules.md.
    package let id: String
    package let name: String
    package let universe: String
    package let basis: Basis
    package let unit: Unit
    /// Parts per million, or centavos.
    package let target: Int
    /// In the same unit. Beyond it, chance is allowed for: four standard errors of the size of the universe, and where few cases are
    /// expected, as many as are no rarer.
    package let tolerance: Int
    /// Of amounts: standard deviation by mean, in percent, which says what chance does to a mean.
    package let spreadPercent: Int

    static func share(
        _ id: String, _ name: String, of universe: String, _ basis: Basis, _ target: Int, within tolerance: Int
    ) -> PublishedFigure {
        PublishedFigure(
            id: id, name: name, universe: universe, basis: basis, unit: .share, target: target, tolerance: tolerance,
            spreadPercent: 0)
    }

    static func pesos(
        _ id: String, _ name: String, of universe: String, _ basis: Basis, _ target: Int, within tolerance: Int,
        spread: Int
    ) -> PublishedFigure {
        PublishedFigure(
            id: id, name: name, universe: universe, basis: basis, unit: .pesos, target: target * 100,
            tolerance: tolerance * 100, spreadPercent: spread)
    }

    /// How far from the target a universe of that size may be.
    package func allowance(of count: Int) -> Int {
        guard count > 0 else { return tolerance }
        let four =
            switch unit {
            case .share: max(4 * root(target * max(0, 1_000_000 - target) / count), fewCases(of: count))
            case .pesos: 4 * target / 100 * spreadPercent / max(1, root(count))
            }
        return max(tolerance, four)
    }

    /// By Poisson's distribution: a mean of a twentieth of a case has one case once in twenty times.
    private func fewCases(of count: Int) -> Int {
        let mean = Double(target) * Double(count) / 1_000_000
        guard mean < Self.few else { return 0 }
        var (cases, chance) = (0, exp(-mean))
        var rest = 1 - chance
        while rest > Self.rare {
            cases += 1
            chance *= mean / Double(cases)
            rest -= chance
        }
        return Int(((Double(cases) - mean) * 1_000_000 / Double(count)).rounded(.up))
    }

    private static let few = 25.0
    /// Beyond four standard deviations, on one side.
    private static let rare = 0.000_031_7

    private func root(_ value: Int) -> Int { Int(Double(max(0, value)).squareRoot()) }
}

/// A figure as a simulation came to it.
package struct MeasuredFigure: Sendable, Equatable {
    package enum Verdict: String, Sendable { case inside, outside, none = "no case" }

    package let figure: PublishedFigure
    /// Cases, or centavos.
    package let part: Int
    /// How many accounts the universe has.
    package let count: Int
    /// What `part` is a share of, where it is not a share of the accounts: centavos.
    package var base: Int?

    /// In the figure's unit; `nil` where its universe is empty.
    package var got: Int? {
        let base = base ?? count
        guard base > 0 else { return nil }
        return figure.unit == .share ? Int((Double(part) * 1_000_000 / Double(base)).rounded()) : part / base
    }

    package var verdict: Verdict {
        guard let got else { return .none }
        return abs(got - figure.target) <= figure.allowance(of: count) ? .inside : .outside
    }
}
