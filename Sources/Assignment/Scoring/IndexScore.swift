// SPDX-License-Identifier: Apache-2.0

/// An exact fraction, so that nothing is rounded before the end (IDT-06).
package struct Ratio: Hashable, Sendable, Comparable {
    package let numerator: Int128
    /// Above zero.
    package let denominator: Int128

    /// Reduced to lowest terms.
    ///
    /// - Parameter denominator: not zero.
    package init(_ numerator: Int128, over denominator: Int128 = 1) {
        precondition(denominator != 0, "a fraction over zero")
        let divisor = Self.divisor(numerator.magnitude, denominator.magnitude)
        let sign: Int128 = denominator < 0 ? -1 : 1
        self.numerator = sign * numerator / Int128(divisor)
        self.denominator = sign * denominator / Int128(divisor)
    }

    private static func divisor(_ left: UInt128, _ right: UInt128) -> UInt128 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return max(left, 1)
    }

    package static let zero = Ratio(0)

    package static func + (left: Ratio, right: Ratio) -> Ratio {
        Ratio(
            left.numerator * right.denominator + right.numerator * left.denominator,
            over: left.denominator * right.denominator)
    }
    package static func - (left: Ratio, right: Ratio) -> Ratio {
        left + Ratio(-right.numerator, over: right.denominator)
    }
    package static func * (left: Ratio, right: Ratio) -> Ratio {
        Ratio(left.numerator * right.numerator, over: left.denominator * right.denominator)
    }
    package static func / (left: Ratio, right: Ratio) -> Ratio {
        Ratio(left.numerator * right.denominator, over: left.denominator * right.numerator)
    }
    package static func < (left: Ratio, right: Ratio) -> Bool {
        left.numerator * right.denominator < right.numerator * left.denominator
    }

    /// Rounded half away from zero, times ten to the power of `places`.
    package func rounded(places: Int) -> Int64 {
        var scale: Int128 = 1
        for _ in 0..<places { scale *= 10 }
        let (quotient, rest) = (numerator.magnitude * scale.magnitude).quotientAndRemainder(
            dividingBy: denominator.magnitude)
        let magnitude = Int64(clamping: quotient) + (rest * 2 >= denominator.magnitude ? 1 : 0)
        return numerator < 0 ? -magnitude : magnitude
    }

    /// With two decimals: `55.13`.
    package var hundredths: String { Cents(rounded(places: 2)).description }
}

/// One criterion of a process and what one institution, or agency, has in it.
///
/// Source: IDT-01, IDT-02, IDT-06.
package struct ScoreCriterion: Equatable, Sendable {
    /// A value between two bounds, both given (AMB-13); at or below the lower one it earns all points, at or above the upper one the
    /// floor.
    package struct Measure: Equatable, Sendable {
        package let value: Ratio
        package let best: Ratio
        package let worst: Ratio

        /// - Parameter worst: the sector's largest value of the period, for an index or a share.
        package init(_ value: Ratio, best: Ratio = .zero, worst: Ratio) {
            self.value = value
            self.best = best
            self.worst = worst
        }
    }

    package let name: String
    /// Points at the best value.
    package let weight: Int64
    package let index: Measure
    /// `nil` where a share has no sense, as of a time: then the index stands alone.
    package let share: Measure?

    package init(_ name: String, weight: Int64, index: Measure, share: Measure? = nil) {
        self.name = name
        self.weight = weight
        self.index = index
        self.share = share
    }

    /// What the worst value earns, whatever the weight (IDT-06).
    package static let floor: Int64 = 1

    /// In a straight line from the weight at the best value to ``floor`` at the worst.
    package static func points(_ measure: Measure, weight: Int64) -> Ratio {
        guard measure.value > measure.best else { return Ratio(Int128(weight)) }
        guard measure.value < measure.worst else { return Ratio(Int128(floor)) }
        let fall = Ratio(Int128(weight - floor))
        return Ratio(Int128(weight)) - fall * (measure.value - measure.best) / (measure.worst - measure.best)
    }

    package var indexPoints: Ratio { Self.points(index, weight: weight) }
    package var sharePoints: Ratio? { share.map { Self.points($0, weight: weight) } }

    /// The mean of both, where there are both.
    package var points: Ratio {
        guard let sharePoints else { return indexPoints }
        return (indexPoints + sharePoints) / Ratio(2)
    }
}

/// One process of 100 points.
package struct ScoreProcess: Equatable, Sendable {
    package let name: String
    package let criteria: [ScoreCriterion]

    package init(_ name: String, _ criteria: [ScoreCriterion]) {
        self.name = name
        self.criteria = criteria
    }

    /// Of 100.
    package var points: Ratio { criteria.reduce(.zero) { $0 + $1.points } }
    /// Of 10, unrounded.
    package var score: Ratio { points / Ratio(10) }
}

/// The score of all processes together.
package enum IntegralScore {
    /// Electronic handling 50, ordinary 20, conciliation 30 (IDT-02). Without concluded ordinary cases 60, 0 and 40 (IDT-03). Who has
    /// not joined electronic handling has no points for it (IDT-04).
    ///
    /// - Parameters:
    ///   - electronic: `nil`: not joined.
    ///   - ordinary: `nil`: no case was concluded.
    package static func value(electronic: Ratio?, ordinary: Ratio?, conciliation: Ratio) -> Ratio {
        let electronic = electronic ?? .zero
        guard let ordinary else {
            return Ratio(60, over: 100) * electronic + Ratio(40, over: 100) * conciliation
        }
        return Ratio(50, over: 100) * electronic + Ratio(20, over: 100) * ordinary + Ratio(30, over: 100) * conciliation
    }
}
