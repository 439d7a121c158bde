// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

/// Plan settings are read like a policy: every fault at once, each with its place and what would be right.
extension PolicyReader {
    /// Kinds of shares, as keys of a rule.
    private static let shareKinds = ["equal", "fixed", "scorecard", "arms"]
    /// Shares do not change faster than agencies can staff.
    private static let changeMax: Int64 = 2_000

    func planSettings(_ root: Node) -> PlanSettings? {
        let names = [
            "agency_cap", "rotation", "keep_together", "search", "strata", "persons", "weights", "shares", "bans",
            "recall", "shared", "pick",
        ]
        let top = Entry(node: root, path: "")
        guard let record = record(top, required: ["settings"], optional: names) else { return nil }
        var settings = PlanSettings(name: record["settings"].flatMap(word) ?? "")
        settings.agencyCap = record["agency_cap"].flatMap { percent($0, from: 1) }
        if let entry = record["rotation"] {
            settings.rotationPeriods = quantity(entry, unit: "periods", in: 0...12).map { Int($0) } ?? 0
        }
        if let entry = record["keep_together"] { settings.keepsTogether = yesNo(entry) ?? true }
        if let entry = record["search"] {
            settings.searchAgencies = Set(members(entry, of: "agencies", agency))
        }
        if let entry = record["strata"] {
            settings.strata = Set(members(entry, of: "traits", trait))
        }
        if let entry = record["persons"] { settings.persons = integer(entry, in: 1...2).map { Int($0) } ?? 1 }
        if let entry = record["recall"] {
            settings.recallDays = quantity(entry, unit: "days", in: 1...60).map { Int($0) } ?? 5
        }
        if let entry = record["weights"] { settings.weights = weights(entry) }
        if let entry = record["shares"] { settings.shares = members(entry, of: "rules of shares", shareRule) }
        if let entry = record["bans"] { settings.bans = members(entry, of: "channel bans", ban) }
        if let entry = record["shared"] {
            settings.shared = members(entry, of: "places with shared hands", places)
            refuseArms(settings, entry)
        }
        if let entry = record["pick"] { settings.pick = members(entry, of: "places to name tactics in", places) }
        return settings
    }

    private func places(_ entry: Entry) -> PlanSettings.Places? {
        guard let record = record(entry, required: [], optional: ["delegations", "strategies"]) else { return nil }
        return PlanSettings.Places(
            delegations: record["delegations"].map { Set(members($0, of: "delegations", delegation)) },
            strategies: record["strategies"].map { Set(members($0, of: "strategies", strategy)) })
    }

    /// Whose accounts go to whoever is first cannot be compared by arm.
    private func refuseArms(_ settings: PlanSettings, _ entry: Entry) {
        let both = settings.sharedKeys.first { key in
            if case .arms = settings.rule(key)?.share { true } else { false }
        }
        guard let both else { return }
        fault(
            entry, found: "shared hands and arms, in delegation \(both.delegation), \(both.strategy.name)",
            expected: "one of both: arms need hands of their own")
    }

    // MARK: - Shares

    private func shareRule(_ entry: Entry) -> PlanSettings.ShareRule? {
        guard
            let record = record(
                entry, required: [], optional: ["delegations", "strategies"] + Self.shareKinds)
        else { return nil }
        let kinds = Self.shareKinds.filter { record[$0] != nil }
        guard let kind = kinds.first, kinds.count == 1, let value = record[kind] else {
            fault(
                entry, found: kinds.isEmpty ? "no share" : kinds.joined(separator: " and "),
                expected: "one of \(Self.shareKinds.joined(separator: ", "))")
            return nil
        }
        guard let share = share(kind, value) else { return nil }
        return PlanSettings.ShareRule(
            delegations: record["delegations"].map { Set(members($0, of: "delegations", delegation)) },
            strategies: record["strategies"].map { Set(members($0, of: "strategies", strategy)) }, share: share)
    }

