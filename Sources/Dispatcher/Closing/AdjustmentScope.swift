// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What an adjustment can be about: a contract that there is, where it works, by a rule that charges or bills.
struct AdjustmentScope {
    private let link: PgLink
    private let store: StageStore
    private let period: Period

    /// - Parameter period: whose statement is to have it.
    init(_ link: PgLink, _ period: Period) {
        self.link = link
        store = StageStore(link)
        self.period = period
    }

    private static let fees = [FeeTariff.rule, FeeTariff.budgetRule] + MoraBand.allCases.map(\.rawValue)
    private static let penalties = PenaltyRule.allCases.map(\.rawValue)

    /// A waiver's penalty is one that the pre-statement has, or the month as it is now.
    ///
    /// - Returns: the line that is meant, and what is charged in that place; of what is no waiver, its rule and nothing.
    /// - Throws: ``CommandFailure`` of usage, with what could be named instead.
    func require(
        _ adjustment: Adjustment, contract: Int32, delegation: Int16?
    ) throws -> (about: PenaltySubject, charges: WaivableCharges) {
        let named = PenaltySubject(adjustment.rule)
        let places = try Self.requireKnown(contract: contract, store)
        let rules = adjustment.kind == .waiver ? Self.penalties : Self.fees + Self.penalties
        guard rules.contains(named.rule), named.subject == nil || Self.penalties.contains(named.rule) else {
            throw CommandFailure(
                .usage,
                "\(adjustment.rule) is no \(adjustment.kind == .waiver ? "penalty" : "rule of fees or penalties")",
                remedy:
                    "They are \(rules.joined(separator: ", ")); of PEN-01 also PEN-01:telephone and PEN-01:home-visit.")
        }
        switch adjustment.kind {
        case .waiver:
            let whose = "the statement of contract \(contract)"
            let shown = try store.preStatement(period, contract: contract).map { try StatementDocument($0) }
            if let found = try Self.find(named, delegation, in: shown, of: whose) { return found }
            let month = try MonthClosing(link, period: period).preview()
            let now = try month.statements.first { $0.contract == contract }.map { try StatementDocument($0.body) }
            if let found = try Self.find(named, delegation, in: now, of: whose) { return found }
            throw CommandFailure(
                .usage,
                "\(whose) has no \(adjustment.rule) "
                    + (delegation.map { "in delegation \($0)" } ?? "on the whole invoice"),
                remedy: Self.charged(in: now))
        case .credit, .debit:
            var found = (named, WaivableCharges())
            if Self.fees.contains(named.rule) {
                try requireFee(named.rule, of: adjustment.about, contract: contract, delegation: delegation)
            }
            if adjustment.kind == .credit, Self.penalties.contains(named.rule) {
                found.0 = try CreditPlace(store, adjustment.about, contract: contract, delegation: delegation)
                    .line(named)
            } else if let subject = named.subject,
                named.rule != PenaltyRule.capacity.rawValue || Portfolio(name: subject) == nil
            {
                throw CommandFailure(
                    .usage, "\(named.rule) has no line \(subject)",
                    remedy: "PEN-01 has PEN-01:telephone and PEN-01:home-visit; other rules are named alone.")
            }
            guard let delegation, !places.contains(delegation) else { return found }
            let body = try store.statement(adjustment.about, contract: contract)
            let billed = try body.map { try StatementDocument($0).sections.compactMap(\.delegation) } ?? []
            guard !billed.contains(Int(delegation)) else { return found }
            throw CommandFailure(
                .usage, "contract \(contract) does not work in delegation \(delegation)",
                remedy: "It works in \(places.map(String.init).joined(separator: ", ")).")
        }
    }

    /// Fees are put right by a rule that the contract's schedule of that month has, or its statement: neither is there a goal of a band to
    /// point to where it pays by services, nor a budget where there is none.
    private func requireFee(_ rule: String, of about: Period, contract: Int32, delegation: Int16?) throws {
        guard rule != FeeTariff.rule else { return }
        guard rule != FeeTariff.budgetRule || delegation == nil else {
            throw CommandFailure(
                .usage, "\(rule) limits the whole invoice, and no delegation of it", remedy: "Leave --delegation out.")
        }
        let statement = try store.statement(about, contract: contract).map { try StatementDocument($0) }
        let billed = Set((statement?.sections ?? []).flatMap(\.lines).map(\.rule))
        let tariff = try tariff(of: contract, in: about)
        let has = Self.fees.filter { rule in
            rule == FeeTariff.rule || billed.contains(rule)
                || MoraBand(rawValue: rule).map { tariff?.scales[$0] != nil } ?? (tariff?.budget != nil)
        }
        guard !has.contains(rule) else { return }
        throw CommandFailure(
            .usage, "contract \(contract) had no \(rule) in \(about)",
            remedy: "Its fees are put right by \(has.joined(separator: ", ")); IVA follows from them.")
    }

    /// `nil` where none was in force.
    private func tariff(of contract: Int32, in about: Period) throws -> FeeTariff? {
        guard let name = try store.feeSchedule(ofContract: contract, in: about),
            let version = Schedule.inForce(on: about.firstDay, of: try link.readSchedules("fee")[name, default: []])
        else { return nil }
        return try readable { () throws(ScheduleError) in try FeeTariff(version) }
    }

    /// - Returns: where the contract works, ascending.
    /// - Throws: ``CommandFailure`` of usage where there is no such contract.
    @discardableResult
    static func requireKnown(contract: Int32, _ store: StageStore) throws -> [Int16] {
        guard let places = try store.delegations(ofContract: contract) else {
            throw CommandFailure(
                .usage, "there is no contract \(contract)", remedy: "Check --contract; it is the number in this system."
            )
        }
        return places
    }

    /// What is charged in one place of a statement as the month is now.
    func charges(contract: Int32, delegation: Int16?) throws -> WaivableCharges {
        let month = try MonthClosing(link, period: period).preview()
        let now = try month.statements.first { $0.contract == contract }.map { try StatementDocument($0.body) }
        let section = now?.sections.first { $0.delegation == delegation.map(Int.init) }
        return section.map(ObjectionScope.charges) ?? WaivableCharges()
    }

    private static func find(
        _ named: PenaltySubject, _ delegation: Int16?, in statement: StatementDocument?, of whose: String
    ) throws -> (about: PenaltySubject, charges: WaivableCharges)? {
        guard let section = statement?.sections.first(where: { $0.delegation == delegation.map(Int.init) }),
            let about = try ObjectionScope.line(named, in: section, of: whose)
        else { return nil }
        return (about, ObjectionScope.charges(section))
    }

    private static func charged(in statement: StatementDocument?) -> String {
        let all = (statement?.sections ?? []).flatMap { section in
            let charges = ObjectionScope.charges(section)
            return Self.penalties.flatMap { charges.subjects(of: PenaltySubject($0)) }.map { about in
                about.text + (section.delegation.map { " in delegation \($0)" } ?? " on the whole invoice")
            }
        }
        return all.isEmpty ? "No penalty is charged there." : "It has \(Words.list(all, shown: 20))."
    }
}
