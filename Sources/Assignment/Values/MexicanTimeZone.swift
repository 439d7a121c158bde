// SPDX-License-Identifier: Apache-2.0

/// The time zones of Mexico by rule, so that a decision needs no zone database of the machine it runs on.
///
/// Valid from 2022-10-30 on, when the country gave up daylight saving time except along the northern border
/// (Ley de los Husos Horarios en los Estados Unidos Mexicanos). Before that day the standard offset is given.
package enum MexicanTimeZone: String, Sendable, CaseIterable {
    case cancun = "America/Cancun"
    case mexicoCity = "America/Mexico_City"
    case merida = "America/Merida"
    case monterrey = "America/Monterrey"
    case matamoros = "America/Matamoros"
    case chihuahua = "America/Chihuahua"
    case ojinaga = "America/Ojinaga"
    case ciudadJuarez = "America/Ciudad_Juarez"
    case mazatlan = "America/Mazatlan"
    case hermosillo = "America/Hermosillo"
    case tijuana = "America/Tijuana"

    /// Seconds east of UTC outside daylight saving time.
    package var standardOffsetSeconds: Int {
        switch self {
        case .cancun: -5 * 3_600
        case .mexicoCity, .merida, .monterrey, .matamoros, .chihuahua, .ojinaga: -6 * 3_600
        case .ciudadJuarez, .mazatlan, .hermosillo: -7 * 3_600
        case .tijuana: -8 * 3_600
        }
    }

    /// Whether its clocks follow those of the United States across the border.
    package var keepsDaylightSaving: Bool {
        switch self {
        case .matamoros, .ojinaga, .ciudadJuarez, .tijuana: true
        case .cancun, .mexicoCity, .merida, .monterrey, .chihuahua, .mazatlan, .hermosillo: false
        }
    }

    /// Seconds east of UTC at `instant`.
    package func offsetSeconds(at instant: Timestamp) -> Int {
        guard keepsDaylightSaving else { return standardOffsetSeconds }
        let year = instant.local(offsetSeconds: standardOffsetSeconds).date.year
        guard let march = LocalDate(year: year, month: 3, day: 1),
            let november = LocalDate(year: year, month: 11, day: 1)
        else { return standardOffsetSeconds }
        // From the second Sunday of March to the first of November, at two in the morning by the clocks in force.
        let start = Timestamp(
            date: march.advanced(byDays: 7 + (7 - march.weekday)), secondsOfDay: 7_200,
            offsetSeconds: standardOffsetSeconds)
        let end = Timestamp(
            date: november.advanced(byDays: 7 - november.weekday), secondsOfDay: 3_600,
            offsetSeconds: standardOffsetSeconds)
        return instant >= start && instant < end ? standardOffsetSeconds + 3_600 : standardOffsetSeconds
    }

    /// The day and the second of the day that its clocks show at `instant`.
    package func local(_ instant: Timestamp) -> (date: LocalDate, secondOfDay: Int) {
        instant.local(offsetSeconds: offsetSeconds(at: instant))
    }
}
