// SPDX-License-Identifier: Apache-2.0

/// How a month's penalties divide over their rules, so that a month can be set beside what was published of 2023.
///
/// Source: PEN-33.
package struct PenaltyMix: Equatable, Sendable {
    private let amounts: [PenaltyRule: Cents]
    private let whole: Cents

    /// - Parameter amounts: what each rule charged, before anything was waived or cut.
    package init(_ amounts: [PenaltyRule: Cents]) {
        self.amounts = amounts
        whole = amounts.values.reduce(.zero, +)
    }

    /// A rule's part of all, in percent with two decimals, half away from zero; `nil` where nothing was charged at all.
    package func percent(_ rule: PenaltyRule) -> String? {
        guard whole > .zero else { return nil }
        return Ratio(Int128(amounts[rule, default: .zero].value) * 100, over: Int128(whole.value)).hundredths
    }
}
