// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

extension PolicyReader {
    func bandSets(_ entry: Entry) -> [PolicyBandSet] {
        var sets: [PolicyBandSet] = []
        for member in list(entry, of: "sets of bands") ?? [] {
            guard let record = record(member, .bandSet) else {
                areBandsWhole = false
                continue
            }
            _ = record["title"].flatMap(title)
            _ = record["origin"].flatMap(origins)
            let name = record["bands"].flatMap(word)
            guard let field = record["field"].flatMap({ bandField($0) }), let ranges = record["ranges"] else {
                markBroken(record["ranges"])
                continue
            }
            let bands = (list(ranges, of: "bands") ?? []).compactMap { band($0, field: field) }
            guard let name else { continue }
            remember("bands.\(name)", member)
            sets.append(PolicyBandSet(name: name, field: field, bands: bands))
        }
        unique(sets.map(\.name), entry, at: "bands")
        unique(sets.flatMap { $0.bands.map(\.name) }, entry)
        return sets
    }

    /// The bands of a set whose field is not known: their names are there all the same.
    private func markBroken(_ ranges: Entry?) {
        guard let members = ranges?.node.sequence else {
            areBandsWhole = false
            return
        }
        for member in members {
            guard let name = member.mapping?["band"]?.scalar?.string else {
                areBandsWhole = false
                continue
            }
            brokenNames.insert(name)
        }
    }

    private func bandField(_ entry: Entry) -> AccountField? {
        let names = AccountField.banded.map(\.name)
        guard let name = text(entry) else { return nil }
        guard names.contains(name), let field = AccountField(name: name) else {
            fault(entry, expected: oneOf(names, for: name))
            return nil
        }
        demandPack(of: field, entry)
        return field
    }

    private func band(_ entry: Entry, field: AccountField) -> PolicyBandSet.Band? {
        guard let record = record(entry, .band), let name = record["band"].flatMap(word) else {
            areBandsWhole = false
            return nil
        }
        brokenNames.insert(name)
        guard let entry = record["range"], let range = test(field, entry) else { return nil }
        guard case .range(_, let atLeast, let atMost, _) = range else {
            fault(entry, expected: "a range, as in 'between: [1, 30]' or 'above: 120'")
            return nil
        }
        brokenNames.remove(name)
        bands[name] = (field, range)
        remember("bands.\(name)", entry)
        return PolicyBandSet.Band(name: name, atLeast: atLeast?.plain, atMost: atMost?.plain)
    }

    /// Title, origins and condition, which every rule has; present only where all of them are good.
    private func rule(_ record: [String: Entry], name key: String) -> Clause? {
        let name = record[key].flatMap(word)
        let title = record["title"].flatMap(title)
        let origins = record["origin"].flatMap(origins)
        let when = record["when"].flatMap { condition($0) }
        guard let name, let title, let origins, let when else { return nil }
        return Clause(name: name, title: title, origins: origins, when: when)
    }

    func relief(_ entry: Entry) -> [Relief] {
        let found = clauses(entry, .relief, of: "solutions", place: "relief")
        if found.count > Policy.reliefMax {
            fault(entry, found: "\(found.count) solutions", expected: "\(Policy.reliefMax) at most")
        }
        return found
    }

    /// The rules of a list that have nothing but a name, a title, origins and a condition.
    func clauses(_ entry: Entry, _ shape: PolicyShape, of what: String, place: String) -> [Clause] {
        let isRelief = shape.name == PolicyShape.relief.name
        let members = list(entry, of: what)
        if members == nil, isRelief { areReliefsWhole = false }
        let found = (members ?? []).compactMap { member -> Clause? in
            guard let record = record(member, shape) else {
                if isRelief { areReliefsWhole = false }
                return nil
            }
            let rule = rule(record, name: shape.name)
            let presence = presence(record)
            guard let rule, presence != .unknown else {
                if let name = record[shape.name]?.node.scalar?.string {
                    brokenNames.insert(name)
                } else if isRelief {
                    areReliefsWhole = false
                }
                return nil
            }
            guard presence == .here else {
                if isRelief { otherReliefs.insert(rule.name) }
                return nil
            }
            remember("\(place).\(rule.name)", member)
            return rule
        }
        unique(found.map(\.name), entry, at: place)
        return found
    }

