// SPDX-License-Identifier: Apache-2.0

/// What one contract reached in one delegation and month, as a scorecard takes it.
package struct ScorecardEntry: Equatable, Sendable {
    package struct Figure: Equatable, Sendable {
        package let measure: ScorecardMeasure
        package let numerator: Int64
        /// Zero: there is nothing to divide by.
        package let denominator: Int64

        package init(_ measure: ScorecardMeasure, _ numerator: Int64, over denominator: Int64) {
            self.measure = measure
            self.numerator = numerator
            self.denominator = denominator
        }

        /// The part that is to be large.
        fileprivate var value: Ratio {
            Ratio(Int128(measure.isInverse ? denominator - numerator : numerator), over: Int128(denominator))
        }
    }

    package let contract: ContractID
    package let figures: [Figure]

    package init(_ contract: ContractID, _ figures: [Figure]) {
        self.contract = contract
        self.figures = figures
    }
}

/// One contract's rating in one delegation and month, with each part of it.
package struct ScorecardRow: Equatable, Sendable {
    package struct Part: Equatable, Sendable {
        package let figure: ScorecardEntry.Figure
        package let weight: Int64
        /// Millionths of the best of the delegation; `nil` where the part does not count: too small a sample, or nobody has any.
        package let relative: Int64?
    }

    package let contract: ContractID
    /// 0...1_000_000; `nil` where nobody of the delegation had a sample that is large enough.
    package let points: Int64?
    /// Whether the sample was too small: the contract has the mean of the others.
    package let isNeutral: Bool
    package let parts: [Part]

    package static let whole: Int64 = 1_000_000
}

/// Rates the contracts of one delegation against the best of them.
///
/// A measure counts for a contract whose denominator reaches the sample, in millionths of the best one's value, cut off. Points are
/// the weighted mean of what counts. Where less than half of the weight counts the sample is too small: such a contract has the mean
/// of the others, so that a newcomer is neither praised nor punished for what nobody knows.
package enum ScorecardMonth {
    /// - Returns: one row per entry, ascending by contract.
    package static func rows(_ entries: [ScorecardEntry], weights: ScorecardWeights) -> [ScorecardRow] {
        let entries = entries.sorted { $0.contract < $1.contract }
        let bests = weights.entries.map { entry in
            entries.compactMap { figure($0, entry)?.value }.max().flatMap { $0 > .zero ? $0 : nil }
        }
        let parts = entries.map { entry in
            zip(weights.entries, bests).map { weight, best in part(entry, weight, best) }
        }
        let own = parts.map { points($0, weights) }
        let known = own.compactMap(\.self)
        let mean = known.isEmpty ? nil : known.reduce(0, +) / Int64(known.count)
        return zip(entries, zip(own, parts)).map { entry, rated in
            ScorecardRow(
                contract: entry.contract, points: rated.0 ?? mean, isNeutral: rated.0 == nil, parts: rated.1)
        }
    }

    private static func figure(
        _ entry: ScorecardEntry, _ weight: ScorecardWeights.Entry
    ) -> ScorecardEntry.Figure? {
        entry.figures.first {
            $0.measure == weight.measure && $0.denominator > 0 && $0.denominator >= weight.sample
        }
    }

    private static func part(
        _ entry: ScorecardEntry, _ weight: ScorecardWeights.Entry, _ best: Ratio?
    ) -> ScorecardRow.Part {
        let shown =
            entry.figures.first { $0.measure == weight.measure }
            ?? ScorecardEntry.Figure(weight.measure, 0, over: 0)
        guard let best, let counted = figure(entry, weight) else {
            return ScorecardRow.Part(figure: shown, weight: weight.weight, relative: nil)
        }
        let relative = max(.zero, counted.value) / best * Ratio(Int128(ScorecardRow.whole))
        return ScorecardRow.Part(figure: shown, weight: weight.weight, relative: relative.wholePart)
    }

    private static func points(_ parts: [ScorecardRow.Part], _ weights: ScorecardWeights) -> Int64? {
        let all = weights.entries.reduce(0) { $0 + $1.weight }
        let counted = parts.filter { $0.relative != nil }.reduce(0) { $0 + $1.weight }
        guard counted > 0, counted * 2 >= all else { return nil }
        return parts.reduce(0) { $0 + $1.weight * ($1.relative ?? 0) } / counted
    }
}

extension Ratio {
    /// Cut off toward zero.
    package var wholePart: Int64 { Int64(clamping: numerator / denominator) }
}
