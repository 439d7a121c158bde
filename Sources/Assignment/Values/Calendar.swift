// SPDX-License-Identifier: Apache-2.0

/// A calendar day of the Gregorian calendar, without a time zone.
///
/// Value: days since 1970-01-01. Range: 1900-01-01...2199-12-31, checked where text or parts are read.
package struct LocalDate: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let daysSince1970: Int32

    package init(daysSince1970: Int32) { self.daysSince1970 = daysSince1970 }

    package init?(year: Int, month: Int, day: Int) {
        guard (1900...2199).contains(year), (1...12).contains(month), (1...31).contains(day),
            day <= Self.daysInMonth(year: year, month: month)
        else { return nil }
        self.init(counting: year, month, day)
    }

    /// The same for days that are not read but follow from others, as the first one after the last period's.
    ///
    /// Days from civil, counting years from March so that the leap day is the last of its year; from year 1 on.
    fileprivate init(counting year: Int, _ month: Int, _ day: Int) {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.daysSince1970 = Int32(era * 146_097 + dayOfEra - 719_468)
    }

    /// Reads `2024-03-31`.
    package init?(text: some StringProtocol) { self.init(utf8: ArraySlice(text.utf8)) }

    /// The same from bytes, for the wire and for files, where a string per value would be the largest cost.
    package init?(utf8 bytes: ArraySlice<UInt8>) {
        let start = bytes.startIndex
        guard bytes.count == 10, bytes[start + 4] == 0x2D, bytes[start + 7] == 0x2D, let year = bytes.decimal(0, 4),
            let month = bytes.decimal(5, 2), let day = bytes.decimal(8, 2)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    package static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    package var parts: (year: Int, month: Int, day: Int) {
        let shifted = Int(daysSince1970) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    package var year: Int { parts.year }
    package var period: Period {
        let (year, month, _) = parts
        return Period(monthsSinceYear0: Int32(year * 12 + month - 1))
    }
    /// 1 is Monday, 7 is Sunday.
    package var weekday: Int { Int((daysSince1970 + 3) % 7 + 7) % 7 + 1 }

    package func advanced(byDays days: Int) -> LocalDate { LocalDate(daysSince1970: daysSince1970 + Int32(days)) }
    /// Days from this day to `other`; negative when `other` is earlier.
    package func days(to other: LocalDate) -> Int { Int(other.daysSince1970 - daysSince1970) }

    package static func < (left: LocalDate, right: LocalDate) -> Bool { left.daysSince1970 < right.daysSince1970 }
    package var description: String {
        let (year, month, day) = parts
        return "\(year)-\(twoDigits(month))-\(twoDigits(day))"
    }
}

/// A calendar month: the time that one cut, one plan and one statement are for. Written `2024-03`.
package struct Period: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let monthsSinceYear0: Int32

    package init(monthsSinceYear0: Int32) { self.monthsSinceYear0 = monthsSinceYear0 }

    package init?(year: Int, month: Int) {
        guard (1900...2199).contains(year), (1...12).contains(month) else { return nil }
        self.monthsSinceYear0 = Int32(year * 12 + month - 1)
    }

    package init?(text: some StringProtocol) {
        let bytes = ArraySlice(Array(text.utf8))
        guard bytes.count == 7, bytes[4] == 0x2D, let year = bytes.decimal(0, 4), let month = bytes.decimal(5, 2)
        else { return nil }
        self.init(year: year, month: month)
    }

    /// The month as one number, 202403, which is how tables and partitions name it.
    package init?(number: Int32) { self.init(year: Int(number / 100), month: Int(number % 100)) }

    package var number: Int32 { monthsSinceYear0 / 12 * 100 + monthsSinceYear0 % 12 + 1 }
    package var year: Int { Int(monthsSinceYear0 / 12) }
    package var month: Int { Int(monthsSinceYear0 % 12) + 1 }
    /// Also of a month that no text names, such as the one after the last.
    package var firstDay: LocalDate { LocalDate(counting: year, month, 1) }
    package var lastDay: LocalDate { advanced(byMonths: 1).firstDay.advanced(byDays: -1) }
    package func advanced(byMonths months: Int) -> Period { Period(monthsSinceYear0: monthsSinceYear0 + Int32(months)) }

    package static func < (left: Period, right: Period) -> Bool { left.monthsSinceYear0 < right.monthsSinceYear0 }
    package var description: String { "\(year)-\(twoDigits(month))" }
}