    func exhaustion(_ entry: Entry) -> Exhaustion? {
        guard let record = record(entry, .exhaustion) else { return nil }
        let lists = ["clauses", "segregation", "return_to_balance"].map { name in
            record[name].map { clauses($0, .clause, of: "clauses", place: "exhaustion.\(name)") } ?? []
        }
        return Exhaustion(clauses: lists[0], segregation: lists[1], returnToBalance: lists[2])
    }

    func exclusions(_ entry: Entry) -> [Exclusion] {
        let found = (list(entry, of: "exclusions") ?? []).compactMap { member -> Exclusion? in
            guard let record = record(member, .exclusion) else { return nil }
            let rule = rule(record, name: "reason")
            let until = record["until"].flatMap(dateField)
            guard presence(record) == .here, let rule else { return nil }
            if rule.name == "none", let name = record["reason"] {
                fault(name, expected: "another name: 'none' is the rule of accounts with nothing to collect")
            }
            remember("exclusions.\(rule.name)", member)
            return Exclusion(
                reason: rule.name, title: rule.title, origins: rule.origins, when: rule.when, until: until)
        }
        unique(found.map(\.reason), entry, at: "exclusions")
        return found
    }

    private func dateField(_ entry: Entry) -> AccountField? {
        let names = AccountField.dates.map(\.name)
        guard let name = text(entry) else { return nil }
        guard names.contains(name), let field = AccountField(name: name) else {
            fault(entry, expected: oneOf(names, for: name))
            return nil
        }
        return field
    }

    func tactics(_ entry: Entry) -> VersionedRules<Tactic> {
        var found = VersionedRules<Tactic>()
        let members = list(entry, of: "tactics")
        found.isWhole = members != nil
        for member in members ?? [] {
            guard let record = record(member, .tactic) else {
                found.isWhole = false
                continue
            }
            let rule = rule(record, name: "tactic")
            let priority = record["priority"].flatMap(priorityClass)
            let presence = presence(record)
            guard let rule, let priority, presence != .unknown else {
                if let name = record["tactic"]?.node.scalar?.string {
                    found.brokenNames.insert(name)
                } else {
                    found.isWhole = false
                }
                continue
            }
            guard presence == .here else {
                found.otherNames.insert(rule.name)
                continue
            }
            remember("tactics.\(rule.name)", member)
            found.present.append(
                Tactic(
                    name: rule.name, title: rule.title, origins: rule.origins, when: rule.when, priority: priority))
        }
        unique(found.present.map(\.name), entry, at: "tactics")
        return found
    }

    private func priorityClass(_ entry: Entry) -> Int16? { integer(entry, in: 1...99).map { Int16($0) } }

    func strategies(_ entry: Entry, tactics: VersionedRules<Tactic>) -> [StrategyRule] {
        let members = list(entry, of: "strategies")
        if members?.isEmpty == true {
            fault(entry, found: "an empty list", expected: "at least one strategy: without one nobody is collected")
        }
        let found = (members ?? []).compactMap { strategy($0, tactics: tactics) }
        if found.isEmpty, members?.isEmpty == false, faults.isEmpty {
            fault(
                entry, found: "no strategy in version \(versions[versionIndex])",
                expected: "at least one in every version: without one nobody is collected")
        }
        unique(found.map(\.strategy.name), entry, at: "strategies")
        return found
    }

