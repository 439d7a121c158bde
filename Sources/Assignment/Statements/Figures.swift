// SPDX-License-Identifier: Apache-2.0

/// A count with its thousands apart, as Mexico writes them: `1,234,567`; below zero with the minus sign `−`.
package func grouped(_ count: Int64) -> String {
    var groups: [String] = []
    var digits = String(count.magnitude)
    while digits.count > 3 {
        groups.append(String(digits.suffix(3)))
        digits.removeLast(3)
    }
    groups.append(digits)
    return (count < 0 ? "−" : "") + groups.reversed().joined(separator: ",")
}

/// An amount with its thousands apart and two decimals: `1,234,567.89`; zero has no sign.
package func grouped(_ amount: Cents) -> String {
    let centavos = amount.value.magnitude % 100
    let sign = amount.value < 0 ? "−" : ""
    return "\(sign)\(grouped(Int64(amount.value.magnitude / 100))).\(centavos < 10 ? "0" : "")\(centavos)"
}

/// A share in percent with two decimals, cut off after them, so that a share below a limit never reads as the limit.
///
/// Shape: `part` × 100 ÷ `whole`; `whole` above zero.
func percentText(_ part: Int64, of whole: Int64) -> String {
    hundredthsText(Int64(truncatingIfNeeded: Int128(part) * 10_000 / Int128(whole)))
}

/// Hundredths as a number with two decimals: 7999 is `79.99`.
func hundredthsText(_ value: Int64) -> String { "\(value / 100).\(value % 100 < 10 ? "0" : "")\(value % 100)" }

/// `1 cuenta`, `0 cuentas`, `2,709 cuentas`.
func counted(_ count: Int64, _ one: String, _ several: String) -> String {
    "\(grouped(count)) \(count == 1 ? one : several)"
}
