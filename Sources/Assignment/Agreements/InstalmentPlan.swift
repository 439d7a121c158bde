// SPDX-License-Identifier: Apache-2.0

/// The amounts of plan 20/20/20 on a balance: a fifth at once, the rest in equal monthly instalments without interest, and a fifth off
/// each that is paid on time, until one is late.
///
/// Source: FIN-09.
package struct InstalmentPlan: Equatable, Sendable {
    package static let rule = "FIN-09"
    /// Most instalments that there may be.
    package static let instalmentsMax = 20
    /// One in so many is paid at once, and taken off what is on time.
    private static let share: Int64 = 5

    package let down: Cents
    /// What is due month by month, before anything is taken off. Centavos that do not divide fall on the last one.
    package let instalments: [Cents]

    /// `nil` where nothing is owed, or too little for so many instalments of a centavo.
    ///
    /// - Parameter count: 1...``instalmentsMax``.
    package init?(on balance: Cents, instalments count: Int = InstalmentPlan.instalmentsMax) {
        guard (1...Self.instalmentsMax).contains(count), balance > .zero else { return nil }
        down = Self.share(of: balance)
        let rest = (balance - down).value
        let each = rest / Int64(count)
        guard each > 0 else { return nil }
        instalments = (1...count).map { Cents(each + ($0 == count ? rest % Int64(count) : 0)) }
    }

    /// What an instalment comes to where it and all before it are paid on time.
    package func onTime(_ index: Int) -> Cents { instalments[index] - Self.share(of: instalments[index]) }

    /// What is paid in all.
    ///
    /// - Parameter onTime: how many instalments are paid on time, from the first on; the next one is late, and from there on nothing is
    ///   taken off. 0...the number of instalments.
    package func total(onTime count: Int) -> Cents {
        let reduced = instalments.indices.prefix(count).reduce(Cents.zero) { $0 + onTime($1) }
        return instalments.dropFirst(count).reduce(down + reduced, +)
    }

    /// Rounded half away from zero.
    private static func share(of amount: Cents) -> Cents { Cents((amount.value * 2 + share) / (share * 2)) }
}
