// SPDX-License-Identifier: Apache-2.0

/// An amount of Mexican pesos in centavos. Exact: there is no floating point on the way to or from it.
package struct Cents: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let zero = Cents(0)
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    /// Reads pesos with at most two decimals, as in `4310.22`, `-5` or `0.5`; grouping and currency signs are refused.
    package init?(pesos text: some StringProtocol) {
        guard let value = Int64(decimal: text, places: 2) else { return nil }
        self.value = value
    }

    /// The same with commas between groups of three, as pages have it: `7,505.07`. A comma elsewhere is refused, because it may
    /// be meant for the point.
    package init?(grouped text: String) {
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let groups = parts[0].split(separator: ",", omittingEmptySubsequences: false)
        guard (1...3).contains(groups[0].count), groups.dropFirst().allSatisfy({ $0.count == 3 }),
            parts.dropFirst().allSatisfy({ !$0.contains(",") })
        else { return nil }
        self.init(pesos: text.filter { $0 != "," })
    }

    package static func < (left: Cents, right: Cents) -> Bool { left.value < right.value }
    package static func + (left: Cents, right: Cents) -> Cents { Cents(left.value + right.value) }
    package static func - (left: Cents, right: Cents) -> Cents { Cents(left.value - right.value) }
    package static func += (left: inout Cents, right: Cents) { left = left + right }
    package static func -= (left: inout Cents, right: Cents) { left = left - right }
    package static prefix func - (amount: Cents) -> Cents { Cents(-amount.value) }

    /// This amount `count` times: a price per piece.
    package func times(_ count: Int64) -> Cents { Cents(value * count) }

    /// The part of this amount that `rate` stands for, rounded toward zero.
    ///
    /// Parts can add up to less than the amount; the caller books what is left over.
    package func part(_ rate: BasisPoints) -> Cents {
        let product = value.multipliedFullWidth(by: rate.value)
        return Cents(BasisPoints.whole.dividingFullWidth(product).quotient)
    }

    /// The part of this amount that `rate` stands for, rounded half away from zero: how fees, penalties and IVA
    /// are rounded, once per line.
    package func charge(_ rate: BasisPoints) -> Cents {
        let product = value.magnitude.multipliedFullWidth(by: UInt64(rate.value))
        let (quotient, remainder) = UInt64(BasisPoints.whole).dividingFullWidth(product)
        let rounded = Int64(quotient) + (remainder * 2 >= UInt64(BasisPoints.whole) ? 1 : 0)
        return Cents(value < 0 ? -rounded : rounded)
    }

    /// Pesos with two decimals and no grouping: the form of data files and of the wire.
    package var description: String {
        let pesos = value.magnitude / 100
        let centavos = value.magnitude % 100
        return "\(value < 0 ? "-" : "")\(pesos).\(centavos < 10 ? "0" : "")\(centavos)"
    }
}

/// A part of a whole in hundredths of one percent; 250 is 2.5 %.
///
/// Range: 0...10_000, checked here and nowhere else.
package struct BasisPoints: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let whole: Int64 = 10_000
    package let value: Int64

    package init?(_ value: Int64) {
        guard (0...Self.whole).contains(value) else { return nil }
        self.value = value
    }

    /// Reads a percent with at most two decimals, as in `2.5` or `80`.
    package init?(percent text: some StringProtocol) {
        guard let value = Int64(decimal: text, places: 2) else { return nil }
        self.init(value)
    }

    package static func < (left: BasisPoints, right: BasisPoints) -> Bool { left.value < right.value }

    /// The percent, without trailing zeros: `2.5`, `80`.
    package var description: String {
        let fraction = value % 100
        if fraction == 0 { return String(value / 100) }
        return fraction % 10 == 0
            ? "\(value / 100).\(fraction / 10)" : "\(value / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}

extension Int64 {
    /// Reads a decimal number exactly, scaled by ten to the power of `places`; `nil` where it has more decimals, anything but
    /// digits, one sign and one point, or does not fit.
    package init?(decimal text: some StringProtocol, places: Int) {
        var bytes = text.utf8[...]
        let isNegative = bytes.first == 0x2D
        if isNegative { bytes = bytes.dropFirst() }
        var value: Int64 = 0
        var decimals = -1
        var hasDigit = false
        for byte in bytes {
            if byte == 0x2E, decimals < 0, hasDigit {
                decimals = 0
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            hasDigit = true
            if decimals >= 0 { decimals += 1 }
            guard decimals <= places else { return nil }
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int64(byte - 0x30))
            guard !overflowed, !carried else { return nil }
            value = sum
        }
        guard hasDigit, decimals != 0 else { return nil }
        for _ in Swift.max(decimals, 0)..<places {
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            guard !overflowed else { return nil }
            value = tens
        }
        self = isNegative ? -value : value
    }
}
