// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Agreements by the month of their signature (IND-13), and the promises of a month. Changes nothing.
package struct AgreementReport {
    package struct Cohort: Equatable, Sendable {
        package let signedIn: Period
        /// The value of the cut as it is stored: a strategy's and a month's number, the first day of a band; all else as ``key``.
        package let stored: String
        /// Of the cut that was asked for: `all`, `ACE07`, a contract's or a delegation's number.
        package let key: String
        package let agreements: Int64
        package let states: [AgreementCourse.State: Int64]
        /// Second payment, third payment, cure and maintenance: how many have it, of how many it is known.
        package let second: IndicatorShare
        package let third: IndicatorShare
        package let cured: IndicatorShare
        package let maintained: IndicatorShare
    }

    package struct IndicatorShare: Equatable, Sendable {
        package let count: Int64
        package let known: Int64
        /// What broke is known before what holds: a rate over those that are known by then would be of the broken ones alone.
        private let isWhole: Bool

        fileprivate init(_ values: [Bool?]) {
            count = Int64(values.count { $0 == true })
            known = Int64(values.count { $0 != nil })
            isWhole = values.count == known
        }

        /// Whether it is known of every agreement of the cohort.
        package var isKnown: Bool { isWhole && known > 0 }

        /// In percent with two decimals; `nil` until it is known of the whole cohort.
        package var percent: String? {
            isKnown ? Ratio(Int128(count) * 100, over: Int128(known)).hundredths : nil
        }
    }

    package let through: Period
    private let cut: IndicatorCut
    private let agencies: [Int32: AgencyID]
    private typealias Row = (agreement: AgreementStore.Agreement, course: AgreementCourse)
    private let rows: [Row]
    /// Those that openings brought. They were in cure then: of those that were signed with them and broke nobody knows, so that no rate is
    /// made of them.
    private let brought: [Row]

    /// - Parameters:
    ///   - through: the last month whose payments are all loaded.
    ///   - first: only agreements of this month or later, and none that an opening brought; `nil`: since ever.
    ///   - cut: strategy and tactic are those of the hand that the agreement was worked from, the band that of the month's cut, the
    ///     vintage the month of the account's first deal.
    ///   - bimester: which two months an employer's payment is of (AMB-22).
    ///   - curePayments: how many sustained payments make a cure (GAP-cure); 1 or more.
    package init(
        _ link: PgLink, from first: Period? = nil, through: Period, by cut: IndicatorCut = .total,
        bimester: AgreementCourse.Bimester = .calendar,
        curePayments: Int = AgreementCourse.curePayments
    ) throws {
        self.through = through
        self.cut = cut
        agencies = try ScorecardStore(link, period: through).agencies()
        let store = AgreementStore(link)
        rows = try store.agreements(from: first, through: through).map { agreement in
            let course = AgreementCourse(
                signedIn: agreement.signedOn.period, money: agreement.money, bimester: bimester, through: through,
                curePayments: curePayments)
            return (agreement, course)
        }
        brought =
            try first == nil
            ? store.brought(through: through).compactMap { agreement in
                agreement.kept.map { kept in
                    let course = AgreementCourse(
                        signedIn: agreement.signedOn.period, kept: kept, money: agreement.money, bimester: bimester,
                        through: through, curePayments: curePayments)
                    return (agreement, course)
                }
            } : []
    }

    package var cohorts: [Cohort] { cohorts(rows, by: cut) }

    /// What openings brought, by the month of its signature: how many, and how they go on. Their shares are of the survivors alone.
    package var broughtCohorts: [Cohort] { cohorts(brought, by: cut) }

    private func cohorts(_ rows: [Row], by cut: IndicatorCut) -> [Cohort] {
        let groups = Dictionary(grouping: rows) {
            Group(period: $0.agreement.signedOn.period, key: key($0.agreement, cut))
        }
        return groups.keys.sorted().map { group in
            let courses = groups[group, default: []].map(\.course)
            return Cohort(
                signedIn: group.period, stored: group.key.stored(cut), key: group.key.text,
                agreements: Int64(courses.count),
                states: Dictionary(courses.map { ($0.state, 1) }, uniquingKeysWith: +),
                second: IndicatorShare(courses.map(\.hasSecondPayment)),
                third: IndicatorShare(courses.map(\.hasThirdPayment)), cured: IndicatorShare(courses.map(\.isCured)),
                maintained: IndicatorShare(courses.map(\.isMaintained)))
        }
    }

    private struct Group: Hashable, Comparable {
        let period: Period
        let key: Key

        static func < (left: Group, right: Group) -> Bool {
            (left.period, left.key.number, left.key.second, left.key.text)
                < (right.period, right.key.number, right.key.second, right.key.text)
        }
    }

    private struct Key: Hashable {
        let number: Int32
        /// Where the number alone does not tell: of a contract's delegations.
        var second: Int16 = 0
        let text: String

        func stored(_ cut: IndicatorCut) -> String {
            switch cut {
            case .strategy, .band, .vintage: text == AgreementReport.unknown ? text : "\(number)"
            case .total, .agency, .contract, .delegation, .tactic, .contractDelegation: text
            }
        }
    }

    private func key(_ agreement: AgreementStore.Agreement, _ cut: IndicatorCut) -> Key {
        switch cut {
        case .agency:
            let agency = agencies[agreement.contract]
            return Key(number: agency?.value ?? 0, text: agency?.description ?? "unknown")
        case .contract: return Key(number: agreement.contract, text: "\(agreement.contract)")
        case .delegation: return Key(number: Int32(agreement.delegation), text: "\(agreement.delegation)")
        case .contractDelegation:
            return Key(
                number: agreement.contract, second: agreement.delegation,
                text: "\(agreement.contract)/\(agreement.delegation)")
        case .strategy:
            return Key(
                number: Int32(agreement.strategy?.rawValue ?? 0), text: agreement.strategy?.name ?? Self.unknown)
        case .tactic: return Key(number: 0, text: agreement.tactic ?? Self.unknown)
        case .band:
            guard let days = agreement.daysLate else { return Key(number: -1, text: Self.unknown) }
            let band = MoraBand(daysLate: days)
            return Key(number: band?.days.first ?? 0, text: band?.label ?? "current")
        case .vintage:
            return Key(
                number: agreement.vintage?.number ?? 0, text: agreement.vintage?.description ?? Self.unknown)
        case .total: return Key(number: 0, text: "all")
        }
    }

    private static let unknown = "unknown"

    package var lines: [String] {
        let (cohorts, brought) = (cohorts, broughtCohorts)
        guard !cohorts.isEmpty || !brought.isEmpty else { return ["no agreement was approved until \(through)"] }
        let rates = ["2nd payment", "3rd payment", "cured", "maintained"]
        let own = Self.table(cohorts, by: cut, rates) { cohort in
            [cohort.second, cohort.third, cohort.cured, cohort.maintained]
                .map { share in share.percent.map { "\($0) (\(share.count)/\(share.known))" } ?? "–" }
        }
        guard !brought.isEmpty else { return own }
        return (cohorts.isEmpty ? [] : own + [""]) + [
            "brought by an opening, in cure then; who broke before is not among them, so there are no rates:"
        ] + Self.table(brought, by: cut, []) { _ in [] }
    }

    private static func table(
        _ cohorts: [Cohort], by cut: IndicatorCut, _ rates: [String], _ shares: (Cohort) -> [String]
    ) -> [String] {
        let states = AgreementCourse.State.allCases
        var table = TextTable(columns: [.left, .left, .right] + (states.map(\.rawValue) + rates).map { _ in .right })
        table.row(["signed in", cut.rawValue, "agreements"] + states.map(\.rawValue) + rates.map { $0 + " %" })
        for cohort in cohorts {
            table.row(
                ["\(cohort.signedIn)", cohort.key, "\(cohort.agreements)"]
                    + states.map { "\(cohort.states[$0, default: 0])" } + shares(cohort))
        }
        return table.lines
    }

    package static let header =
        "outcome,delegation,account,contract,signed,state,paid_months,agency,strategy,tactic,band,vintage,second,third,cure,maintenance"

    /// One row per agreement as CSV. What is not known yet is empty, and so is what is not of one that an opening brought: its number and
    /// its part in rates.
    ///
    /// - Parameter first: only those that were signed in this month or later, and none that an opening brought.
    /// - Returns: how many.
    package func write(to path: String, from first: Period? = nil) throws -> Int {
        let told = first.map { first in rows.filter { $0.agreement.signedOn.period >= first } } ?? rows + brought
        try OutputFile.writing(path) { file in
            try file.write(Self.header)
            for (agreement, course) in told {
                let fed = course.paidMonths.filter { month in agreement.kept.map { month >= $0.since } ?? true }
                let cuts = [.agency, .strategy, .tactic, .band, .vintage].map { key(agreement, $0).text }
                let known = [course.hasSecondPayment, course.hasThirdPayment, course.isCured, course.isMaintained]
                    .map { agreement.kept == nil ? $0.map(String.init) ?? "" : "" }
                try file.write(
                    "\(agreement.outcome.map(String.init) ?? ""),\(agreement.delegation),\(agreement.account),"
                        + "\(agreement.contract),\(agreement.signedOn),\(course.state.rawValue),"
                        + "\(fed.map(\.description).joined(separator: " ")),"
                        + (cuts + known).joined(separator: ","))
            }
        }
        return told.count
    }

    package var json: String {
        func share(_ share: IndicatorShare) -> CanonicalJSON {
            .object([
                "count": .number(share.count), "known": .number(share.known), "percent": .string(share.percent ?? ""),
            ])
        }
        func members(_ cohort: Cohort, of source: String) -> [String: CanonicalJSON] {
            [
                "signedIn": .string("\(cohort.signedIn)"), "by": .string(cut.rawValue), "key": .string(cohort.key),
                "source": .string(source), "agreements": .number(cohort.agreements),
                "states": .object(
                    Dictionary(
                        cohort.states.map { ($0.key.rawValue, CanonicalJSON.number($0.value)) },
                        uniquingKeysWith: { $1 })),
            ]
        }
        let own = cohorts.map { cohort in
            CanonicalJSON.object(
                members(cohort, of: "outcomes").merging(
                    [
                        "secondPayment": share(cohort.second), "thirdPayment": share(cohort.third),
                        "cured": share(cohort.cured), "maintained": share(cohort.maintained),
                    ], uniquingKeysWith: { $1 }))
        }
        let brought = broughtCohorts.map { CanonicalJSON.object(members($0, of: "opening")) }
        return String(CanonicalJSON.array(own + brought).text.dropLast())
    }
}

