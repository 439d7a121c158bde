// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Agreements by the month of their signature (IND-13), and the promises of a month. Changes nothing.
package struct AgreementReport {
    package struct Cohort: Equatable, Sendable {
        package let signedIn: Period
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

        fileprivate init(_ values: [Bool?]) {
            count = Int64(values.count { $0 == true })
            known = Int64(values.count { $0 != nil })
        }

        /// In percent with two decimals; `nil` where nothing is known.
        package var percent: String? {
            known > 0 ? Ratio(Int128(count) * 100, over: Int128(known)).hundredths : nil
        }
    }

    package let through: Period
    private let rows: [(agreement: AgreementStore.Agreement, course: AgreementCourse)]

    /// - Parameter through: the last month whose payments are all loaded.
    package init(_ link: PgLink, through: Period) throws {
        self.through = through
        rows = try AgreementStore(link).agreements(through: through).map { agreement in
            let course = AgreementCourse(
                signedIn: agreement.signedOn.period, paid: agreement.paid, through: through)
            return (agreement, course)
        }
    }

    package var cohorts: [Cohort] {
        let groups = Dictionary(grouping: rows) { $0.agreement.signedOn.period }
        return groups.keys.sorted().map { period in
            let courses = groups[period, default: []].map(\.course)
            return Cohort(
                signedIn: period, agreements: Int64(courses.count),
                states: Dictionary(courses.map { ($0.state, 1) }, uniquingKeysWith: +),
                second: IndicatorShare(courses.map(\.hasSecondPayment)),
                third: IndicatorShare(courses.map(\.hasThirdPayment)), cured: IndicatorShare(courses.map(\.isCured)),
                maintained: IndicatorShare(courses.map(\.isMaintained)))
        }
    }

    package var lines: [String] {
        let cohorts = cohorts
        guard !cohorts.isEmpty else { return ["no agreement was approved until \(through)"] }
        let states = AgreementCourse.State.allCases
        let rates = ["2nd payment", "3rd payment", "cured", "maintained"]
        var table = TextTable(columns: [.left, .right] + (states.map(\.rawValue) + rates).map { _ in .right })
        table.row(["signed in", "agreements"] + states.map(\.rawValue) + rates.map { $0 + " %" })
        for cohort in cohorts {
            let shares = [cohort.second, cohort.third, cohort.cured, cohort.maintained]
            table.row(
                ["\(cohort.signedIn)", "\(cohort.agreements)"] + states.map { "\(cohort.states[$0, default: 0])" }
                    + shares.map { share in share.percent.map { "\($0) (\(share.count)/\(share.known))" } ?? "–" })
        }
        return table.lines
    }

    package static let header = "outcome,delegation,account,contract,signed,state,paid_months"

    /// One row per agreement as CSV.
    ///
    /// - Returns: how many.
    package func write(to path: String) throws -> Int {
        try OutputFile.writing(path) { file in
            try file.write(Self.header)
            for (agreement, course) in rows {
                let months = agreement.paid.sorted().map(\.description).joined(separator: " ")
                try file.write(
                    "\(agreement.outcome),\(agreement.delegation),\(agreement.account),\(agreement.contract),"
                        + "\(agreement.signedOn),\(course.state.rawValue),\(months)")
            }
        }
        return rows.count
    }

    package var json: String {
        func share(_ share: IndicatorShare) -> CanonicalJSON {
            .object([
                "count": .number(share.count), "known": .number(share.known), "percent": .string(share.percent ?? ""),
            ])
        }
        let json = CanonicalJSON.array(
            cohorts.map { cohort in
                .object([
                    "signedIn": .string("\(cohort.signedIn)"), "agreements": .number(cohort.agreements),
                    "states": .object(
                        Dictionary(
                            cohort.states.map { ($0.key.rawValue, CanonicalJSON.number($0.value)) },
                            uniquingKeysWith: { $1 })),
                    "secondPayment": share(cohort.second), "thirdPayment": share(cohort.third),
                    "cured": share(cohort.cured), "maintained": share(cohort.maintained),
                ])
            })
        return String(json.text.dropLast())
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