    private func share(_ kind: String, _ entry: Entry) -> PlanSettings.Share? {
        switch kind {
        case "fixed": return fixed(entry)
        case "arms": return .arms(arms(entry))
        case "scorecard":
            guard let record = record(entry, required: ["floor"], optional: ["period", "change"]),
                let floor = record["floor"].flatMap({ percent($0, from: 0) }),
                let change = record["change"].map({ percent($0, from: 0, to: Self.changeMax) })
                    ?? BasisPoints(Self.changeMax)
            else { return nil }
            return .scorecard(
                PlanSettings.ScorecardRule(
                    period: record["period"].flatMap(month), changeMax: change, floor: floor))
        default:
            if yesNo(entry) == false { fault(entry, expected: "yes, or another kind of share") }
            return .equal
        }
    }

    /// Shares by contract. That they add up to the whole or less is judged where they meet: in one delegation.
    private func fixed(_ entry: Entry) -> PlanSettings.Share? {
        guard case .mapping(let mapping) = entry.node, !mapping.isEmpty else {
            fault(entry, expected: "shares by contract, as in '{31: 50 %, 32: 30 %}'")
            return nil
        }
        var shares: [ContractID: BasisPoints] = [:]
        for (key, value) in mapping {
            guard let number = contract(Entry(node: key, path: entry.path)),
                let share = percent(Entry(node: value, path: "\(entry.path).\(number)"), from: 0)
            else { continue }
            shares[number] = share
        }
        return .fixed(shares)
    }

    /// Every arm needs a contract in a delegation that the rule is for, so parts above the whole are so everywhere.
    private func arms(_ entry: Entry) -> [ShareTarget.Arm] {
        let arms = members(entry, of: "arms", arm)
        let total = arms.reduce(0) { $0 + $1.share.value }
        if total > BasisPoints.whole {
            fault(
                entry, found: "arms that add up to \(PlanWords.percent(total * 100))",
                expected: "arms of 100 % or less together")
        }
        let named = arms.flatMap(\.contracts)
        if let twice = Set(named).sorted().first(where: { contract in named.count { $0 == contract } > 1 }) {
            fault(entry, found: "contract \(twice) twice", expected: "each contract in one arm")
        }
        return arms
    }

    private func arm(_ entry: Entry) -> ShareTarget.Arm? {
        guard let record = record(entry, required: ["arm", "share", "contracts"]),
            let number = record["arm"].flatMap({ integer($0, in: 1...99) }),
            let share = record["share"].flatMap({ percent($0, from: 0) }), let contracts = record["contracts"]
        else { return nil }
        return ShareTarget.Arm(
            number: Int16(number), share: share, contracts: members(contracts, of: "contracts", contract))
    }

    // MARK: - The rest

    private func ban(_ entry: Entry) -> PlanSettings.ChannelBan? {
        guard
            let record = record(
                entry, required: ["portfolio"], optional: ["packs", "delegations", "municipalities"]),
            let portfolio = record["portfolio"].flatMap(portfolioNamed)
        else { return nil }
        let delegations = record["delegations"].map { Set(members($0, of: "delegations", delegation)) } ?? []
        let municipalities = record["municipalities"].map { Set(members($0, of: "municipalities", municipality)) } ?? []
        if delegations.isEmpty == municipalities.isEmpty {
            fault(entry, found: "no place, or two kinds of it", expected: "delegations, or municipalities")
        }
        if !municipalities.isEmpty, let packs = record["packs"] {
            fault(packs, found: "packs beside municipalities", expected: "a ban of municipalities for all contracts")
        }
        return PlanSettings.ChannelBan(
            packs: record["packs"].map { Set(members($0, of: "rule packs", pack)) }, portfolio: portfolio,
            delegations: delegations, municipalities: municipalities)
    }