/// IND-13 as a figure of the month.
extension AgreementReport {
    /// Months of signature that a month's figures are of, itself the last: at a close of December those that are published by their
    /// first and last month.
    package static let figureMonths = 12

    /// The first of them.
    package var figuresFrom: Period { Self.figuresFrom(through) }

    /// The first of those that the figures of a month are of.
    package static func figuresFrom(_ month: Period) -> Period { month.advanced(byMonths: 1 - figureMonths) }

    /// The figures by the cut's values as they are stored: summed over those months of signature of which it is known of every agreement,
    /// whatever its cut, so that the values of a cut add up to the whole.
    package func figures(by cut: IndicatorCut) -> [String: [IndicatorFigure]] {
        func share(_ cohort: Cohort, _ indicator: Indicator) -> IndicatorShare? {
            switch indicator {
            case .secondPayment: cohort.second
            case .thirdPayment: cohort.third
            case .agreementCured: cohort.cured
            case .agreementMaintained: cohort.maintained
            default: nil
            }
        }
        let months = cohorts(rows, by: .total).filter { $0.signedIn >= figuresFrom }
        let known = Dictionary(
            uniqueKeysWithValues: Indicator.ofAgreements.map { indicator in
                (indicator, Set(months.filter { share($0, indicator)?.isKnown == true }.map(\.signedIn)))
            })
        return Dictionary(grouping: cohorts(rows, by: cut), by: \.stored).mapValues { cohorts in
            Indicator.ofAgreements.map { indicator in
                let shares = cohorts.filter { known[indicator, default: []].contains($0.signedIn) }
                    .compactMap { share($0, indicator) }
                return IndicatorFigure(
                    indicator, shares.reduce(0) { $0 + $1.count }, over: shares.reduce(0) { $0 + $1.known })
            }
        }.filter { $0.value.contains { $0.denominator != 0 } }
    }
}

