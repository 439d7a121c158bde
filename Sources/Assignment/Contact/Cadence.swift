// SPDX-License-Identifier: Apache-2.0

/// One step of a cadence: so many days after the first call, a call, and with some steps a letter.
package struct CadenceStep: Equatable, Sendable {
    package let day: Int
    package let hasLetter: Bool
}

/// How the cadence of `fna` is read where its text can be read in two ways. Chosen by words beside the pack, in a policy's `packs` or a
/// contract's `rule_packs`; without them it is what the text says.
package struct CadenceReading: Hashable, Sendable {
    /// Of each word what it reads otherwise.
    package enum Word: String, Sendable, CaseIterable {
        /// As many calls as the cell of a band has, not as the text schedules (AMB-05).
        case callsOfCell = "fna-calls-of-cell"
        /// The third step of 31–60 fifteen days behind the first, not behind the second (AMB-06).
        case thirdFromFirst = "fna-third-from-first"
    }

    package let words: Set<Word>

    package init(_ words: Set<Word> = []) { self.words = words }

    /// - Parameter names: as a hand has its packs; what is no such word does not count.
    package init(names: [String]) { words = Set(names.compactMap { Word(rawValue: $0) }) }
}

/// The steps by which `fna` has a debtor contacted, by band of days late and by whom the calls reach: those of the text, unless a
/// ``CadenceReading`` says otherwise.
///
/// Day 0 is the first call.
/// - Source: CAD-01 … CAD-08; AMB-05, AMB-06.
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

    /// The steps that have a day. Where a cell has fewer calls than the text, the later ones are none.
    ///
    /// - Parameter reachesOthers: the calls reach a third party, not the debtor.
    package static func steps(
        _ band: Band, reachesOthers: Bool, _ reading: CadenceReading = CadenceReading()
    ) -> [CadenceStep] {
        let third = reading.words.contains(.thirdFromFirst) ? 15 : 20
        let steps: [(Int, Bool)] =
            switch (band, reachesOthers) {
            case (.to30, false): [(0, false), (8, true), (15, false)]  // CAD-01
            case (.to30, true): [(0, false), (5, false), (15, true)]  // CAD-02
            case (.to60, _): [(0, false), (5, true), (third, true)]  // CAD-03, CAD-04
            case (.to90, _): [(0, true), (8, true), (15, true)]  // CAD-05
            case (.to120, _): [(0, true), (10, true), (15, true)]  // CAD-06
            case (.over120, _): [(0, true), (8, false)]  // CAD-07, CAD-08
            }
        let count = reading.words.contains(.callsOfCell) ? band.cell : steps.count
        return steps.prefix(count).map { CadenceStep(day: $0.0, hasLetter: $0.1) }
    }

    /// How many calls may be made; what is beyond the steps of the text has no day.
    package static func callMax(_ band: Band, reachesOthers: Bool, _ reading: CadenceReading) -> Int {
        reading.words.contains(.callsOfCell) ? band.cell : steps(band, reachesOthers: reachesOthers).count
    }

    /// Days that a letter leaves the debtor to answer; from then on it has failed (CAD-05).
    package static let letterDays = 5
}

extension Cadence.Band {
    /// The calls that the band's cell of the table has, beside a text that schedules others to 30 days and over 120 (AMB-05).
    fileprivate var cell: Int { self == .to30 ? 1 : 3 }

    /// Certified mail goes out whoever was reached (CAD-12, CAD-13). E-mail does not stand in for it.
    package var hasCertifiedMail: Bool { self == .to90 || self == .over120 }

    /// A visit is a duty from the first call on, whoever was reached (CAD-15).
    package var hasVisits: Bool { self == .to120 }

    /// Every new address is searched by a location visit (CAD-14, CAD-15).
    package var hasSearches: Bool { self == .to90 || self == .to120 }
}
