// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What an agency keeps between two runs: its counters, the accounts it believes to hold, the payments to come.
struct AgencyState: Equatable, Sendable {
    var agency: AgencyID
    var nextKey: Int64 = 1
    var sequence: Int64 = 0
    var cases: [CaseKey: HeldCase] = [:]
    var payments: [PlannedPayment] = []
    /// Grants for which an extension was asked.
    var extended: Set<GrantID> = []

    init(agency: AgencyID) { self.agency = agency }

    /// Lines of `kind key=value …`; the same form as the client's log.
    ///
    /// - Parameter margin: how far the counters are moved on, so that a run that is killed before it saves again does
    /// not
    ///   use a key twice.
    func text(margin: Int64) -> String {
        var lines = ["state agency=\(agency) key=\(nextKey + margin) sequence=\(sequence + margin)"]
        for key in cases.keys.sorted() {
            guard let held = cases[key] else { continue }
            var line = "held delegation=\(held.delegation) account=\(held.held.account) epoch=\(held.held.epoch)"
            if let contract = held.contract { line += " contract=\(contract)" }
            if let strategy = held.strategy { line += " strategy=\(strategy.name)" }
            line +=
                " grant=\(held.grant) term=\(held.term) leased=\(held.leasedAt) tactic=\(held.tactic) due=\(held.due)"
            line += " overdue=\(held.overdue) window=\(held.window) works=\(held.works)"
            if let nextAt = held.nextAt { line += " next=\(nextAt)" }
            if held.isScheduled { line += " scheduled=yes" }
            lines.append(line)
        }
        for payment in payments {
            var line =
                "pays id=\(payment.identifier) delegation=\(payment.key.delegation) account=\(payment.key.account)"
            line += " on=\(payment.on) amount=\(payment.amount) origin=\(payment.origin)"
            if let reverses = payment.reverses { line += " reverses=\(reverses)" }
            lines.append(line)
        }
        lines += extended.sorted().map { "extended grant=\($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    init(text: String, path: String) throws(SimulationFailure) {
        var state: AgencyState?
        for (index, line) in text.split(separator: "\n").enumerated() {
            guard state.take(LogFields(line)) else {
                throw SimulationFailure(
                    .usage, "\(path):\(index + 1) is not an agency's state",
                    remedy: "Give an empty folder with --log to start anew")
            }
        }
        guard let state else {
            throw SimulationFailure(.usage, "\(path) is empty", remedy: "Give an empty folder with --log to start anew")
        }
        self = state
    }
}

extension AgencyState? {
    fileprivate mutating func take(_ fields: LogFields) -> Bool {
        switch fields.kind {
        case "state":
            guard let agency = fields["agency"].flatMap({ AgencyID(text: $0) }), let key = fields.number("key"),
                let sequence = fields.number("sequence")
            else { return false }
            self = AgencyState(agency: agency)
            self?.nextKey = key
            self?.sequence = sequence
        case "held":
            guard let held = HeldCase(fields) else { return false }
            self?.cases[held.cursor] = held
        case "pays":
            guard let payment = PlannedPayment(fields) else { return false }
            self?.payments.append(payment)
        case "extended":
            guard let grant = fields.grant else { return false }
            self?.extended.insert(grant)
        default: return false
        }
        return self != nil
    }
}

extension HeldCase {
    fileprivate init?(_ fields: LogFields) {
        guard let delegation = fields["delegation"].flatMap({ Delegation(text: $0) }), let held = fields.held,
            let grant = fields.grant, let term = fields.instant("term"), let leasedAt = fields.instant("leased"),
            let tactic = fields["tactic"], let due = fields["due"].flatMap({ Cents(pesos: $0) }),
            let overdue = fields["overdue"].flatMap({ Cents(pesos: $0) }),
            let window = fields["window"].flatMap({ ContactWindow(text: $0) }), let works = fields.number("works")
        else { return nil }
        self.init(
            delegation: delegation, held: held, contract: fields["contract"].flatMap { ContractID(text: $0) },
            strategy: fields["strategy"].flatMap { Strategy(name: $0) }, grant: grant, term: term, leasedAt: leasedAt,
            tactic: String(tactic), due: due, overdue: overdue, window: window, works: Int(works),
            nextAt: fields.instant("next"), isScheduled: fields["scheduled"] == "yes")
    }
}

extension PlannedPayment {
    fileprivate init?(_ fields: LogFields) {
        guard let identifier = fields["id"], let delegation = fields["delegation"].flatMap({ Delegation(text: $0) }),
            let account = fields["account"].flatMap({ AccountID(text: $0) }),
            let on = fields["on"].flatMap({ LocalDate(text: $0) }),
            let amount = fields["amount"].flatMap({ Cents(pesos: $0) }),
            let origin = fields["origin"]
        else { return nil }
        self.init(
            identifier: String(identifier), key: CaseKey(delegation: delegation, account: account), on: on,
            amount: amount,
            origin: String(origin), reverses: fields["reverses"].map(String.init))
    }
}
