// SPDX-License-Identifier: Apache-2.0

/// The three parts of the country by which the published figures are told apart (SEG-17).
package enum MacroRegion: String, Sendable, CaseIterable { case norte, centro, sur }

/// One of the 32 regional delegations, one per state, numbered as the national statistics office numbers the states.
///
/// Source: GEO-01 (32 delegations), SEG-17 (macro-regions).
package struct Delegation: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let range: ClosedRange<Int16> = 1...32
    package static let all: [Delegation] = range.compactMap(Delegation.init)
    package let value: Int16

    package init?(_ value: Int16) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }

    package init?(text: some StringProtocol) {
        guard let value = Int64(canonicalDigits: text), let narrow = Int16(exactly: value) else { return nil }
        self.init(narrow)
    }

    package var name: String { Self.states[Int(value) - 1].name }
    package var macroRegion: MacroRegion { Self.states[Int(value) - 1].region }
    /// The time zone of most of the state; a municipality may have its own (``Municipality/timeZone``).
    package var timeZone: MexicanTimeZone { Self.states[Int(value) - 1].zone }

    package static func < (left: Delegation, right: Delegation) -> Bool { left.value < right.value }
    package var description: String { String(value) }

    private static let states: [(name: String, region: MacroRegion, zone: MexicanTimeZone)] = [
        ("Aguascalientes", .norte, .mexicoCity), ("Baja California", .norte, .tijuana),
        ("Baja California Sur", .norte, .mazatlan), ("Campeche", .sur, .merida),
        ("Coahuila", .norte, .monterrey), ("Colima", .centro, .mexicoCity), ("Chiapas", .sur, .mexicoCity),
        ("Chihuahua", .norte, .chihuahua), ("Ciudad de México", .centro, .mexicoCity),
        ("Durango", .norte, .monterrey), ("Guanajuato", .centro, .mexicoCity), ("Guerrero", .sur, .mexicoCity),
        ("Hidalgo", .centro, .mexicoCity), ("Jalisco", .centro, .mexicoCity),
        ("Estado de México", .centro, .mexicoCity), ("Michoacán", .centro, .mexicoCity),
        ("Morelos", .centro, .mexicoCity), ("Nayarit", .centro, .mazatlan), ("Nuevo León", .norte, .monterrey),
        ("Oaxaca", .sur, .mexicoCity), ("Puebla", .centro, .mexicoCity), ("Querétaro", .centro, .mexicoCity),
        ("Quintana Roo", .sur, .cancun), ("San Luis Potosí", .centro, .mexicoCity), ("Sinaloa", .norte, .mazatlan),
        ("Sonora", .norte, .hermosillo), ("Tabasco", .sur, .mexicoCity), ("Tamaulipas", .norte, .monterrey),
        ("Tlaxcala", .centro, .mexicoCity), ("Veracruz", .sur, .mexicoCity), ("Yucatán", .sur, .merida),
        ("Zacatecas", .norte, .mexicoCity),
    ]
}

/// One of the 20 zones that contracts are tendered by (AGY-01). Which delegations it has is imported data (GEO-01).
package struct Zone: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let range: ClosedRange<Int16> = 1...20
    package let value: Int16

    package init?(_ value: Int16) {
        guard Self.range.contains(value) else { return nil }
        self.value = value
    }

    package init?(text: some StringProtocol) {
        guard let value = Int64(canonicalDigits: text), let narrow = Int16(exactly: value) else { return nil }
        self.init(narrow)
    }

    package static func < (left: Zone, right: Zone) -> Bool { left.value < right.value }
    package var description: String { String(value) }
}

/// A municipality by its national five-digit key: two digits of the state, three of the municipality.
package struct Municipality: Hashable, Sendable, CustomStringConvertible {
    package let value: Int32

    package init?(_ value: Int32) {
        guard let state = Int16(exactly: value / 1_000), Delegation.range.contains(state), value % 1_000 > 0
        else { return nil }
        self.value = value
    }

    /// Reads all five digits: `14039`, `01001`.
    package init?(text: some StringProtocol) {
        guard text.utf8.count == 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int32(text)
        else { return nil }
        self.init(value)
    }

    /// The state that it lies in, as a delegation.
    package var delegation: Delegation { Delegation(Int16(value / 1_000)) ?? Delegation.all[0] }

    /// Its own zone where it differs from its state's: the border follows the clocks of the United States, and
    /// Bahía de Banderas those of Puerto Vallarta (Ley de los Husos Horarios, 2022).
    package var timeZone: MexicanTimeZone { Self.exceptions[value] ?? delegation.timeZone }

    package var description: String { String(repeating: "0", count: value < 10_000 ? 1 : 0) + String(value) }

    private static let exceptions: [Int32: MexicanTimeZone] = [
        // Coahuila's border: Acuña, Allende, Guerrero, Hidalgo, Jiménez, Morelos, Nava, Ocampo, Piedras Negras,
        // Villa Unión, Zaragoza.
        5002: .matamoros, 5003: .matamoros, 5012: .matamoros, 5013: .matamoros, 5014: .matamoros, 5019: .matamoros,
        5022: .matamoros, 5023: .matamoros, 5025: .matamoros, 5037: .matamoros, 5038: .matamoros,
        // Chihuahua: Juárez, Guadalupe, Praxedis G. Guerrero; Coyame, Ojinaga, Manuel Benavides; Ascensión, Janos.
        8037: .ciudadJuarez, 8028: .ciudadJuarez, 8053: .ciudadJuarez, 8005: .ciudadJuarez, 8035: .ciudadJuarez,
        8015: .ojinaga, 8052: .ojinaga, 8042: .ojinaga,
        // Nayarit: Bahía de Banderas.
        18020: .mexicoCity,
        // Nuevo León: Anáhuac.
        19005: .matamoros,
        // Tamaulipas' border: Camargo, Guerrero, Gustavo Díaz Ordaz, Matamoros, Mier, Miguel Alemán, Nuevo Laredo,
        // Reynosa, Río Bravo, Valle Hermoso.
        28007: .matamoros, 28014: .matamoros, 28015: .matamoros, 28022: .matamoros, 28024: .matamoros,
        28025: .matamoros, 28027: .matamoros, 28032: .matamoros, 28033: .matamoros, 28040: .matamoros,
    ]
}
