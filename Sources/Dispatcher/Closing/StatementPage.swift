// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Mustache
internal import PgStore

/// Pages of a closed month: one per statement, and the month's, in Spanish with the English below.
struct StatementPage {
    private let statement: MustacheTemplate
    private let month: MustacheTemplate
    private let list: MustacheTemplate

    init() throws {
        list = try MustacheTemplate(string: StatementTemplates.list)
        statement = try MustacheTemplate(string: StatementTemplates.statement)
        month = try MustacheTemplate(string: StatementTemplates.month)
    }

    /// Leads to the month's page, or a list of its statements, in the folder above.
    ///
    /// - Parameter stage: what the figures are worth.
    func html(
        _ document: StatementDocument, digest: String, stage: PageStage = .closed
    ) -> String {
        var figures: [String: Any] = [
            "style": StatementTemplates.style, "period": document.period, "contract": document.contract,
            "agency": document.agency, "agencyName": document.agencyName, "number": document.number,
            "tender": document.tender, "feeSchedule": document.feeSchedule,
            "penaltySchedule": document.penaltySchedule, "digest": digest, "totals": view(document.totals),
            // The section of the whole invoice is there in every file; on a page only where something is charged.
            "sections": document.sections.filter { $0.delegation != nil || !$0.lines.isEmpty }.map(view),
        ]
        figures["monthTitle"] = stage.monthTitle.spanish
        figures["monthTitleInEnglish"] = stage.monthTitle.english
        figures.merge(stage.figures(ofMonth: false)) { $1 }
        return statement.render(figures)
    }

    /// - Parameter seal: of the statements, which the page is known by.
    func html(
        _ summary: MonthSummary, _ documents: [StatementDocument], seal: String, stage: PageStage = .closed
    ) -> String {
        let totals = summary.tally.totals
        var figures: [String: Any] = [
            "style": StatementTemplates.style, "period": summary.period.description, "seal": seal,
            "totals": view(
                fees: totals.fees, penalties: totals.penalties, taxOnFees: totals.taxOnFees,
                taxOnPenalties: totals.taxOnPenalties, payable: totals.payable),
            "strategies": summary.strategies.map(view), "total": view(summary.total),
            "excluded": grouped(summary.excluded), "hasCut": summary.cut != nil,
            "services": summary.tally.services.sorted { $0.key < $1.key }.map { service, charge in
                [
                    "service": service.spanish, "english": service.description, "accounts": grouped(charge.lines),
                    "amount": grouped(charge.amount),
                ]
            },
            "penalties": summary.tally.penalties.sorted { $0.key.rawValue < $1.key.rawValue }.map { rule, charge in
                [
                    "rule": "\(rule.rawValue) \(rule.spanishTitle)", "english": rule.title,
                    "lines": grouped(charge.lines), "amount": grouped(charge.amount),
                    "percent": summary.mix.percent(rule).map { "\($0) %" } ?? "",
                ]
            },
            "feesTotal": grouped(totals.fees), "penaltiesTotal": grouped(totals.penalties),
            "bands": summary.tally.bands.sorted { $0.key < $1.key }.map { band, charge in
                [
                    "rule": "\(band.rawValue)", "label": band.label, "lines": grouped(charge.lines),
                    "amount": grouped(charge.amount),
                ]
            },
            "feeChanges": changes(summary.tally, of: .fees),
            "penaltyChanges": changes(summary.tally, of: .penalties),
            "contracts": documents.map(contract),
            "warnings": summary.notes.map { ["note": $0.spanish, "english": $0.english] }, "hasGap": summary.gap != nil,
            "gap": grouped(summary.gap?.all ?? 0),
            "leftOver": grouped(summary.gap?.leftOver ?? 0), "startedInVain": grouped(summary.gap?.started ?? 0),
        ]
        if let cut = summary.cut {
            figures["cut"] = [
                "accounts": grouped(cut.accounts), "placed": grouped(cut.placed), "excluded": grouped(cut.excluded),
                "nothing": grouped(cut.nothingToCollect),
            ]
        }
        figures.merge(stage.figures(ofMonth: true)) { $1 }
        return month.render(figures)
    }

    /// A list of a month's statements, where its page is not there.
    func html(_ documents: [StatementDocument], of period: Period, stage: PageStage = .closed) -> String {
        let figures: [String: Any] = [
            "style": StatementTemplates.style, "period": period.description, "contracts": documents.map(contract),
        ]
        return list.render(figures.merging(stage.figures(ofMonth: true)) { $1 })
    }