/// The promises of a month, kept or broken by date and amount.
package struct PromiseReport {
    private let rows: [(promise: AgreementStore.Promise, verdict: PromiseVerdict)]

    /// - Parameters:
    ///   - graceDays: behind the promised day.
    ///   - today: the last day whose payments are known.
    package init(_ link: PgLink, period: Period, graceDays: Int, today: LocalDate) throws {
        rows = try AgreementStore(link).promises(period, graceDays: graceDays).map { promise in
            let verdict = PromiseVerdict(
                amount: promise.amount, by: promise.by, graceDays: graceDays, paid: promise.paid, today: today)
            return (promise, verdict)
        }
    }

    package func count(_ verdict: PromiseVerdict) -> Int { rows.count { $0.verdict == verdict } }

    /// By contract.
    package var lines: [String] {
        guard !rows.isEmpty else { return ["no promise was made in valid work of that month"] }
        var table = TextTable(columns: [.left, .right, .right, .right, .right])
        table.row(["contract"] + PromiseVerdict.allCases.map(\.rawValue) + ["kept %"])
        let groups = Dictionary(grouping: rows) { $0.promise.contract }
        func row(_ name: String, _ rows: [PromiseVerdict]) -> [String] {
            let counts = PromiseVerdict.allCases.map { verdict in rows.count { $0 == verdict } }
            let decided = counts[0] + counts[1]
            let share = decided > 0 ? Ratio(Int128(counts[0]) * 100, over: Int128(decided)).hundredths : "–"
            return [name] + counts.map { "\($0)" } + [share]
        }
        for contract in groups.keys.sorted() {
            table.row(row("\(contract)", groups[contract, default: []].map(\.verdict)))
        }
        table.row(row("all", rows.map(\.verdict)))
        return table.lines
    }

    /// One row per promise as CSV.
    ///
    /// - Returns: how many.
    package func write(to path: String) throws -> Int {
        try OutputFile.writing(path) { file in
            try file.write("outcome,delegation,account,contract,made,promised,amount,paid,verdict")
            for (promise, verdict) in rows {
                try file.write(
                    "\(promise.outcome),\(promise.delegation),\(promise.account),\(promise.contract),\(promise.madeOn),"
                        + "\(promise.by),\(promise.amount?.description ?? ""),\(promise.paid),\(verdict.rawValue)")
            }
        }
        return rows.count
    }
}