    private func strategy(_ entry: Entry, tactics: VersionedRules<Tactic>) -> StrategyRule? {
        guard let record = record(entry, .strategy) else { return nil }
        let strategy = record["strategy"].flatMap(collected)
        let rule = self.rule(record, name: "strategy")
        let portfolio = record["portfolio"].flatMap(portfolio)
        let urgent = record["urgent"].map(urgent) ?? []
        let listed = record["tactics"].flatMap { self.named($0, tactics: tactics) }
        let holding = holding(record, entry)
        guard presence(record) == .here, var named = listed else { return nil }
        guard let rest = named.popLast(), rest.when == .always else {
            if let list = record["tactics"] { faultNoRest(listed ?? [], of: rule?.when, list) }
            return nil
        }
        guard let strategy, let rule, let portfolio, let holding else { return nil }
        remember("strategies.\(strategy.name)", entry)
        if let list = record["tactics"] { remember("strategies.\(strategy.name).tactics", list) }
        return StrategyRule(
            strategy: strategy, title: rule.title, origins: rule.origins, when: rule.when, portfolio: portfolio,
            urgent: urgent, tactics: named, rest: rest, holding: holding)
    }

    /// Accounts that meet none of the tactics would have none.
    private func faultNoRest(_ tactics: [Tactic], of strategy: Condition?, _ list: Entry) {
        let expected = "one whose condition is 'always' at the end"
        guard let last = tactics.last else {
            return fault(list, found: "no tactic in version \(versions[versionIndex])", expected: expected)
        }
        let left = strategy.map { ConditionGap.left($0, by: tactics.map(\.when), relief: reliefClauses) } ?? []
        let words = left.isEmpty ? "" : ", which leaves accounts of \(left.listed(4)) without one"
        fault(list, found: "a last tactic, '\(last.name)', with a condition\(words)", expected: expected)
    }

    /// A strategy that takes accounts by itself; mediation only invites.
    func collected(_ entry: Entry) -> Strategy? {
        let names = Strategy.collecting.map(\.name)
        guard let name = text(entry) else { return nil }
        guard names.contains(name), let strategy = Strategy(name: name) else {
            fault(entry, expected: oneOf(names, for: name) + "; mediation has a part of its own")
            return nil
        }
        return strategy
    }

    /// The tactics that a strategy names, without those that the version does not have; `nil` where one has a fault.
    private func named(_ entry: Entry, tactics: VersionedRules<Tactic>) -> [Tactic]? {
        var isWhole = true
        let found = (list(entry, of: "tactics by name") ?? []).compactMap { member -> Tactic? in
            guard let name = text(member) else { return nil }
            if let tactic = tactics.present.first(where: { $0.name == name }) { return tactic }
            if tactics.otherNames.contains(name) { return nil }
            isWhole = false
            if tactics.isWhole, !tactics.brokenNames.contains(name) {
                let names = tactics.present.map(\.name)
                fault(member, expected: names.isEmpty ? "a tactic; this policy has none" : oneOf(names, for: name))
            }
            return nil
        }
        unique(found.map(\.name), entry)
        return isWhole ? found : nil
    }

    private func urgent(_ entry: Entry) -> [Choice<Int16>.Option] {
        (list(entry, of: "classes with conditions") ?? []).compactMap { member in
            guard let record = record(member, .urgent), let priority = record["class"].flatMap(priorityClass),
                let when = record["when"].flatMap({ condition($0) })
            else { return nil }
            return Choice.Option(priority, when: when)
        }
    }

