// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// A month's indicators by one cut, or all of them with their records as files. Changes nothing.
package struct IndicatorReport {
    package struct Row: Equatable, Sendable {
        package let key: String
        package let figures: [IndicatorFigure]
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    package func rows(by cut: IndicatorCut) throws -> [Row] {
        try reading { store, fees, agreements in
            try store.figures(by: cut, fees: fees, agreements: agreements.figures(by: cut))
                .map { Row(key: Self.name($0.key, cut), figures: $0.figures) }
        }
    }

    /// Writes `indicators.csv` with every cut, `accounts.csv` with the accounts behind, and `agreements.csv` with the agreements behind
    /// IND-13, into a folder that is there.
    ///
    /// - Returns: how many accounts and agreements.
    package func export(to folder: String) throws -> (accounts: Int, agreements: Int) {
        try reading { store, fees, agreements in
            try OutputFile.writing(folder + "/indicators.csv") { file in
                try file.write("period,by,key,indicator,numerator,denominator,value,formula")
                for cut in IndicatorCut.allCases {
                    for (key, figures) in try store.figures(
                        by: cut, fees: fees, agreements: agreements.figures(by: cut))
                    {
                        for figure in figures where figure.denominator != 0 {
                            let fields = [
                                "\(period)", cut.rawValue, Self.name(key, cut), figure.indicator.rawValue,
                                figure.numeratorText, figure.denominatorText, figure.value ?? "",
                                "\"\(figure.indicator.formula(by: cut))\"",
                            ]
                            try file.write(fields.joined(separator: ","))
                        }
                    }
                }
            }
            var count = 0
            try OutputFile.writing(folder + "/accounts.csv") { file in
                try file.write(IndicatorStore.recordColumns.joined(separator: ","))
                try store.eachRecord { fields in
                    count += 1
                    try file.write(fields.joined(separator: ","))
                }
            }
            return (
                count, try agreements.write(to: folder + "/agreements.csv", from: agreements.figuresFrom)
            )
        }
    }

    private func reading<Value>(
        _ body: (IndicatorStore, IndicatorStore.Fees, AgreementReport) throws -> Value
    ) throws -> Value {
        guard let state = try PeriodStore(link, period: period).state() else {
            throw CommandFailure(
                .usage, "there is nothing of \(period): no file was ever imported for it", remedy: "Check the period.")
        }
        return try link.transaction {
            try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            let closing = try ClosingStore(link, period: period) { _ in }
            _ = try MonthParties(closing, period: period)
            let fees = state == .closed ? try keptFees() : IndicatorStore.Fees()
            return try body(
                try IndicatorStore(link, period: period), fees,
                try AgreementReport(link, from: AgreementReport.figuresFrom(period), through: period))
        }
    }

    /// What the kept statements billed; an open month has none yet.
    private func keptFees() throws -> IndicatorStore.Fees {
        var fees = IndicatorStore.Fees()
        for statement in try PeriodStore(link, period: period).statements() {
            for section in try StatementDocument(statement.body).sections {
                let delegation = section.delegation.flatMap { Int16(exactly: $0) } ?? 0
                fees.byPlace[StatementPlace(contract: statement.contract, delegation: delegation)] = section.pay
            }
        }
        return fees
    }

    private static func name(_ key: String, _ cut: IndicatorCut) -> String {
        switch cut {
        case .strategy: Int16(key).flatMap(Strategy.init)?.name ?? key
        case .band: Int32(key).map { MoraBand(daysLate: $0)?.label ?? "current" } ?? key
        case .vintage: Int32(key).flatMap { Period(number: $0)?.description } ?? key
        case .total, .agency, .contract, .delegation, .tactic, .contractDelegation: key
        }
    }
}

extension IndicatorReport {
    /// An aligned table: a row per value of the cut, a column per indicator that has something to say.
    package func lines(by cut: IndicatorCut) throws -> [String] {
        let rows = try rows(by: cut)
        let told = Indicator.allCases.indices.filter { index in rows.contains { $0.figures[index].denominator != 0 } }
        guard !rows.isEmpty else { return ["nothing was dealt in \(period)"] }
        var table = TextTable(columns: [.left] + told.map { _ in .right })
        table.row([cut.rawValue] + told.map { Indicator.allCases[$0].rawValue })
        for row in rows { table.row([row.key] + told.map { row.figures[$0].value ?? "–" }) }
        let legend = told.map { index in
            let indicator = Indicator.allCases[index]
            return "\(indicator.rawValue)  \(indicator.name): \(indicator.formula(by: cut))"
                + (indicator.isShare ? ", in percent" : "")
        }
        return table.lines + [""] + legend
    }

    package func json(by cut: IndicatorCut) throws -> String {
        let rows = try rows(by: cut).map { row in
            CanonicalJSON.object([
                "key": .string(row.key),
                "indicators": .array(
                    row.figures.filter { $0.denominator != 0 }.map { figure in
                        .object([
                            "indicator": .string(figure.indicator.rawValue),
                            "numerator": .string(figure.numeratorText),
                            "denominator": .string(figure.denominatorText), "value": .string(figure.value ?? ""),
                        ])
                    }),
            ])
        }
        let json = CanonicalJSON.object([
            "period": .string("\(period)"), "by": .string(cut.rawValue), "rows": .array(rows),
        ])
        return String(json.text.dropLast())
    }
}
