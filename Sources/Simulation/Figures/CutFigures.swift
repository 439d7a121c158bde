// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The aggregates that a cut can show, counted account by account as it is drawn. Constant memory.
package struct CutFigures: Sendable {
    fileprivate enum Measure: Int, CaseIterable {
        case vsm, overduePesos, overdueVSM, overdue, instalment, preventive, toRecover, dual, agreements, tenUnpaid
        case certificates, segregated, pensioners, extensions, fund
        case contained, cured, staying, newlySegregated, returned
    }

    private struct Count {
        var part = 0
        var count = 0
    }

    private var counts = [Count](repeating: Count(), count: Measure.allCases.count)
    private var disaster: [String: Int] = [:]
    private var disasterCount = 0
    private var disasterBesideBalance = 0
    private var inBalance = 0
    private let course: AccountCourse
    private let hasDisaster: Bool

    init(course: AccountCourse, hasDisaster: Bool) {
        self.course = course
        self.hasDisaster = hasDisaster
    }

    private mutating func count(_ measure: Measure, _ isPart: Bool) {
        let index = measure.rawValue
        counts[index].count += 1
        if isPart { counts[index].part += 1 }
    }

    private mutating func sum(_ measure: Measure, _ centavos: Int) {
        let index = measure.rawValue
        counts[index].count += 1
        counts[index].part += centavos
    }

    mutating func add(_ draft: AccountDraft) {
        if draft.isInBalance {
            inBalance += 1
            count(.vsm, draft.isVSM)
            count(draft.isVSM ? .overdueVSM : .overduePesos, draft.isOverdue)
            count(.overdue, draft.isOverdue)
            count(.preventive, draft.isPreventive)
            count(.dual, !draft.isExcluded && draft.isDual)
            count(.tenUnpaid, !draft.isExcluded && draft.arrears > 9)
            count(.certificates, draft.isExhausted)
            count(.pensioners, draft.hasPensionResolution)
            count(.extensions, draft.situation == .active && draft.extensionUntil != nil && draft.disasterUntil == nil)
            count(.fund, draft.situation == .active && draft.fppUntil != nil)
        } else {
            let index = Measure.segregated.rawValue
            counts[index].part += 1
        }
        if draft.isPreventive {
            sum(.toRecover, draft.toRecover)
        } else if !draft.isExcluded, draft.isOverdue {
            if draft.isDual { count(.agreements, draft.isAgreementAvailable) } else { sum(.instalment, draft.due) }
        }
        if hasDisaster, Disaster.isStruck(draft) {
            if draft.isInBalance { addDisaster(draft) } else { disasterBesideBalance += 1 }
        }
        addCourse(draft)
    }

    private mutating func addCourse(_ draft: AccountDraft) {
        guard draft.kind != .current || !draft.isInBalance else {
            // Nothing that is counted happens to it, but being in balance it could have been segregated.
            count(.newlySegregated, false)
            return
        }
        let next = course.after(1, draft)
        if draft.isInBalance { count(.newlySegregated, !next.isInBalance) } else { count(.returned, next.isInBalance) }
        guard !draft.isExcluded else { return }
        if (1...3).contains(draft.arrears) { count(.contained, next.arrears <= draft.arrears) }
        if draft.isDual { count(.cured, !next.isOverdue) }
        if draft.isPreventive { count(.staying, !course.after(4, draft).isOverdue) }
    }

    private mutating func addDisaster(_ draft: AccountDraft) {
        disasterCount += 1
        disaster[draft.isOverdue ? "overdue" : "current", default: 0] += 1
        if draft.extensionUntil != nil {
            disaster["extension", default: 0] += 1
        } else {
            disaster[
                "\(draft.isOverdue ? "overdue" : "current")-\(draft.regime == .roa ? "roa" : "rea")", default: 0] += 1
        }
    }

    /// In the order of their IDs.
    package var measured: [MeasuredFigure] {
        var figures = Measure.allCases.map { measure in
            let count = counts[measure.rawValue]
            return MeasuredFigure(
                figure: measure.figure, part: count.part, count: measure == .segregated ? inBalance : count.count)
        }
        if hasDisaster { figures += disasterFigures }
        return figures.enumerated().sorted { ($0.element.figure.id, $0.offset) < ($1.element.figure.id, $1.offset) }
            .map(\.element)
    }

    /// Of whom the rates of ORA-10 are, here and as printed: the size of that universe is no figure that a cut is held to.
    package var universeLine: String {
        let administrative = counts[Measure.instalment.rawValue].count
        return UndrawnFigure.reached(administrative, of: inBalance)
    }

    private var disasterFigures: [MeasuredFigure] {
        func struck(_ key: String, _ name: String, _ of: Int) -> MeasuredFigure {
            MeasuredFigure(
                figure: .share(
                    "ORA-60", name, of: "credits of the municipalities struck", .derived, of * 1_000_000 / 39_371,
                    within: 10_000), part: disaster[key, default: 0], count: disasterCount)
        }
        return [
            MeasuredFigure(
                figure: .share(
                    "ORA-60", "struck", of: "credits in balance", .derived, 7_141, within: 700),
                part: disasterCount, count: inBalance),
            MeasuredFigure(
                figure: .share(
                    "ORA-60", "beside the balance", of: "credits struck", .derived, 7_661 * 1_000_000 / 47_032,
                    within: 10_000), part: disasterBesideBalance, count: disasterCount + disasterBesideBalance),
            struck("current", "in force", 33_770), struck("overdue", "overdue", 5_601),
            struck("extension", "with an extension", 26_474), struck("current-roa", "in force, ROA", 6_168),
            struck("current-rea", "in force, REA", 1_128), struck("overdue-roa", "overdue, ROA", 391),
            struck("overdue-rea", "overdue, REA", 5_210),
        ]
    }
}

