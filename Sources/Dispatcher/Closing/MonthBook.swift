// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Everything a period's statements are made of, by contract and delegation. The outcomes behind fees are not in it:
/// they are fetched one contract at a time, so that memory stays with the largest contract.
struct MonthBook {
    let period: Period
    let contracts: [ClosingStore.Contract]
    private var months: [Int32: [Int16: DelegationMonth]] = [:]
    private var reached: [GoalKey: ClosingStore.Reached] = [:]
    /// Accounts dealt and taken back by tactic, where a goal names one.
    private var tactics: [GoalKey: (dealt: Int64, taken: Int64)] = [:]

    private let spent: [Int32: Cents]
    private var adjustments: [Int32: [Adjustment]] = [:]

    private struct GoalKey: Hashable {
        let place: StatementPlace
        let tactic: String?
    }

    /// - Parameters:
    ///   - contracts: those of the month.
    ///   - schedules: say which of them pay by bands, and whose payments count; without them none do.
    init(
        _ store: ClosingStore, period: Period, contracts: [ClosingStore.Contract], schedules: ScheduleBook? = nil
    ) throws {
        self.period = period
        let recovered = try store.recovered()
        let givenBack = try store.givenBack()
        let paid = Set(recovered.map(\.place.contract) + givenBack.map(\.place.contract))
        self.contracts = contracts.filter { !$0.isOnlyPaid || paid.contains($0.id) }
        spent = try store.spent()
        try readDeals(store)
        try readWork(store)
        for reviewClass in ReviewClass.allCases {
            for (place, count) in try store.reviews(reviewClass) { change(place) { $0.reviews.append(count) } }
        }
        for (place, all, borrowers) in recovered {
            change(place) {
                $0.indicators.recovered = Cents(all)
                $0.indicators.recoveredFromBorrowers = Cents(borrowers)
            }
        }
        try readBands(store, schedules)
        for (place, back) in givenBack { change(place) { $0.givenBack.append(back) } }
        for row in try store.approvedAdjustments() {
            if let delegation = row.delegation {
                change(StatementPlace(contract: row.contract, delegation: delegation)) {
                    $0.adjustments.append(row.adjustment)
                }
            } else {
                adjustments[row.contract, default: []].append(row.adjustment)
            }
        }
        try readFacts(store)
        if let first = schedules?.firstOfRecidivism {
            for (place, breach) in try store.earlierBreaches(since: first) {
                change(place) { $0.earlierBreaches.append(breach) }
            }
        }
    }

    /// One contract's month, without what is billed.
    func month(of contract: ClosingStore.Contract) -> ContractMonth? {
        guard let id = ContractID(contract.id), let agency = AgencyID(contract.agency) else { return nil }
        var month = ContractMonth(
            period: period, contract: id, agency: agency, agencyName: contract.agencyName, number: contract.number,
            tender: contract.tender, delegations: Array(months[contract.id, default: [:]].values), bond: contract.bond)
        month.spentBefore = spent[contract.id, default: .zero]
        month.adjustments = adjustments[contract.id, default: []]
        return month
    }

    private mutating func change(_ place: StatementPlace, _ body: (inout DelegationMonth) -> Void) {
        guard let delegation = Delegation(place.delegation) else { return }
        body(&months[place.contract, default: [:]][place.delegation, default: DelegationMonth(delegation)])
    }

    // MARK: - Deals and work

    private mutating func readDeals(_ store: ClosingStore) throws {
        for (place, number, accounts) in try store.dealt() {
            guard let portfolio = Portfolio(rawValue: number) else { continue }
            change(place) { $0.indicators.dealt[portfolio, default: 0] += accounts }
        }
        for ending in try store.endings() {
            guard let portfolio = Portfolio(rawValue: ending.portfolio) else { continue }
            change(ending.place) { month in
                switch ending.kind {
                case "withdrawal": month.indicators.withdrawn[portfolio, default: 0] += ending.count
                case "recall": month.indicators.recalled[portfolio, default: 0] += ending.count
                case "exclusion": month.indicators.excluded[portfolio, default: 0] += ending.count
                case "unlocatable": month.indicators.unlocatable[portfolio, default: 0] += ending.count
                default: month.indicators.returned[ending.reason, default: 0] += ending.count
                }
            }
        }
        for (place, accounts) in try store.pulled() { change(place) { $0.indicators.pulled = accounts } }
    }

