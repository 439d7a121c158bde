// SPDX-License-Identifier: Apache-2.0

/// A schedule of fees or penalties as it was from one day on. Written `248/GA/2022@2023-01-01`.
package struct ScheduleVersion: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package let effectiveOn: LocalDate

    package init(name: String, effectiveOn: LocalDate) {
        self.name = name
        self.effectiveOn = effectiveOn
    }

    package var description: String { "\(name)@\(effectiveOn)" }

    /// Reads what ``description`` writes.
    package init?(text: String) {
        guard let at = text.lastIndex(of: "@"), let day = LocalDate(text: String(text[text.index(after: at)...])),
            at > text.startIndex
        else { return nil }
        self.init(name: String(text[..<at]), effectiveOn: day)
    }
}

/// One value of a schedule, as it is imported.
package struct ScheduleValue: Hashable, Sendable {
    package let rule: String
    package let parameter: String
    package let value: String

    package init(rule: String, parameter: String, value: String) {
        self.rule = rule
        self.parameter = parameter
        self.value = value
    }
}

/// One whole version of a schedule. A version replaces the one before it: what it does not name does not apply.
///
/// Source: AGY-04 (fees and penalties are keyed by contract generation and first day in force).
package struct Schedule: Hashable, Sendable {
    package let version: ScheduleVersion
    package let values: [ScheduleValue]

    package init(version: ScheduleVersion, values: [ScheduleValue]) {
        self.version = version
        self.values = values
    }

    /// The latest of `versions` in force on `day`; `nil` where none is yet.
    package static func inForce(on day: LocalDate, of versions: [Schedule]) -> Schedule? {
        versions.filter { $0.version.effectiveOn <= day }.max { $0.version.effectiveOn < $1.version.effectiveOn }
    }

    package func value(_ rule: String, _ parameter: String) -> String? {
        values.first { $0.rule == rule && $0.parameter == parameter }?.value
    }

    package func names(_ rule: String) -> Bool { values.contains { $0.rule == rule } }
}

/// What is wrong with a schedule. The one who maintains schedules mends it; a retry does not help.
package enum ScheduleError: Error, Equatable, Sendable, CustomStringConvertible {
    case missingValue(ScheduleVersion, rule: String, parameter: String)
    case badValue(ScheduleVersion, rule: String, parameter: String, value: String, expected: String)
    case unknownService(ScheduleVersion, name: String)
    case noPrice(ScheduleVersion, FeeService)

    package var description: String {
        switch self {
        case .missingValue(let version, let rule, let parameter):
            "schedule \(version) names \(rule) but has no value for its parameter \(parameter)"
        case .badValue(let version, let rule, let parameter, let value, let expected):
            "schedule \(version), \(rule) \(parameter): found \"\(value)\", expected \(expected)"
        case .unknownService(let version, let name):
            "schedule \(version) prices \"\(name)\", which is no service"
        case .noPrice(let version, let service):
            "schedule \(version) has no price for \(service), which was worked"
        }
    }
}

extension Schedule {
    func percent(_ rule: String, _ parameter: String, or fallback: BasisPoints? = nil) throws(ScheduleError)
        -> BasisPoints
    {
        guard let text = value(rule, parameter) else {
            if let fallback { return fallback }
            throw .missingValue(version, rule: rule, parameter: parameter)
        }
        guard let percent = ScheduleUnit.readPercent(text) else {
            throw .badValue(
                version, rule: rule, parameter: parameter, value: text, expected: ScheduleUnit.percent.label)
        }
        return percent
    }

    func pesos(_ rule: String, _ parameter: String) throws(ScheduleError) -> Cents {
        guard let text = value(rule, parameter) else {
            throw .missingValue(version, rule: rule, parameter: parameter)
        }
        guard let amount = ScheduleUnit.readPesos(text) else {
            throw .badValue(version, rule: rule, parameter: parameter, value: text, expected: ScheduleUnit.pesos.label)
        }
        return amount
    }

    /// One of the choice's words; `fallback` where the schedule does not name it.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ rule: String, _ parameter: String, or fallback: Choice
    ) throws(ScheduleError) -> Choice where Choice.RawValue == String {
        guard let text = value(rule, parameter) else { return fallback }
        guard let choice = Choice(rawValue: text) else {
            throw .badValue(
                version, rule: rule, parameter: parameter, value: text,
                expected: Choice.allCases.map(\.rawValue).joined(separator: " or "))
        }
        return choice
    }

    func count(_ rule: String, _ parameter: String, or fallback: Int? = nil) throws(ScheduleError) -> Int {
        guard let text = value(rule, parameter) else {
            if let fallback { return fallback }
            throw .missingValue(version, rule: rule, parameter: parameter)
        }
        guard let count = ScheduleUnit.readCount(text) else {
            throw .badValue(version, rule: rule, parameter: parameter, value: text, expected: ScheduleUnit.count.label)
        }
        return count
    }
}
