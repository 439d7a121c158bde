// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What a fact can be about, and which of its columns that needs.
package enum FactKind: String, Sendable, CaseIterable {
    case staffing, visit, quality, goal, improvement, requirement, complaint, mediation

    /// For people.
    var rule: String {
        switch self {
        case .staffing:
            "`portfolio`; `value` is how many advisers were there (PEN-01). Two of a day in one file, of which neither supersedes the other, "
                + "are refused; one of a day that is loaded already is taken with a warning, and counts."
        case .visit:
            "`subject` is `adviser-absent`, `office-closed` or `ok`; `value` says whether notice was given, "
                + "`yes` or `no` (PEN-03)."
        case .quality: "`portfolio` is `telephone`; `value` is the score in percent, 0 to 100 (PEN-06)."
        case .goal:
            "`subject` is `worked`, `contacted`, `promises` or `agreements`, of one tactic as `worked:rest`, or "
                + "`recovered` in pesos; `value` is what was reached, empty to have it computed; `minimum` and `weight` "
                + "(WP-02, PEN-02). One that supersedes another, or comes after the contract's first grant there, says why in "
                + "`note`. A minimum or weight of zero asks for nothing, and the import warns."
        case .improvement:
            "`subject` is the impact `low`, `medium` or `high`; `value` says whether it was met, `yes` or `no` "
                + "(PEN-04). It is empty while the commitment lies ahead: then `on_date` is the day it is due, and a fact that "
                + "supersedes it, of this or a later month, says whether it was met or names another day."
        case .requirement: "`value` says whether it was met, `yes` or `no` (PEN-21)."
        case .complaint:
            "`subject` is its cause as a code; `value` is how many debtors complained (REDECO); scorecards read it."
        case .mediation:
            "`subject` is `sessions`, `invitations` or `facilities`; `value` is the score of their supervision in "
                + "percent, 0 to 100 (AGY-18)."
        }
    }

    /// What is wrong with a fact whose values are good one by one.
    static func faults(_ row: TableReader) -> [(column: String, reason: String)] {
        guard let kind = row.text(named: "kind").flatMap(FactKind.init) else { return [] }
        let value = row.text(named: "value")
        // Only what is agreed can lie ahead; what was found was found on its day.
        let isAhead = kind == .improvement && value == nil
        if !isAhead, row.number("on_date") > Int64(row.latestDay.daysSince1970) {
            return [("on_date", "lies in the future; the latest day is \(row.latestDay)")]
        }
        let subject = row.text(named: "subject")
        let portfolio = row.text(named: "portfolio")
        switch kind {
        case .staffing:
            return [
                portfolio == nil ? ("portfolio", "is empty; staffing is of one portfolio") : nil,
                isCount(value) ? nil : ("value", "is not a number of advisers, 0 to 100000"),
            ].compactMap(\.self)
        case .visit:
            let subjects = ["adviser-absent", "office-closed", "ok"]
            return [
                subject.map(subjects.contains) == true
                    ? nil : ("subject", "of a visit must be `adviser-absent`, `office-closed` or `ok`"),
                yesNo(value, "of a visit says whether notice was given"),
            ].compactMap(\.self)
        case .quality:
            return [
                portfolio == "telephone" ? nil : ("portfolio", "of a quality score must be `telephone`"),
                value.flatMap { BasisPoints(percent: $0) } == nil ? ("value", "is not a percent from 0 to 100") : nil,
            ].compactMap(\.self)
        case .goal: return goalFaults(row, subject: subject, value: value)
        case .improvement:
            return [
                subject.map(["low", "medium", "high"].contains) == true
                    ? nil : ("subject", "of an improvement must be `low`, `medium` or `high`"),
                isAhead ? nil : yesNo(value, "of an improvement says whether it was met"),
            ].compactMap(\.self)
        case .requirement: return [yesNo(value, "of a requirement says whether it was met")].compactMap(\.self)
        case .complaint:
            return [
                subject == nil ? ("subject", "is empty; a complaint has a cause") : nil,
                isCount(value) ? nil : ("value", "is not a number of complaints, 0 to 100000"),
            ].compactMap(\.self)
        case .mediation:
            return [
                subject.map(["sessions", "invitations", "facilities"].contains) == true
                    ? nil : ("subject", "of mediation must be `sessions`, `invitations` or `facilities`"),
                value.flatMap { BasisPoints(percent: $0) } == nil ? ("value", "is not a percent from 0 to 100") : nil,
            ].compactMap(\.self)
        }
    }

    private static func goalFaults(
        _ row: TableReader, subject: String?, value: String?
    ) -> [(column: String, reason: String)] {
        let parts = (subject ?? "").split(separator: ":", omittingEmptySubsequences: false)
        let indicators: [Substring] = ["worked", "contacted", "promises", "agreements"]
        let isKnown =
            subject == WorkGoal.Indicator.recovered.rawValue
            || indicators.contains(parts.first ?? "") && parts.count <= 2 && parts.last?.isEmpty == false
        return [
            isKnown
                ? nil
                : (
                    "subject",
                    "of a goal must be `worked`, `contacted`, `promises` or `agreements`, or that with `:tactic`, or "
                        + "`recovered`"
                ),
            value == nil || isAmount(value) ? nil : ("value", "of a goal must be a number of 0 or more, or empty"),
            isAmount(row.text(named: "minimum")) ? nil : ("minimum", "of a goal must be a number of 0 or more"),
            isAmount(row.text(named: "weight")) ? nil : ("weight", "of a goal must be a number of 0 or more"),
            row.text(named: "supersedes") == nil || row.text(named: "note") != nil
                ? nil : ("note", "is empty; a goal that changes says why"),
        ].compactMap(\.self)
    }

    private static func isCount(_ text: String?) -> Bool {
        text.flatMap { Int64(canonicalDigits: $0) }.map { $0 <= 100_000 } ?? false
    }
    private static func isAmount(_ text: String?) -> Bool {
        text.flatMap { Int64(decimal: $0, places: 4) }.map { $0 >= 0 } ?? false
    }
    private static func yesNo(_ text: String?, _ what: String) -> (column: String, reason: String)? {
        text == "yes" || text == "no" ? nil : ("value", "\(what), `yes` or `no`")
    }
}
