// SPDX-License-Identifier: Apache-2.0

/// A sum of money, wide enough for every cut. Written as pesos with two decimals: `-1234.50`.
package struct Pesos: Hashable, Sendable, Encodable, CustomStringConvertible {
    package let centavos: Int128

    package init(_ centavos: Int128) { self.centavos = centavos }

    package var description: String {
        let (pesos, rest) = centavos.magnitude.quotientAndRemainder(dividingBy: 100)
        return "\(centavos < 0 ? "-" : "")\(pesos).\(rest < 10 ? "0" : "")\(rest)"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Counts and amounts as people read them: thousands apart.
enum Figure {
    static func grouped(_ count: Int64) -> String { Console.grouped(Int(count)) }

    static func grouped(_ amount: Pesos) -> String {
        let parts = amount.description.split(separator: ".")
        let digits = parts[0].drop { $0 == "-" }
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return "\(amount.centavos < 0 ? "-" : "")\(text).\(parts[1])"
    }

    /// With its sign, for differences; `=` where there is none.
    static func signed(_ count: Int64) -> String { count == 0 ? "=" : (count > 0 ? "+" : "") + grouped(count) }

    static func signed(_ amount: Pesos) -> String {
        amount.centavos == 0 ? "=" : (amount.centavos > 0 ? "+" : "") + grouped(amount)
    }
}
