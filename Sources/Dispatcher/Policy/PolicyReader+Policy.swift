// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

extension PolicyReader {
    /// The rule packs that the code knows; another name would promise what nothing does.
    static let packs = ["fna", "fonacot", "infonavit-2023"]

    /// The whole file. `nil` goes with at least one fault.
    func policy(_ root: Node) -> Policy? {
        let top = record(
            Entry(node: root, path: ""),
            required: ["policy", "version", "effective", "title", "packs", "exclusions", "tactics", "strategies"],
            optional: ["mediation"])
        guard let top else { return nil }
        let name = top["policy"].flatMap(word)
        let version = top["version"].flatMap(word)
        let effective = top["effective"].flatMap(day)
        let title = top["title"].flatMap(title)
        let packs = top["packs"].flatMap(packs) ?? []
        let exclusions = top["exclusions"].map(exclusions) ?? []
        let tactics = top["tactics"].map(tactics) ?? []
        let strategies = top["strategies"].map { self.strategies($0, tactics: tactics) } ?? []
        let invitation = top["mediation"].flatMap { self.invitation($0, strategies: strategies.map(\.strategy)) }
        guard faults.isEmpty, let name, let version, let effective, let title else { return nil }
        return Policy(
            name: name, version: version, effectiveOn: effective, title: title, packs: packs, exclusions: exclusions,
            strategies: strategies, invitation: invitation)
    }

    private func day(_ entry: Entry) -> LocalDate? {
        guard let text = text(entry, expected: "a day, as in '2023-12-01'") else { return nil }
        guard let day = LocalDate(text: text) else {
            fault(entry, expected: "a day, as in '2023-12-01'")
            return nil
        }
        return day
    }

    private func title(_ entry: Entry) -> Title? {
        guard let record = record(entry, required: ["es", "en"]), let spanish = record["es"].flatMap({ text($0) }),
            let english = record["en"].flatMap({ text($0) })
        else { return nil }
        return Title(spanish: spanish, english: english)
    }

    private func packs(_ entry: Entry) -> [String]? {
        list(entry, of: "rule packs")?.compactMap { member in
            guard let pack = word(member) else { return nil }
            if !Self.packs.contains(pack) { fault(member, expected: oneOf(Self.packs, for: pack)) }
            return pack
        }
    }

    /// Catalogue IDs, as in `SEG-04`.
    private func origins(_ entry: Entry) -> [String]? {
        guard let members = list(entry, of: "catalogue IDs") else { return nil }
        if members.isEmpty { fault(entry, found: "no origin", expected: "at least one catalogue ID") }
        return members.compactMap { member in
            guard let id = text(member) else { return nil }
            let parts = id.split(separator: "-", omittingEmptySubsequences: false)
            let isID =
                id == "GAP"
                || parts.count == 2 && parts[0].utf8.count == 3
                    && parts[0].utf8.allSatisfy { (0x41...0x5A).contains($0) }
                    && parts[1].utf8.count == 2 && parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
            if !isID { fault(member, expected: "a catalogue ID, as in 'SEG-04'") }
            return id
        }
    }

    private func exclusions(_ entry: Entry) -> [Exclusion] {
        let found = (list(entry, of: "exclusions") ?? []).compactMap { member -> Exclusion? in
            guard let record = record(member, required: ["reason", "title", "origin", "when"], optional: ["until"])
            else { return nil }
            let reason = record["reason"].flatMap(word)
            let title = record["title"].flatMap(title)
            let origins = record["origin"].flatMap(origins)
            let when = record["when"].flatMap { condition($0) }
            let until = record["until"].flatMap(dateField)
            guard let reason, let title, let origins, let when else { return nil }
            return Exclusion(reason: reason, title: title, origins: origins, when: when, until: until)
        }
        unique(found.map(\.reason), entry)
        return found
    }

    private func dateField(_ entry: Entry) -> AccountField? {
        let dates = AccountField.allCases.filter { $0.kind == .date }
        guard let name = text(entry) else { return nil }
        guard let field = dates.first(where: { $0.name == name }) else {
            fault(entry, expected: oneOf(dates.map(\.name), for: name))
            return nil
        }
        return field
    }

