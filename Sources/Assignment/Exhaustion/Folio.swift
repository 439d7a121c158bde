// SPDX-License-Identifier: Apache-2.0

/// The name of one certificate of exhaustion: `DTCS-2024-03-000001`. Numbers count from 1 within a period, without gaps
/// (SOL-43).
package struct Folio: Hashable, Sendable, CustomStringConvertible {
    package let period: Period
    package let number: Int32

    package init(period: Period, number: Int32) {
        self.period = period
        self.number = number
    }

    /// - Parameter text: as ``description`` writes it, nothing else.
    package init?(text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "DTCS", let period = Period(text: "\(parts[1])-\(parts[2])"),
            let number = Int32(parts[3]), number > 0
        else { return nil }
        self.init(period: period, number: number)
        guard description == text else { return nil }
    }

    package var description: String {
        let digits = String(number)
        return "DTCS-\(period)-\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)"
    }
}