    private func contract(_ document: StatementDocument) -> [String: Any] {
        [
            "contract": String(document.contract), "agency": document.agency, "agencyName": document.agencyName,
            "number": document.number, "totals": view(document.totals),
        ]
    }

    private func changes(_ tally: MonthTally, of part: StatementTotals.Part) -> [[String: Any]] {
        tally.changes.filter { $0.key.part.total == part }.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { kind, charge in
                [
                    "name": kind.spanishTitle, "english": kind.title, "lines": grouped(charge.lines),
                    "amount": grouped(charge.amount),
                ]
            }
    }

    // MARK: - Views

    private func view(_ section: StatementDocument.Section) -> [String: Any] {
        // What charges and bills nothing says nothing on a page: the files have every line.
        let told = section.lines.filter { Cents(pesos: $0.amount) != .zero }
        let idle = section.lines.count - told.count
        var view: [String: Any] = [
            "lines": told.map(self.view), "hasLines": !section.lines.isEmpty, "notes": notes(section),
            "hasIdle": idle > 0, "idle": grouped(Int64(idle)),
            "totals": self.view(section.totals),
            "title": section.delegation.map { "Delegación \($0) · \(section.delegationName ?? "")" }
                ?? "Cargos sobre la factura completa",
            "titleInEnglish": section.delegation == nil ? "Charges on the whole invoice" : "Delegation",
        ]
        if let indicators = section.indicators { view["indicators"] = self.view(indicators) }
        let bands = section.bands ?? []
        view["hasBands"] = !bands.isEmpty
        view["bands"] = bands.map(self.view)
        return view
    }

    private func view(_ goal: StatementDocument.Band) -> [String: Any] {
        let isMet = goal.percent >= goal.minimum
        return [
            "rule": goal.band, "label": MoraBand(rawValue: goal.band)?.label ?? "", "assigned": pesos(goal.assigned),
            "recovered": pesos(goal.recovered), "percent": "\(goal.percent) %", "minimum": "\(goal.minimum) %",
            "verdict": isMet ? "cumplido" : "no cumplido", "english": isMet ? "met" : "missed",
        ]
    }

    private func notes(_ section: StatementDocument.Section) -> [[String: Any]] {
        let english = section.notesInEnglish ?? []
        return section.notes.enumerated().map { index, note in
            ["note": note, "english": index < english.count ? english[index] : ""]
        }
    }

    /// The same sum in figures: base × rate = amount.
    private func sum(_ line: StatementDocument.Line, _ base: String, _ rate: String) -> String {
        "\(base) × \(rate) = \(pesos(line.amount))"
    }

    private func view(_ line: StatementDocument.Line) -> [String: Any] {
        let shown = line.records.prefix(3).map { String($0) }.joined(separator: ", ")
        let more = line.records.count > 3 ? " … \(line.records.last ?? 0)" : ""
        let base = line.base.count.map { "\(grouped($0)) \(line.base.unit ?? "")" } ?? pesos(line.base.pesos)
        let isTaken = StatementLine.Kind(rawValue: line.kind)?.isTaken ?? false
        let rule = PenaltyRule(rawValue: line.rule)
        let rate = line.rate.percent.map { "\($0) %" } ?? pesos(line.rate.pesos)
        let countInEnglish = line.base.count.map { grouped($0) } ?? pesos(line.base.pesos)
        let (subject, english) = names(line.subject)
        return [
            "rule": line.rule, "ruleName": rule?.spanishTitle ?? "", "ruleNameInEnglish": rule?.title ?? "",
            "hasRuleName": rule != nil, "subject": subject, "subjectInEnglish": english,
            "hasSubject": !subject.isEmpty, "hasSubjectInEnglish": english != subject, "schedule": line.schedule,
            "clause": line.clause, "base": base,
            "clauseInEnglish": EnglishClause.text(kind: line.kind, rule: line.rule, isObjection: line.isObjection),
            "sumInEnglish": line.arithmeticInEnglish ?? sum(line, countInEnglish, rate), "rate": rate,
            "amount": isTaken ? taken(line.amount) : pesos(line.amount),
            "arithmetic": line.arithmetic, "facts": line.facts.joined(separator: ", "), "hasFacts": !line.facts.isEmpty,
            "records": "\(grouped(Int64(line.records.count))): \(shown)\(more)", "hasRecords": !line.records.isEmpty,
        ]
    }