    /// One portfolio, or a list of them with conditions whose last is `always`.
    func portfolio(_ entry: Entry) -> Choice<Portfolio>? {
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
    private func holding(_ record: [String: Entry], _ entry: Entry) -> Holding? {
        var values: [String: Int64] = [:]
        for key in PolicyShape.holdingKeys {
            guard case .quantity(let unit, let range) = key.value, let entry = record[key.name] else { continue }
            values[key.name] = quantity(entry, unit: unit, in: range)
        }
        if record["unlocatable"] != nil, let member = record["unlocatable"] {
            demandPack("fna", "'unlocatable'", member)
        }
        guard let term = values["term"], let ceiling = values["ceiling"], let grace = values["grace"],
            let lateReport = values["late_report"]
        else { return nil }
        if ceiling < term {
            fault(entry, found: "a ceiling of \(ceiling) days below the term of \(term)", expected: "at least the term")
        }
        if let activity = values["activity"], activity > term, let member = record["activity"] {
            fault(member, found: "\(activity) days above the term of \(term)", expected: "at most the term")
        }
        return Holding(
            termDays: Int32(term), ceilingDays: Int32(ceiling), graceHours: Int32(grace),
            lateReportHours: Int32(lateReport), activityDays: values["activity"].map { Int32($0) },
            unlocatableDays: values["unlocatable"].map { Int32($0) })
    }

    /// A feature of a pack needs the pack.
    func demandPack(_ pack: String, _ feature: String, _ entry: Entry) {
        guard arePacksKnown, !packs.contains(pack) else { return }
        fault(entry, found: "\(feature), which pack '\(pack)' brings", expected: "'\(pack)' under 'packs'")
    }

    /// The score of expected losses is one institution's model.
    func demandPack(of field: AccountField, _ entry: Entry) {
        if [.defaultProbability, .expectedLoss].contains(field) { demandPack("fonacot", "'\(field.name)'", entry) }
    }

    func invitation(_ entry: Entry, strategies: [Strategy]) -> Invitation? {
        guard let record = record(entry, .mediation) else { return nil }
        let title = record["title"].flatMap(title)
        let origins = record["origin"].flatMap(origins)
        let from = record["invites"].flatMap(collected)
        let when = record["when"].flatMap { condition($0) }
        let sessions = record["sessions"].flatMap(sessions)
        let portfolio = record["portfolio"].flatMap(portfolio)
        let holding = holding(record, entry)
        guard presence(record) == .here else { return nil }
        // With a faulty strategy among them the list is not whole.
        if faults.isEmpty, areVersionsWhole, let from, !strategies.contains(from), let invites = record["invites"] {
            fault(invites, expected: "a strategy of this policy: \(strategies.map(\.name).joined(separator: ", "))")
        }
        guard let title, let origins, let from, let when, let sessions, let portfolio, let holding else { return nil }
        remember("mediation", entry)
        return Invitation(
            from: from, title: title, origins: origins, when: when, sessions: sessions, portfolio: portfolio,
            holding: holding)
    }

    private func sessions(_ entry: Entry) -> Invitation.Sessions? {
        let expected = "'one_per: 950 accounts', 'fixed: {14: 200}', or both"
        guard case .mapping(let mapping) = entry.node, mapping.count > 0 else {
            fault(entry, found: entry.node.mapping.map { _ in "an empty mapping" }, expected: expected)
            return nil
        }
        guard let record = record(entry, .sessions) else { return nil }
        let ratio = record["one_per"].flatMap { quantity($0, unit: "accounts", in: 1...1_000_000_000) }
        var fixed: [Int16: Int64] = [:]
        if let table = record["fixed"], take(table) {
            if table.node.mapping == nil { fault(table, expected: "sessions by delegation, as in '{14: 200, 9: 150}'") }
            for (key, node) in table.node.mapping ?? [:] {
                let name = key.scalar?.string ?? ""
                guard let delegation = Delegation(text: name) else {
                    fault(
                        mark: key.mark, path: table.path, found: describe(key),
                        expected: "a delegation's number from 1 to 32")
                    continue
                }
                let value = Entry(node: node, path: "\(table.path).\(name)")
                if let count = integer(value, in: 0...10_000_000) { fixed[delegation.value] = count }
            }
        }
        return Invitation.Sessions(accountsPerSession: ratio, fixed: fixed)
    }
}

extension Condition.Bound {
    /// The value of a bound that does not depend on the cut.
    var plain: Int64? {
        if case .value(let value) = self { return value }
        return nil
    }
}
