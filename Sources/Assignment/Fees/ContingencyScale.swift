// SPDX-License-Identifier: Apache-2.0

/// One band's scale: the share of the overdue value that was recovered decides which part of it is the fee.
///
/// Source: FEE-01…05, FEE-10. Ranges are whole percents that follow one another from 0; above the top one its rate holds, unless the
/// contract reads it otherwise (AMB-11).
package struct ContingencyScale: Equatable, Sendable {
    package struct Step: Equatable, Sendable {
        package let from: Int64
        package let to: Int64
        package let rate: BasisPoints
    }

    package let band: MoraBand
    /// The share that must be reached; below it the band's goal is missed (SUS-01). Whole percent.
    package let minimum: Int64
    /// Ascending.
    package let steps: [Step]

    /// Reads a version's values of the band's rule: `minimum`, and a range of percents each, as in `51-60`.
    init(_ schedule: Schedule, _ band: MoraBand) throws(ScheduleError) {
        self.band = band
        let rule = band.rawValue
        let minimum = try schedule.percent(rule, Self.minimumName)
        var steps: [Step] = []
        for value in schedule.values where value.rule == rule && value.parameter != Self.minimumName {
            guard let range = Self.range(value.parameter) else {
                throw .badValue(
                    schedule.version, rule: rule, parameter: value.parameter, value: value.value,
                    expected: "a parameter `minimum` or a range such as `51-60`")
            }
            steps.append(
                Step(from: range.lowerBound, to: range.upperBound, rate: try schedule.percent(rule, value.parameter)))
        }
        steps.sort { $0.from < $1.from }
        guard minimum.value % 100 == 0 else {
            throw .badValue(
                schedule.version, rule: rule, parameter: Self.minimumName, value: minimum.description,
                expected: "a whole percent")
        }
        var next: Int64 = 0
        for step in steps {
            guard step.from == next else {
                throw .missingValue(schedule.version, rule: rule, parameter: "a range that begins with \(next)")
            }
            next = step.to + 1
        }
        guard next > 0 else { throw .missingValue(schedule.version, rule: rule, parameter: "0-…") }
        self.minimum = minimum.value / 100
        self.steps = steps
    }

    package static let minimumName = "minimum"

    /// `51-60`: two whole percents in their only spelling, the second not below the first.
    static func range(_ text: some StringProtocol) -> ClosedRange<Int64>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let from = Int64(canonicalDigits: parts[0]), let to = Int64(canonicalDigits: parts[1]),
            from <= to, to <= 100
        else { return nil }
        return from...to
    }

    /// `nil` above the top range where the contract's scale ends there.
    package func rate(at percent: Int64, above: ContingencyReading.Above = .top) -> BasisPoints? {
        guard above == .top || percent <= steps.last?.to ?? 0 else { return nil }
        return steps.last { $0.from <= percent }?.rate
    }

    package func isMet(at percent: Int64) -> Bool { percent >= minimum }

    /// Whether the minimum is met. It is the agency's over all that it does in the band (AMB-23): a percentage of one contract in one
    /// delegation, where that selects the rate (AMB-10), says nothing of it.
    private func judgement(at percent: Int64, _ reading: ContingencyReading) -> StatementNote {
        switch (reading.share, isMet(at: percent)) {
        case (.contract, _):
            StatementNote(
                spanish: "(el mínimo de \(minimum) % es de la agencia en la franja)",
                english: "(the minimum of \(minimum) % is of the agency in the band)")
        case (.agency, true):
            StatementNote(
                spanish: "(mínimo \(minimum) % cumplido)", english: "(minimum of \(minimum) % met)")
        case (.agency, false):
            StatementNote(
                spanish: "(por debajo del mínimo de \(minimum) %)", english: "(below the minimum of \(minimum) %)")
        }
    }

    /// The band's line; `nil` where nothing was recovered, or the scale has no rate for it.
    func line(_ recovery: BandRecovery, _ version: ScheduleVersion, _ reading: ContingencyReading) -> StatementLine? {
        let percent = reading.percent(recovery)
        let base = reading.base(recovery)
        guard base > .zero, let rate = rate(at: percent, above: reading.above) else { return nil }
        let amount = base.charge(rate)
        let isOfAgency = reading.share == .agency && recovery.isPart
        let (share, whole) =
            reading.share == .agency
            ? (recovery.agency.recovered, recovery.agency.assigned) : (recovery.recovered, recovery.assigned)
        let judged = judgement(at: percent, reading)
        let sum = StatementNote(
            spanish:
                "\(grouped(share)) de \(grouped(whole))\(isOfAgency ? " de la agencia en la franja" : "") = \(percent) % "
                + judged.spanish
                + "; \(rate) % de \(grouped(base)) = \(grouped(amount))",
            english:
                "\(grouped(share)) of \(grouped(whole))\(isOfAgency ? " of the agency in the band" : "") = \(percent) % "
                + judged.english
                + "; \(rate) % of \(grouped(base)) = \(grouped(amount))")
        let clause =
            switch reading.base {
            case .overdue:
                "Honorario a éxito por franja de mora: la tarifa según el porcentaje de gestión, sobre la mora recuperada."
            case .paid:
                "Honorario a éxito por franja de mora: la tarifa según el porcentaje de gestión, sobre lo pagado."
            }
        return StatementLine(
            kind: .fee, rule: band.rawValue, schedule: version, subject: "mora \(band.label)", clause: clause,
            base: .amount(base), rate: .percent(rate), amount: amount, facts: recovery.payments, records: [],
            arithmetic: sum)
    }
}

/// Who paid. A contract's fees count payments of the origins that it names; borrowers' own where it names none.
package enum PaymentOrigin: String, Sendable, CaseIterable {
    case borrower, employer, fpp, subaccount
}
