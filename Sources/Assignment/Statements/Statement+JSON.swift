// SPDX-License-Identifier: Apache-2.0

extension Statement {
    /// The statement as it is kept and signed for. Money in pesos with two decimals, as text.
    package var json: CanonicalJSON {
        .object([
            "format": .string("reparto-statement-1"),
            "period": .string(period.description),
            "contract": .number(Int64(contract.value)),
            "agency": .string(agency.description),
            "agencyName": .string(agencyName),
            "number": .string(number),
            "tender": .string(tender),
            "feeSchedule": .string(tariff.description),
            "penaltySchedule": .string(terms.description),
            "sections": .array(sections.map(\.json)),
            "totals": totals.json,
        ])
    }
}

extension Statement.Section {
    fileprivate var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "lines": .array(lines.map(\.json)),
            "notes": .array(notes.map { .string($0) }),
            "notesInEnglish": .array(notesInEnglish.map { .string($0) }),
            "totals": totals.json,
        ]
        if let delegation {
            members["delegation"] = .number(Int64(delegation.value))
            members["delegationName"] = .string(delegation.name)
            members["indicators"] = indicators.json
        }
        if !bands.isEmpty { members["bands"] = .array(bands.map(\.json)) }
        return .object(members)
    }
}

extension BandGoal {
    fileprivate var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "band": .string(band.rawValue), "assigned": .string(assigned.description),
            "recovered": .string(recovered.description), "percent": .number(percent), "minimum": .number(minimum),
        ]
        if fraction != .cut { members["fraction"] = .string(fraction.rawValue) }
        return .object(members)
    }
}

extension StatementTotals {
    fileprivate var json: CanonicalJSON {
        .object([
            "fees": .string(fees.description),
            "penalties": .string(penalties.description),
            "taxOnFees": .string(taxOnFees.description),
            "taxOnPenalties": .string(taxOnPenalties.description),
            "payable": .string(payable.description),
        ])
    }
}

extension StatementLine {
    fileprivate var json: CanonicalJSON {
        .object([
            "kind": .string(kind.rawValue),
            "rule": .string(rule),
            "schedule": .string(schedule.description),
            "subject": .string(subject),
            "clause": .string(clause),
            "base": base.json,
            "rate": rate.json,
            "amount": .string(amount.description),
            "facts": .array(facts.map { .string($0) }),
            "records": .array(records.map { .number($0) }),
            "arithmetic": .string(arithmetic.spanish),
            "arithmeticInEnglish": .string(arithmetic.english),
        ])
    }
}

extension StatementLine.Base {
    fileprivate var json: CanonicalJSON {
        switch self {
        case .count(let count, let unit): .object(["count": .number(count), "unit": .string(unit)])
        case .amount(let amount): .object(["pesos": .string(amount.description)])
        }
    }
}

extension StatementLine.Rate {
    fileprivate var json: CanonicalJSON {
        switch self {
        case .price(let price): .object(["pesos": .string(price.description)])
        case .percent(let percent): .object(["percent": .string(percent.description)])
        }
    }
}

extension DelegationIndicators {
    fileprivate var json: CanonicalJSON {
        .object([
            "assigned": .number(assigned),
            "dealt": Self.json(dealt),
            "withdrawn": Self.json(withdrawn),
            "recalled": Self.json(recalled),
            "excluded": Self.json(excluded),
            "unlocatable": Self.json(unlocatable),
            "pulled": .number(pulled),
            "worked": .number(worked),
            "contacted": .number(contacted),
            "promises": .number(promises),
            "agreements": .number(agreements),
            "outcomes": .number(outcomes),
            "validOutcomes": .number(validOutcomes),
            "pendingOutcomes": .number(pendingOutcomes),
            "returned": .object(returned.mapValues { .number($0) }),
            "recovered": .string(recovered.description),
            "recoveredFromBorrowers": .string(recoveredFromBorrowers.description),
        ])
    }

    private static func json(_ counts: [Portfolio: Int64]) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [:]
        for portfolio in Portfolio.allCases { members[portfolio.name] = .number(counts[portfolio, default: 0]) }
        return .object(members)
    }
}