    private func weights(_ entry: Entry) -> [Int16: Int64] {
        guard case .mapping(let mapping) = entry.node else {
            fault(entry, expected: "weights by priority class, as in '{1: 5, 2: 2}'")
            return [:]
        }
        var weights: [Int16: Int64] = [:]
        for (key, value) in mapping {
            guard let priority = integer(Entry(node: key, path: entry.path), in: 1...255),
                let weight = integer(Entry(node: value, path: "\(entry.path).\(priority)"), in: 1...1_000)
            else { continue }
            weights[Int16(priority)] = weight
        }
        for (upper, lower) in zip(weights.keys.sorted(), weights.keys.sorted().dropFirst()) {
            guard let heavy = weights[upper], let light = weights[lower], heavy < light else { continue }
            fault(
                entry, found: "class \(lower) that weighs \(light), and class \(upper) above it \(heavy)",
                expected: "weights that do not rise from class to class")
        }
        return weights
    }

    // MARK: - Values

    private func members<Value>(_ entry: Entry, of what: String, _ read: (Entry) -> Value?) -> [Value] {
        list(entry, of: what)?.compactMap(read) ?? []
    }

    private func value<Value>(_ entry: Entry, expected: String, _ read: (String) -> Value?) -> Value? {
        guard let text = text(entry, expected: expected) else { return nil }
        guard let value = read(text) else {
            fault(entry, expected: expected)
            return nil
        }
        return value
    }

    /// - Parameters: `from` and `to` in hundredths of a percent.
    private func percent(_ entry: Entry, from: Int64, to: Int64 = BasisPoints.whole) -> BasisPoints? {
        let most = BasisPoints(to)?.description ?? "100"
        return value(entry, expected: "a percentage up to \(most) %, as in '12.5 %'") { text in
            guard text.hasSuffix(" %"), let found = BasisPoints(percent: text.dropLast(2)),
                (from...to).contains(found.value)
            else { return nil }
            return found
        }
    }

    private func yesNo(_ entry: Entry) -> Bool? {
        value(entry, expected: "yes or no") { ["yes": true, "no": false][$0] }
    }

    private func agency(_ entry: Entry) -> AgencyID? {
        value(entry, expected: "an agency, as in 'ACE07'") { AgencyID(text: $0) }
    }

    private func contract(_ entry: Entry) -> ContractID? {
        value(entry, expected: "a contract's number") { ContractID(text: $0) }
    }

    private func delegation(_ entry: Entry) -> Delegation? {
        value(entry, expected: "a delegation's number, 1 to 32") {
            Int64(canonicalDigits: $0).flatMap { Int16(exactly: $0) }.flatMap { Delegation($0) }
        }
    }

    private func municipality(_ entry: Entry) -> Int32? {
        value(entry, expected: "a municipality's number, delegation and three digits, as in '14039'") {
            Int64(canonicalDigits: $0).flatMap { (1_001...32_999).contains($0) ? Int32($0) : nil }
        }
    }

    private func strategy(_ entry: Entry) -> Strategy? {
        let names = Strategy.allCases.map(\.name).joined(separator: ", ")
        return value(entry, expected: "one of \(names)") { text in Strategy.allCases.first { $0.name == text } }
    }

    private func portfolioNamed(_ entry: Entry) -> Portfolio? {
        value(entry, expected: "telephone or home-visit") { text in Portfolio.allCases.first { $0.name == text } }
    }

    private func trait(_ entry: Entry) -> PlanSettings.Trait? {
        let names = PlanSettings.Trait.allCases.map(\.rawValue).joined(separator: ", ")
        return value(entry, expected: "one of \(names); the tactic always counts") { PlanSettings.Trait(rawValue: $0) }
    }

    private func pack(_ entry: Entry) -> String? {
        let names = PolicyPack.all.map(\.name)
        return value(entry, expected: "one of \(names.joined(separator: ", "))") { names.contains($0) ? $0 : nil }
    }

    private func month(_ entry: Entry) -> Period? {
        value(entry, expected: "a month, as in '2024-02'") { Period(text: $0) }
    }
}