/// An instant, in microseconds since 1970-01-01T00:00:00Z. Written in UTC with milliseconds: `2024-03-04T15:00:00.000Z`.
package struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package init(date: LocalDate, secondsOfDay: Int = 0, offsetSeconds: Int = 0) {
        self.microseconds = (Int64(date.daysSince1970) * 86_400 + Int64(secondsOfDay - offsetSeconds)) * 1_000_000
    }

    /// Reads RFC 3339 with `Z` or a numeric offset, and up to six decimals of a second.
    package init?(text: some StringProtocol) { self.init(utf8: ArraySlice(text.utf8)) }

    /// The same from bytes.
    package init?(utf8 bytes: ArraySlice<UInt8>) {
        let start = bytes.startIndex
        guard bytes.count >= 20, let date = LocalDate(utf8: bytes.prefix(10)), bytes[start + 10] == 0x54,
            bytes[start + 13] == 0x3A, bytes[start + 16] == 0x3A, let hour = bytes.decimal(11, 2),
            let minute = bytes.decimal(14, 2), let second = bytes.decimal(17, 2), hour < 24, minute < 60, second < 60
        else { return nil }
        var index = start + 19
        var fraction: Int64 = 0
        if bytes[index] == 0x2E {
            index += 1
            var scale: Int64 = 100_000
            let first = index
            while index < bytes.endIndex, (0x30...0x39).contains(bytes[index]) {
                guard scale > 0 else { return nil }
                fraction += Int64(bytes[index] - 0x30) * scale
                scale /= 10
                index += 1
            }
            guard index > first else { return nil }
        }
        guard index < bytes.endIndex else { return nil }
        var offset = 0
        if bytes[index] == 0x5A {
            guard index + 1 == bytes.endIndex else { return nil }
        } else {
            let place = index - start
            guard bytes[index] == 0x2B || bytes[index] == 0x2D, bytes.count == place + 6, bytes[index + 3] == 0x3A,
                let hours = bytes.decimal(place + 1, 2), let minutes = bytes.decimal(place + 4, 2), hours <= 14,
                minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[index] == 0x2B ? 60 : -60)
        }
        let seconds = hour * 3_600 + minute * 60 + second
        self.microseconds = Timestamp(date: date, secondsOfDay: seconds, offsetSeconds: offset).microseconds + fraction
    }

    package func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(microseconds: microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    /// The time from this instant to `other`; negative when `other` is earlier.
    package func duration(to other: Timestamp) -> Duration { .microseconds(other.microseconds - microseconds) }

    /// The day and the second of the day at `offsetSeconds` east of UTC.
    package func local(offsetSeconds: Int) -> (date: LocalDate, secondOfDay: Int) {
        let seconds = floorDivide(microseconds, 1_000_000) + Int64(offsetSeconds)
        let days = floorDivide(seconds, 86_400)
        return (LocalDate(daysSince1970: Int32(days)), Int(seconds - days * 86_400))
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
    package var description: String {
        let (date, second) = local(offsetSeconds: 0)
        let milliseconds = Int(floorDivide(microseconds, 1_000) - floorDivide(microseconds, 1_000_000) * 1_000)
        let clock = "\(twoDigits(second / 3_600)):\(twoDigits(second / 60 % 60)):\(twoDigits(second % 60))"
        return "\(date)T\(clock).\(milliseconds < 100 ? "0" : "")\(twoDigits(milliseconds))Z"
    }
}

func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}

extension ArraySlice<UInt8> {
    /// The number written in `count` digits from the `offset`-th byte on; `nil` where one of them is not a digit.
    fileprivate func decimal(_ offset: Int, _ count: Int) -> Int? {
        guard offset + count <= self.count else { return nil }
        var value = 0
        for byte in self[startIndex + offset..<startIndex + offset + count] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