    /// What selects a rate is what the agency recovered of the band, under all of its contracts (AMB-10).
    private mutating func readBands(_ store: ClosingStore, _ schedules: ScheduleBook?) throws {
        struct Share: Hashable {
            let agency: Int32
            let band: MoraBand
        }
        let agencies = Dictionary(contracts.map { ($0.id, $0.agency) }, uniquingKeysWith: { $1 })
        let bands = try store.bands(origins: schedules?.origins(of: contracts) ?? [:])
        var sums: [Share: BandRecovery.Sums] = [:]
        for (place, band) in bands {
            let share = Share(agency: agencies[place.contract] ?? 0, band: band.band)
            sums[share, default: BandRecovery.Sums()].assigned += band.assigned
            sums[share, default: BandRecovery.Sums()].recovered += band.recovered
        }
        for (place, own) in bands {
            var band = own
            band.agency = sums[Share(agency: agencies[place.contract] ?? 0, band: own.band)] ?? own.agency
            change(place) { $0.bands.append(band) }
        }
    }

    private mutating func readWork(_ store: ClosingStore) throws {
        for work in try store.worked() {
            reached[GoalKey(place: work.place, tactic: nil)] = work.reached
            change(work.place) {
                $0.indicators.outcomes = work.outcomes
                $0.indicators.validOutcomes = work.valid
                $0.indicators.pendingOutcomes = work.pending
                $0.indicators.worked = work.reached.worked
                $0.indicators.contacted = work.reached.contacted
                $0.indicators.promises = work.reached.promises
                $0.indicators.agreements = work.reached.agreements
            }
        }
    }

    // MARK: - Facts

    private mutating func readFacts(_ store: ClosingStore) throws {
        let facts = try store.facts()
        if facts.contains(where: { $0.kind == "goal" && $0.value.isEmpty && $0.subject?.contains(":") == true }) {
            try readTactics(store)
        }
        var staffing: [StatementPlace: [Int16: [Staffing]]] = [:]
        for fact in facts {
            // Facts come by date: the last report of the month is the one that counts (AMB-18).
            if fact.kind == "staffing", let portfolio = fact.portfolio, let present = Int64(fact.value) {
                staffing[fact.place, default: [:]][portfolio, default: []].append(
                    Staffing(fact: fact.id, present: present))
            }
            let goal = goal(fact)
            let notes = notes(fact, goal)
            change(fact.place) {
                $0.take(fact, goal)
                $0.goalNotes += notes
            }
        }
        for (place, number, accountsPerAdviser) in try store.capacity() {
            guard let portfolio = Portfolio(rawValue: number) else { continue }
            let need = StaffingNeed(
                portfolio: portfolio, accountsPerAdviser: Int64(accountsPerAdviser),
                reports: staffing[place]?[number] ?? [])
            change(place) { $0.needs.append(need) }
        }
    }

    /// For goals of single tactics.
    mutating func readTactics(_ store: ClosingStore) throws {
        for (place, tactic, figures) in try store.workedByTactic() {
            reached[GoalKey(place: place, tactic: tactic)] = figures
        }
        for (place, tactic, dealt, taken) in try store.dealtByTactic() {
            tactics[GoalKey(place: place, tactic: tactic)] = (dealt, taken)
        }
    }

    /// A goal as supervision set it; what was reached is counted where the fact leaves it empty, and then a minimum in accounts falls
    /// with what the institution took away.
    private func goal(_ fact: ClosingStore.Fact) -> Goal? {
        guard fact.kind == "goal", let subject = fact.subject, let minimum = Self.scaled(fact.minimum) else {
            return nil
        }
        let weight = Self.scaled(fact.weight) ?? WorkGoal.scale
        if let achieved = Self.scaled(fact.value) {
            return Goal(fact: fact.id, indicator: subject, achieved: achieved, minimum: minimum, weight: weight)
        }
        let (indicator, tactic) = Self.parts(subject)
        let left =
            indicator?.isCount == true
            ? WorkGoal.prorated(minimum, taken: accounts(fact.place, tactic)) : minimum
        return Goal(
            fact: fact.id, indicator: subject, achieved: achieved(indicator, fact.place, tactic), minimum: left,
            weight: weight, isCounted: true, isIdle: minimum == 0 || weight == 0)
    }

