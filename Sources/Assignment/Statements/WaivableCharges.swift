// SPDX-License-Identifier: Apache-2.0

/// What is charged in one place of a statement, and what of it no waiver took back yet.
package struct WaivableCharges {
    package struct Charge: Equatable, Sendable {
        package var all = Cents.zero
        package var left = Cents.zero
    }

    private var charges: [PenaltySubject: Charge] = [:]

    package init() {}

    package mutating func add(_ subject: PenaltySubject, _ amount: Cents) {
        charges[subject, default: Charge()].all += amount
        charges[subject, default: Charge()].left += amount
    }

    /// The lines that are charged there and that `about` is about, ascending.
    package func subjects(of about: PenaltySubject) -> [PenaltySubject] {
        charges.keys.filter { about.covers($0) }.sorted { $0.text < $1.text }
    }

    /// Together of all lines that `about` is about; `nil` where nothing is charged.
    package func charge(_ about: PenaltySubject) -> Charge? {
        subjects(of: about).compactMap { charges[$0] }.reduce(nil) { sum, charge in
            Charge(all: (sum?.all ?? .zero) + charge.all, left: (sum?.left ?? .zero) + charge.left)
        }
    }

    /// The larger charge of each line, where nothing was taken back of either yet.
    package func larger(_ other: WaivableCharges) -> WaivableCharges {
        var larger = self
        larger.charges.merge(other.charges) { $0.all < $1.all ? $1 : $0 }
        return larger
    }

    /// Takes a waiver back from what is left; one of a rule alone from its lines in their order.
    ///
    /// - Parameter amount: `nil`: all that is left.
    /// - Returns: how much that is: never more than is left.
    @discardableResult
    package mutating func waive(_ amount: Cents?, of about: PenaltySubject) -> Cents {
        let left = charge(about)?.left ?? .zero
        let waived = min(amount ?? left, left)
        var rest = waived
        for subject in subjects(of: about) {
            let taken = min(rest, charges[subject]?.left ?? .zero)
            charges[subject]?.left -= taken
            rest -= taken
        }
        return waived
    }
}

extension [Adjustment] {
    /// Those that count: without what was withdrawn, and without withdrawals, in the order of their numbers.
    package var inForce: [Adjustment] {
        let withdrawn = Set(compactMap(\.withdraws))
        return filter { $0.withdraws == nil && !withdrawn.contains($0.number) }.sorted { $0.number < $1.number }
    }
}
