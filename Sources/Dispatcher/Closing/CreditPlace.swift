// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What credits may give back of the penalties of a closed month's statement in one place: a delegation, or the whole invoice.
///
/// A penalty that was charged, by that statement or by a debit about it since, is given back at most once. What waits for its decision
/// counts as if it were approved.
struct CreditPlace {
    private let store: StageStore
    private let about: Period
    private let contract: Int32
    private let delegation: Int16?

    /// - Parameter about: the closed month.
    init(_ store: StageStore, _ about: Period, contract: Int32, delegation: Int16?) {
        self.store = store
        self.about = about
        self.contract = contract
        self.delegation = delegation
    }

    private func section() throws -> StatementDocument.Section? {
        guard let body = try store.statement(about, contract: contract) else { return nil }
        return try StatementDocument(body).sections.first { $0.delegation == delegation.map(Int.init) }
    }

    /// Credits and debits about the month of the contract that are in force or wait, of whatever month's statement.
    private func ofContract(_ kind: Adjustment.Kind) throws -> [StageStore.AdjustmentRow] {
        StageStore.standing(try store.adjustments(nil)).filter {
            $0.adjustment.kind == kind && $0.adjustment.about == about && $0.contract == contract
        }
    }

    /// Those in that place.
    private func others(_ kind: Adjustment.Kind) throws -> [StageStore.AdjustmentRow] {
        try ofContract(kind).filter { $0.delegation == delegation }
    }

    /// The penalties of the statement there, and what debits charged since, less what waivers took back there.
    private func charges() throws -> WaivableCharges {
        let section = try section()
        var charges = section.map(ObjectionScope.charges) ?? WaivableCharges()
        for debit in try others(.debit) where debit.isApproved {
            charges.add(PenaltySubject(debit.adjustment.rule), debit.adjustment.amount ?? .zero)
        }
        for line in section?.lines ?? [] where line.kind == StatementLine.Kind.waiver.rawValue {
            // A waiver of a rule alone has its month for a subject.
            let subject = line.subject == "\(about)" ? "" : line.subject
            charges.waive(Cents(pesos: line.amount) ?? .zero, of: PenaltySubject(rule: line.rule, subject: subject))
        }
        return charges
    }

    /// The line of a penalty that a credit is about: the one that there is, or the one that is named.
    ///
    /// - Throws: ``CommandFailure`` of usage where there is none, or several and none is named.
    func line(_ named: PenaltySubject) throws -> PenaltySubject {
        let charges = try charges()
        let found = charges.subjects(of: named)
        if found.count == 1 { return found[0] }
        // A debit may have named the rule alone, and then a credit may.
        if found.contains(named) { return named }
        guard found.isEmpty else {
            throw CommandFailure(
                .usage,
                "the statement of contract \(contract) of \(about) has \(found.count) lines of \(named.text) there, and each is "
                    + "credited by itself",
                remedy: "Name one of them: \(found.map(\.text).joined(separator: " or ")).")
        }
        let there = PenaltyRule.allCases.flatMap { charges.subjects(of: PenaltySubject($0.rawValue)) }.map(\.text)
        throw CommandFailure(
            .usage, "the statement of contract \(contract) of \(about) has no \(named.text) \(place)",
            remedy: there.isEmpty
                ? "No penalty was charged there; check --about, --contract and --delegation."
                : "It has \(Words.list(there, shown: 20)) there.")
    }

    private var place: String { delegation.map { "in delegation \($0)" } ?? "on the whole invoice" }

    /// Holds a credit about a penalty to what was charged less what was given back of it, or may be by what waits.
    ///
    /// - Throws: ``CommandFailure`` with the amounts. Credits about fees are held to nothing.
    func requireRoom(for credit: Adjustment) throws {
        let named = PenaltySubject(credit.rule)
        guard let amount = credit.amount, PenaltyRule(rawValue: named.rule) != nil else { return }
        var charges = try charges()
        let before = try others(.credit)
        for former in before { charges.waive(former.adjustment.amount, of: PenaltySubject(former.adjustment.rule)) }
        let (all, left) = charges.charge(named).map { ($0.all, $0.left) } ?? (.zero, .zero)
        let limit = try limit(for: named)
        let most = min(left, limit?.left ?? left)
        guard amount > most else { return }
        let waiting = before.filter { $0.decision == nil && PenaltySubject($0.adjustment.rule).meets(named) }
        let names = waiting.map { "adjustment \($0.adjustment.number)" }.joined(separator: ", ")
        let shown =
            names.isEmpty
            ? "`dispatcherd adjustment list` shows what was given back." : "Of it waits for a decision: \(names)."
        throw CommandFailure(
            .usage,
            "a credit of \(grouped(amount)) about \(named.text) of \(about) is more than there is to give back: "
                + "\(grouped(all)) were charged \(place), \(grouped(all - left)) were waived or credited already, "
                + "\(grouped(left)) are left"
                + (limit.map {
                    $0.left < left
                        ? "; of the month's penalties the limit (\(PenaltyTerms.capRule)) did not charge \(grouped($0.cut)), so that "
                            + "without what is credited \(grouped($0.left)) less would have been"
                        : ""
                } ?? ""),
            remedy: (most > .zero ? "Credit \(grouped(most)) at most. " : "") + shown)
    }

    /// Where the contract's limit cut the month's penalties (AMB-15): what it did not charge, and how much less would have been charged without
    /// the line and all that is credited about the month, less what those credits give back; `nil` where it cut none. What debits charged
    /// since, no limit cut.
    private func limit(for named: PenaltySubject) throws -> (cut: Cents, left: Cents)? {
        guard let body = try store.statement(about, contract: contract) else { return nil }
        let cut = try StatementDocument(body).sections.flatMap(\.lines)
            .filter { $0.kind == StatementLine.Kind.penaltyCap.rawValue }
            .reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
        guard cut > .zero else { return nil }
        let credits = try ofContract(.credit).filter {
            PenaltyRule(rawValue: PenaltySubject($0.adjustment.rule).rule) != nil
        }
        var (charged, debited) = (Cents.zero, Cents.zero)
        for delegation in Set(credits.map(\.delegation) + [self.delegation]) {
            let place = CreditPlace(store, about, contract: contract, delegation: delegation)
            let subjects = credits.filter { $0.delegation == delegation }.map { PenaltySubject($0.adjustment.rule) }
            let charges = try place.charges()
            let lines = Set((subjects + (delegation == self.delegation ? [named] : [])).flatMap(charges.subjects))
            charged = lines.reduce(charged) { $0 + (charges.charge($1)?.left ?? .zero) }
            debited = try place.others(.debit)
                .filter { debit in debit.isApproved && lines.contains(PenaltySubject(debit.adjustment.rule)) }
                .reduce(debited) { $0 + ($1.adjustment.amount ?? .zero) }
        }
        let given = credits.reduce(Cents.zero) { $0 + ($1.adjustment.amount ?? .zero) }
        return (cut, max(max(charged - debited - cut, .zero) + debited - given, .zero))
    }
}
