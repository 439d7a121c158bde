// SPDX-License-Identifier: Apache-2.0

/// The days of obligatory rest of Mexico's federal labour law (Ley Federal del Trabajo, art. 74), by rule and not by year.
///
/// Election days are left out: federal ones fall on a Sunday, and those of the states are set by each of them.
package enum MexicanHoliday {
    /// In force since 2006, when three of them moved to Mondays; the sixth-year day moved from December to October with 2024.
    package static func contains(_ date: LocalDate) -> Bool {
        let (year, month, day) = date.parts
        switch (month, day) {
        case (1, 1), (5, 1), (9, 16), (12, 25): return true
        // The first Monday of February, the third ones of March and November.
        case (2, 1...7), (3, 15...21), (11, 15...21): return date.weekday == 1
        // The federal executive changes hands, every six years.
        case (10, 1): return year >= 2024 && (year - 2024) % 6 == 0
        case (12, 1): return year < 2024 && (2018 - year) % 6 == 0
        default: return false
        }
    }
}