extension CutFigures.Measure {
    /// 5,513,092 credits in balance are the base of what is printed as a number of credits.
    fileprivate var figure: PublishedFigure {
        let balance = "credits in balance"
        switch self {
        case .vsm: return .share("ORA-01", "in VSM", of: balance, .published, 308_360, within: 5_000)
        case .overduePesos:
            return .share("ORA-02", "overdue", of: "credits in balance, in pesos", .published, 92_700, within: 4_000)
        case .overdueVSM:
            return .share("ORA-02", "overdue", of: "credits in balance, in VSM", .published, 240_900, within: 6_000)
        case .overdue: return .share("ORA-02", "overdue", of: balance, .derived, 138_400, within: 4_000)
        case .instalment:
            return .pesos(
                "ORA-10", "mean instalment", of: "administrative, as the mean payment", .assumption, 3_386, within: 100,
                spread: 27)
        case .preventive: return .share("ORA-11", "preventive", of: balance, .derived, 117_900, within: 4_000)
        case .toRecover:
            return .pesos("ORA-11", "to be recovered, each", of: "preventive", .derived, 1_783, within: 70, spread: 60)
        case .dual: return .share("ORA-13", "dual", of: balance, .derived, 19_950, within: 1_500)
        case .agreements:
            return .share("ORA-13", "with an agreement available", of: "dual", .derived, 754_500, within: 15_000)
        case .tenUnpaid:
            return .share("ORA-14", "ten or more unpaid, assigned", of: balance, .derived, 22_670, within: 1_500)
        case .contained:
            return .share(
                "ORA-16", "no worse in the next cut", of: "low arrears, 1 to 3", .published, 477_000, within: 15_000)
        case .cured:
            return .share(
                "ORA-15", "in force in the next cut",
                of: "dual, in whose section it is printed (over what time: assumed)", .assumption, 270_000,
                within: 15_000)
        case .staying:
            return .share("ORA-15", "in force four cuts on", of: "preventive", .published, 900_000, within: 10_000)
        case .certificates:
            return .share("ORA-34", "certificates, a month", of: balance, .derived, 619, within: 60)
        case .segregated: return .share("ORA-35", "segregated, beside", of: balance, .derived, 99_970, within: 3_000)
        case .newlySegregated:
            return .share("ORA-35", "segregated within the month", of: balance, .derived, 1_963, within: 200)
        case .returned:
            return .share("ORA-36", "returned to balance in the month", of: "segregated", .derived, 190, within: 60)
        case .pensioners: return .share("ORA-42", "with a pension", of: balance, .derived, 24_300, within: 1_000)
        case .fund: return .share("ORA-44", "FPP in force", of: balance, .derived, 8_765, within: 800)
        case .extensions: return .share("ORA-45", "in extension", of: balance, .derived, 28_115, within: 2_000)
        }
    }
}