    private func notes(_ fact: ClosingStore.Fact, _ goal: Goal?) -> [GoalNote] {
        guard let goal, let minimum = Self.scaled(fact.minimum) else { return [] }
        var notes: [GoalNote] = []
        if goal.minimum != minimum {
            let accounts = accounts(fact.place, Self.parts(goal.indicator).tactic)
            notes.append(
                .prorated(
                    fact: fact.id, subject: goal.indicator, minimum: minimum, left: goal.minimum,
                    dealt: accounts.dealt, taken: accounts.taken))
        }
        if let change = fact.change {
            notes.append(
                .changed(
                    fact: fact.id, subject: goal.indicator, minimum: minimum,
                    former: Self.scaled(change.formerMinimum), weight: goal.weight,
                    formerWeight: change.formerMinimum.map { _ in
                        Self.scaled(change.formerWeight) ?? WorkGoal.scale
                    }, reason: change.reason))
        }
        return notes
    }

    private static func parts(_ subject: String) -> (indicator: WorkGoal.Indicator?, tactic: String?) {
        let parts = subject.split(separator: ":", maxSplits: 1)
        return (
            parts.first.flatMap { WorkGoal.Indicator(rawValue: String($0)) }, parts.count > 1 ? String(parts[1]) : nil
        )
    }

    /// What a contract reached in a delegation, in ten-thousandths.
    func achieved(_ indicator: WorkGoal.Indicator?, _ place: StatementPlace, _ tactic: String?) -> Int64 {
        switch indicator {
        case .recovered:
            // A centavo is a hundred ten-thousandths of a peso.
            (months[place.contract]?[place.delegation]?.indicators.recovered.value ?? 0) * 100
        case .worked, .contacted, .promises, .agreements, .flow, nil:
            (reached[GoalKey(place: place, tactic: tactic)]?.count(indicator) ?? 0) * WorkGoal.scale
        }
    }

    /// Accounts dealt there, and what of them the institution took away.
    func accounts(_ place: StatementPlace, _ tactic: String?) -> (dealt: Int64, taken: Int64) {
        if tactic != nil { return tactics[GoalKey(place: place, tactic: tactic)] ?? (0, 0) }
        guard let indicators = months[place.contract]?[place.delegation]?.indicators else { return (0, 0) }
        return (indicators.dealt.values.reduce(0, +), indicators.taken)
    }

    /// Contracts that have anything in a delegation.
    func contracts(in delegation: Int16) -> [Int32] {
        months.filter { $0.value[delegation] != nil }.keys.sorted()
    }

    private static func scaled(_ text: String?) -> Int64? {
        guard let text, let value = Int64(decimal: text, places: 4), value >= 0 else { return nil }
        return value
    }
}

extension ClosingStore.Reached {
    fileprivate func count(_ indicator: WorkGoal.Indicator?) -> Int64 {
        switch indicator {
        case .worked: worked
        case .contacted: contacted
        case .promises: promises
        case .agreements: agreements
        case .recovered, .flow, nil: 0
        }
    }
}

extension DelegationMonth {
    /// Adds one fact; the import has checked that its values fit its kind.
    fileprivate mutating func take(_ fact: ClosingStore.Fact, _ goal: Goal?) {
        let isYes = fact.value == "yes"
        switch fact.kind {
        case "goal": if let goal { goals.append(goal) }
        case "visit":
            if let finding = fact.subject.flatMap(Visit.Finding.init) {
                visits.append(Visit(fact: fact.id, finding: finding, wasAnnounced: isYes))
            }
        case "quality":
            if let score = BasisPoints(percent: fact.value) {
                scores.append(QualityScore(fact: fact.id, score: score, weight: 1))
            }
        case "improvement":
            if let impact = fact.subject.flatMap(Impact.init) {
                commitments.append(
                    Commitment(fact: fact.id, impact: impact, isMet: fact.value.isEmpty ? nil : isYes, on: fact.on))
            }
        case "requirement": requirements.append(Requirement(fact: fact.id, isMet: isYes))
        default: break
        }
    }
}