    private func tactics(_ entry: Entry) -> [Tactic] {
        let found = (list(entry, of: "tactics") ?? []).compactMap { member -> Tactic? in
            guard let record = record(member, required: ["tactic", "title", "origin", "when", "priority"]) else {
                return nil
            }
            let name = record["tactic"].flatMap(word)
            let title = record["title"].flatMap(title)
            let origins = record["origin"].flatMap(origins)
            let when = record["when"].flatMap { condition($0) }
            let priority = record["priority"].flatMap(priorityClass)
            guard let name, let title, let origins, let when, let priority else { return nil }
            return Tactic(name: name, title: title, origins: origins, when: when, priority: priority)
        }
        unique(found.map(\.name), entry)
        return found
    }

    private func priorityClass(_ entry: Entry) -> Int16? { integer(entry, in: 1...99).map { Int16($0) } }

    private func unique(_ names: [String], _ entry: Entry) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            fault(entry, found: "'\(name)' twice", expected: "each name once")
        }
    }

    private func strategies(_ entry: Entry, tactics: [Tactic]) -> [StrategyRule] {
        let found = (list(entry, of: "strategies") ?? []).compactMap { strategy($0, tactics: tactics) }
        unique(found.map(\.strategy.name), entry)
        return found
    }

    private func strategy(_ entry: Entry, tactics: [Tactic]) -> StrategyRule? {
        let record = record(
            entry,
            required: ["strategy", "title", "origin", "when", "tactics", "portfolio"] + Self.holdingNames,
            optional: ["urgent"])
        guard let record else { return nil }
        let strategy = record["strategy"].flatMap(collected)
        let title = record["title"].flatMap(title)
        let origins = record["origin"].flatMap(origins)
        let when = record["when"].flatMap { condition($0) }
        let portfolio = record["portfolio"].flatMap(portfolio)
        let urgent = record["urgent"].map(urgent) ?? []
        var named = record["tactics"].map { self.named($0, tactics: tactics) } ?? []
        let holding = holding(record, entry)
        guard let rest = named.popLast(), rest.when == .always else {
            if let entry = record["tactics"] {
                fault(
                    entry, found: "a last tactic with a condition",
                    expected: "one whose condition is 'always' at the end")
            }
            return nil
        }
        guard let strategy, let title, let origins, let when, let portfolio, let holding else { return nil }
        return StrategyRule(
            strategy: strategy, title: title, origins: origins, when: when, portfolio: portfolio, urgent: urgent,
            tactics: named, rest: rest, holding: holding)
    }

    /// A strategy that takes accounts by itself; mediation only invites.
    private func collected(_ entry: Entry) -> Strategy? {
        let names = Strategy.allCases.filter { $0 != Invitation.strategy }.map(\.name)
        guard let name = text(entry) else { return nil }
        guard names.contains(name), let strategy = Strategy(name: name) else {
            fault(entry, expected: oneOf(names, for: name) + "; mediation has a part of its own")
            return nil
        }
        return strategy
    }

    private func named(_ entry: Entry, tactics: [Tactic]) -> [Tactic] {
        let found = (list(entry, of: "tactics by name") ?? []).compactMap { member -> Tactic? in
            guard let name = text(member) else { return nil }
            guard let tactic = tactics.first(where: { $0.name == name }) else {
                fault(member, expected: oneOf(tactics.map(\.name), for: name))
                return nil
            }
            return tactic
        }
        unique(found.map(\.name), entry)
        return found
    }

    private func urgent(_ entry: Entry) -> [Choice<Int16>.Option] {
        (list(entry, of: "classes with conditions") ?? []).compactMap { member in
            guard let record = record(member, required: ["class", "when"]),
                let priority = record["class"].flatMap(priorityClass),
                let when = record["when"].flatMap({ condition($0) })
            else { return nil }
            return Choice.Option(priority, when: when)
        }
    }

    /// One portfolio, or a list of them with conditions whose last is `always`.
    private func portfolio(_ entry: Entry) -> Choice<Portfolio>? {
        let names = Portfolio.allCases.map(\.name)
        if let name = entry.node.scalar?.string {
            guard let portfolio = Portfolio(name: name) else {
                fault(entry, expected: oneOf(names, for: name))
                return nil
            }
            return Choice(otherwise: portfolio)
        }
        var options = (list(entry, of: "portfolios with conditions") ?? []).compactMap {
            member -> Choice<Portfolio>.Option? in
            guard let (name, value) = pair(member, expected: "one portfolio and its condition") else { return nil }
            guard let portfolio = Portfolio(name: name) else {
                fault(member, found: "'\(name)'", expected: oneOf(names, for: name))
                return nil
            }
            return condition(value).map { Choice.Option(portfolio, when: $0) }
        }
        guard let last = options.popLast(), last.when == .always else {
            fault(entry, expected: "a list whose last portfolio has the condition 'always'")
            return nil
        }
        return Choice(options, otherwise: last.value)
    }
}