/// Mediation sessions of a month's valid work by contract: scheduled, held, missed; of those held, what was refused and signed.
package struct SessionReport {
    private let rows: [AgreementStore.Sessions]

    package init(_ link: PgLink, period: Period) throws { rows = try AgreementStore(link).sessions(period) }

    package var lines: [String] {
        guard !rows.isEmpty else { return ["no session is in valid work of that month"] }
        var table = TextTable(columns: [.left] + (0..<6).map { _ in .right })
        table.row(["contract", "scheduled", "held", "no-show", "refused", "signed", "signed % of held"])
        func row(_ name: String, _ counts: [Int64]) -> [String] {
            let share = counts[1] > 0 ? Ratio(Int128(counts[4]) * 100, over: Int128(counts[1])).hundredths : "–"
            return [name] + counts.map { grouped($0) } + [share]
        }
        for sessions in rows { table.row(row("\(sessions.contract)", sessions.counts)) }
        table.row(row("all", (0..<5).map { index in rows.reduce(0) { $0 + $1.counts[index] } }))
        return table.lines
    }

    package var json: String {
        let json = CanonicalJSON.array(
            rows.map { sessions in
                .object([
                    "contract": .number(Int64(sessions.contract)), "scheduled": .number(sessions.counts[0]),
                    "held": .number(sessions.counts[1]), "noShow": .number(sessions.counts[2]),
                    "refused": .number(sessions.counts[3]), "signed": .number(sessions.counts[4]),
                ])
            })
        return String(json.text.dropLast())
    }
}