    /// What a line is about, in Spanish and as the files have it.
    private func names(_ subject: String) -> (spanish: String, english: String) {
        let spanish = FeeService(name: subject)?.spanish ?? Portfolio(name: subject)?.spanish ?? subject
        return (spanish, subject)
    }

    private func view(_ totals: StatementDocument.Totals) -> [String: Any] {
        [
            "fees": pesos(totals.fees), "penalties": taken(totals.penalties), "taxOnFees": pesos(totals.taxOnFees),
            "taxOnPenalties": taken(totals.taxOnPenalties), "payable": pesos(totals.payable),
        ]
    }

    private func view(
        fees: Cents, penalties: Cents, taxOnFees: Cents, taxOnPenalties: Cents, payable: Cents
    ) -> [String: Any] {
        [
            "fees": grouped(fees), "penalties": grouped(-penalties), "taxOnFees": grouped(taxOnFees),
            "taxOnPenalties": grouped(-taxOnPenalties), "payable": grouped(payable),
        ]
    }

    private func view(_ figures: ClosingStore.StrategyFigures) -> [String: Any] {
        [
            "name": figures.strategy.spanish, "english": figures.strategy.name, "placed": grouped(figures.placed),
            "dealt": grouped(figures.dealt), "leased": grouped(figures.leased), "worked": grouped(figures.worked),
            "outcomes": grouped(figures.outcomes), "recovered": grouped(figures.recovered),
        ]
    }

    private func view(
        _ total: (placed: Int64, dealt: Int64, leased: Int64, worked: Int64, outcomes: Int64, recovered: Cents)
    ) -> [String: Any] {
        [
            "placed": grouped(total.placed), "dealt": grouped(total.dealt), "leased": grouped(total.leased),
            "worked": grouped(total.worked), "outcomes": grouped(total.outcomes), "recovered": grouped(total.recovered),
        ]
    }

    private func view(_ figures: StatementDocument.Indicators) -> [String: Any] {
        func sum(_ counts: [String: Int64]) -> String { grouped(counts.values.reduce(0, +)) }
        func item(_ spanish: String, _ english: String, _ figure: String) -> [String: Any] {
            ["name": spanish, "english": english, "figure": figure]
        }
        return [
            "items": [
                item("Repartidas", "Dealt", sum(figures.dealt)),
                item("Retiradas", "Withdrawn", sum(figures.withdrawn)),
                item("Retiradas con aviso", "Recalled", sum(figures.recalled)),
                item("Excluidas", "Excluded", sum(figures.excluded)),
                item("Ilocalizables confirmadas", "Unlocatable, confirmed", sum(figures.unlocatable ?? [:])),
                item("Asignadas", "Assigned", grouped(figures.assigned)),
                item("Tomadas", "Pulled", grouped(figures.pulled)),
                item("Trabajadas", "Worked", grouped(figures.worked)),
                item("Contactadas", "Contacted", grouped(figures.contacted)),
                item("Promesas", "Promises", grouped(figures.promises)),
                item("Convenios", "Agreements", grouped(figures.agreements)),
            ],
            "outcomes": grouped(figures.outcomes), "valid": grouped(figures.validOutcomes),
            "pending": grouped(figures.pendingOutcomes), "recovered": pesos(figures.recovered),
            "returned": figures.returned.isEmpty ? "0" : "",
            "reasons": figures.returned.sorted { $0.key < $1.key }.enumerated().map { index, entry in
                [
                    "comma": index > 0 ? ", " : "",
                    "reason": ReturnReason(rawValue: entry.key)?.spanish
                        ?? ["not-worked": "sin gestión", "unpulled": "sin tomar"][entry.key] ?? entry.key,
                    "token": entry.key,
                    "count": grouped(entry.value),
                ]
            },
        ]
    }

    /// An amount that is taken off: with a minus sign, unless it is nothing.
    private func taken(_ text: String) -> String { Cents(pesos: text).map { grouped(-$0) } ?? "" }
    private func pesos(_ text: String?) -> String { text.flatMap { Cents(pesos: $0) }.map { grouped($0) } ?? "" }
}
