// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import FoundationEssentials
internal import PgStore

/// A month's scorecards, computed from its indicators and statements in the transaction that counted the month.
struct ScorecardBook {
    /// One contract in one delegation.
    struct Row {
        let delegation: Delegation
        let agency: AgencyID
        let card: ScorecardRow
    }

    let weights: ScorecardWeights
    /// The month that the weights were loaded for; `nil`: the shipped ones.
    let weightsFrom: Period?
    /// By delegation and contract.
    let rows: [Row]

    /// - Parameters:
    ///   - parts: of the ``ClosingStore`` that counted the month and attributed its payments in this transaction.
    ///   - statements: of the month, as kept or as they would be.
    init(_ link: PgLink, period: Period, parts: MonthParts, statements: [PeriodStore.StoredStatement]) throws {
        let store = ScorecardStore(link, period: period)
        let inForce = try store.weights()
        weights = inForce?.weights ?? .standard
        weightsFrom = inForce?.from
        let agencies = try store.agencies()
        let money = try StatementMoney(statements)
        let conduct = Dictionary(
            ConductScore.scores(try store.conduct(parts)).map { ($0.agency, $0.points) }, uniquingKeysWith: { $1 })
        let mediation = try store.mediation()
        var entries: [Delegation: [ScorecardEntry]] = [:]
        let indicators = try IndicatorStore(link, period: period, parts: parts, withVintage: false)
        let fees = IndicatorStore.Fees(byPlace: money.fees)
        for (key, figures) in try indicators.figures(by: .contractDelegation, fees: fees) {
            let parts = key.split(separator: "/")
            guard parts.count == 2, let number = Int32(parts[0]), let contract = ContractID(number),
                let delegation = Int16(parts[1]).flatMap({ Delegation($0) })
            else { continue }
            var measured = figures.compactMap { figure in
                ScorecardMeasure(rawValue: figure.indicator.rawValue).map {
                    ScorecardEntry.Figure($0, figure.numerator, over: figure.denominator)
                }
            }
            let place = StatementPlace(contract: number, delegation: delegation.value)
            if let left = money.compliance(place) {
                measured.append(ScorecardEntry.Figure(.compliance, left, over: ScorecardRow.whole))
            }
            if let scores = mediation[place] {
                measured.append(ScorecardEntry.Figure(.mediation, scores.sum, over: scores.count * 10_000))
            }
            if let points = agencies[number].flatMap({ conduct[$0] }) {
                measured.append(
                    ScorecardEntry.Figure(.conduct, points.rounded(places: 4), over: ScorecardRow.whole))
            }
            entries[delegation, default: []].append(ScorecardEntry(contract, measured))
        }
        var rows: [Row] = []
        for delegation in entries.keys.sorted() {
            for card in ScorecardMonth.rows(entries[delegation, default: []], weights: weights) {
                guard let agency = agencies[card.contract.value] else { continue }
                rows.append(Row(delegation: delegation, agency: agency, card: card))
            }
        }
        self.rows = rows
    }

    /// As the close keeps them.
    var kept: [ScorecardStore.Kept] {
        rows.map { row in
            ScorecardStore.Kept(
                delegation: row.delegation.value, contract: row.card.contract.value, points: row.card.points,
                isNeutral: row.card.isNeutral, body: row.json(weightsFrom).text)
        }
    }
}

extension ScorecardBook.Row {
    fileprivate func json(_ weightsFrom: Period?) -> CanonicalJSON {
        .object([
            "agency": .string(agency.description),
            "weights": .string(weightsFrom?.description ?? "standard"),
            "measures": .array(
                card.parts.map { part in
                    var members: [String: CanonicalJSON] = [
                        "measure": .string(part.figure.measure.rawValue), "weight": .number(part.weight),
                        "numerator": .number(part.figure.numerator), "denominator": .number(part.figure.denominator),
                    ]
                    if let relative = part.relative { members["relative"] = .number(relative) }
                    return .object(members)
                }),
        ])
    }
}

/// What statements say about money, by contract and delegation.
private struct StatementMoney {
    private(set) var fees: [StatementPlace: Cents] = [:]
    private var penalties: [StatementPlace: Cents] = [:]
    /// Of the whole invoice: all fees, and the penalties that no delegation has.
    private var invoices: [Int32: (fees: Cents, penalties: Cents)] = [:]

    init(_ statements: [PeriodStore.StoredStatement]) throws {
        for statement in statements {
            let document = try StatementDocument(statement.body)
            var invoice = (fees: Cents.zero, penalties: Cents.zero)
            for section in document.sections {
                let billed = section.pay
                let charged = Cents(pesos: section.totals.penalties) ?? .zero
                invoice.fees += billed
                if let delegation = section.delegation.flatMap({ Int16(exactly: $0) }) {
                    let place = StatementPlace(contract: statement.contract, delegation: delegation)
                    fees[place] = billed
                    penalties[place] = charged
                } else {
                    invoice.penalties += charged
                }
            }
            invoices[statement.contract] = invoice
        }
    }

    /// What penalties left of the fees, in millionths: those of the delegation of its fees, those on the whole invoice of all fees. `nil`
    /// where nothing was billed and nothing charged.
    func compliance(_ place: StatementPlace) -> Int64? {
        let billed = fees[place] ?? .zero
        let charged = penalties[place] ?? .zero
        guard billed > .zero else { return charged > .zero ? 0 : nil }
        var left = Ratio(1) - Ratio(Int128(charged.value), over: Int128(billed.value))
        if let invoice = invoices[place.contract], invoice.fees > .zero, invoice.penalties != .zero {
            left = left - Ratio(Int128(invoice.penalties.value), over: Int128(invoice.fees.value))
        }
        return min(ScorecardRow.whole, max(0, left.rounded(places: 6)))
    }
}