// MARK: - Holding and mediation

extension PolicyReader {
    private static let holdingNames = ["term", "ceiling", "grace", "late_report"]

    private func holding(_ record: [String: Entry], _ entry: Entry) -> Holding? {
        let term = record["term"].flatMap { quantity($0, unit: "days", in: 1...365) }
        let ceiling = record["ceiling"].flatMap { quantity($0, unit: "days", in: 1...730) }
        let grace = record["grace"].flatMap { quantity($0, unit: "hours", in: 0...720) }
        let lateReport = record["late_report"].flatMap { quantity($0, unit: "hours", in: 0...720) }
        guard let term, let ceiling, let grace, let lateReport else { return nil }
        if ceiling < term {
            fault(entry, found: "a ceiling of \(ceiling) days below the term of \(term)", expected: "at least the term")
        }
        return Holding(
            termDays: Int32(term), ceilingDays: Int32(ceiling), graceHours: Int32(grace),
            lateReportHours: Int32(lateReport))
    }

    private func invitation(_ entry: Entry, strategies: [Strategy]) -> Invitation? {
        let record = record(
            entry, required: ["title", "origin", "invites", "when", "sessions", "portfolio"] + Self.holdingNames)
        guard let record else { return nil }
        let title = record["title"].flatMap(title)
        let origins = record["origin"].flatMap(origins)
        let from = record["invites"].flatMap(collected)
        let when = record["when"].flatMap { condition($0) }
        let sessions = record["sessions"].flatMap(sessions)
        let portfolio = record["portfolio"].flatMap(portfolio)
        let holding = holding(record, entry)
        // With a faulty strategy among them the list is not whole.
        if faults.isEmpty, let from, !strategies.contains(from), let invites = record["invites"] {
            fault(invites, expected: "a strategy of this policy: \(strategies.map(\.name).joined(separator: ", "))")
        }
        guard let title, let origins, let from, let when, let sessions, let portfolio, let holding else { return nil }
        return Invitation(
            from: from, title: title, origins: origins, when: when, sessions: sessions, portfolio: portfolio,
            holding: holding)
    }

    private func sessions(_ entry: Entry) -> Invitation.Sessions? {
        guard let record = record(entry, required: [], optional: ["one_per", "fixed"]) else { return nil }
        if record.isEmpty { fault(entry, expected: "'one_per: 950 accounts', 'fixed: {14: 200}', or both") }
        let ratio = record["one_per"].flatMap { quantity($0, unit: "accounts", in: 1...1_000_000_000) }
        var fixed: [Int16: Int64] = [:]
        if let table = record["fixed"] {
            let numbers = Delegation.all.map(\.description)
            for (name, value) in self.record(table, required: [], optional: numbers) ?? [:] {
                guard let delegation = Delegation(text: name), let count = integer(value, in: 0...10_000_000) else {
                    continue
                }
                fixed[delegation.value] = count
            }
        }
        return Invitation.Sessions(accountsPerSession: ratio, fixed: fixed)
    }
}
