// SPDX-License-Identifier: Apache-2.0

/// One step of a cadence: so many days after the first call, a call, and with some steps a letter.
package struct CadenceStep: Equatable, Sendable {
    package let day: Int
    package let hasLetter: Bool
}

/// The steps by which `fna` has a debtor contacted, by band of days late and by whom the calls reach: those of the text, whatever
/// number of calls its cells have (AMB-05).
///
/// Day 0 is the first call. A third step of 31–60 comes fifteen days after the second (AMB-06).
/// - Source: CAD-01 … CAD-08.
package enum Cadence {
    /// Bands of days late as the catalogue parts them (SEG-11), from whole months in arrears.
    package enum Band: Int, Sendable, CaseIterable {
        case to30 = 1
        case to60
        case to90
        case to120
        case over120

        package init(arrears: Int16) { self = Band(rawValue: Int(arrears)) ?? (arrears < 1 ? .to30 : .over120) }
    }

    /// - Parameter reachesOthers: the calls reach a third party, not the debtor.
    package static func steps(_ band: Band, reachesOthers: Bool) -> [CadenceStep] {
        let steps: [(Int, Bool)] =
            switch (band, reachesOthers) {
            case (.to30, false): [(0, false), (8, true), (15, false)]  // CAD-01
            case (.to30, true): [(0, false), (5, false), (15, true)]  // CAD-02
            case (.to60, _): [(0, false), (5, true), (20, true)]  // CAD-03, CAD-04
            case (.to90, _): [(0, true), (8, true), (15, true)]  // CAD-05
            case (.to120, _): [(0, true), (10, true), (15, true)]  // CAD-06
            case (.over120, _): [(0, true), (8, false)]  // CAD-07, CAD-08
            }
        return steps.map { CadenceStep(day: $0.0, hasLetter: $0.1) }
    }

    /// Days that a letter leaves the debtor to answer; from then on it has failed (CAD-05).
    package static let letterDays = 5
}

extension Cadence.Band {
    /// Certified mail goes out whoever was reached (CAD-12, CAD-13). E-mail does not stand in for it.
    package var hasCertifiedMail: Bool { self == .to90 || self == .over120 }

    /// A visit is a duty from the first call on, whoever was reached (CAD-15).
    package var hasVisits: Bool { self == .to120 }

    /// Every new address is searched by a location visit (CAD-14, CAD-15).
    package var hasSearches: Bool { self == .to90 || self == .to120 }
}
