// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

/// One version of a policy, with the places of its rules.
struct ReadPolicy: Sendable {
    let policy: Policy
    let bands: [PolicyBandSet]
    let places: [String: PolicyPlace]
    /// Tactics that no strategy names.
    let idleTactics: [String]
    /// Exclusions that the policy has without having written them.
    let addedExclusions: [Exclusion]
}

/// Ranges of one field with names, the lowest first.
struct PolicyBandSet: Hashable, Sendable {
    struct Band: Hashable, Sendable {
        let name: String
        let atLeast: Int64?
        let atMost: Int64?
    }
    let name: String
    let field: AccountField
    let bands: [Band]
}

extension PolicyReader {
    /// The policies of all versions of a file, the oldest first; of any bytes that are UTF-8.
    static func read(text: String) throws(PolicyFaults) -> [ReadPolicy] {
        guard text.utf8.count <= bytesMax else {
            throw PolicyFaults(found: "\(text.utf8.count) bytes", expected: "at most \(bytesMax)")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw PolicyFaults(yaml: error)
        }
        guard let root else { throw PolicyFaults(found: "nothing", expected: "a policy") }
        return try read(root)
    }

    private static func read(_ root: Node) throws(PolicyFaults) -> [ReadPolicy] {
        let first = PolicyReader()
        let versions = first.versionList(Entry(node: root, path: ""))
        var faults = first.faults
        let isWhole = faults.isEmpty
        var policies: [ReadPolicy] = []
        for index in versions.indices {
            let reader = PolicyReader(
                versions: versions.map(\.name), versionIndex: index, areVersionsWhole: isWhole)
            if let policy = reader.policy(root, version: versions[index]) { policies.append(policy) }
            // A fault in a rule of several versions is one fault.
            for fault in reader.faults where !faults.contains(fault) { faults.append(fault) }
        }
        guard faults.isEmpty, !policies.isEmpty else { throw PolicyFaults(list: faults) }
        return policies
    }

    private func policy(_ root: Node, version: PolicyVersion) -> ReadPolicy? {
        guard let top = record(Entry(node: root, path: ""), .file) else { return nil }
        let name = top["policy"].flatMap(word)
        let title = top["title"].flatMap(title)
        adopt(packs: top["packs"].flatMap(packList))
        let bandSets = top["bands"].map(bandSets) ?? []
        let relief = top["relief"].map(relief) ?? []
        reliefs = relief.map(\.name)
        reliefClauses = relief
        let exclusions = top["exclusions"].map(exclusions) ?? []
        if let entry = top["exclusions"] { remember("exclusions", entry) }
        var tactics = top["tactics"].map(tactics) ?? VersionedRules()
        if top["tactics"] == nil { tactics.isWhole = false }
        let strategies = top["strategies"].map { self.strategies($0, tactics: tactics) } ?? []
        let invitation = top["mediation"].flatMap { self.invitation($0, strategies: strategies.map(\.strategy)) }
        reliefs = nil
        places["version"] = version.place
        let exhaustion = top["exhaustion"].flatMap(exhaustion)
        guard faults.isEmpty, let name, let title else { return nil }
        let added = ExclusionFloor.uncovered(ExclusionFloor.always, by: exclusions, relief: relief)
        let used = Set(strategies.flatMap { $0.tactics.map(\.name) + [$0.rest.name] })
        return ReadPolicy(
            policy: Policy(
                name: name, version: version.name, effectiveOn: version.effectiveOn, title: version.title ?? title,
                packs: packs, relief: relief, exclusions: exclusions + added, strategies: strategies,
                invitation: invitation,
                exhaustion: exhaustion),
            bands: bandSets, places: places, idleTactics: tactics.present.map(\.name).filter { !used.contains($0) },
            addedExclusions: added)
    }

    func title(_ entry: Entry) -> Title? {
        guard let record = record(entry, .title), let spanish = record["es"].flatMap({ text($0) }),
            let english = record["en"].flatMap({ text($0) })
        else { return nil }
        return Title(spanish: spanish, english: english)
    }

    func day(_ entry: Entry) -> LocalDate? {
        guard let text = text(entry, expected: "a day, as in '2023-12-01'") else { return nil }
        guard let day = LocalDate(text: text) else {
            fault(entry, expected: "a day, as in '2023-12-01'")
            return nil
        }
        return day
    }

    private func packList(_ entry: Entry) -> [String]? {
        guard let members = list(entry, of: "rule packs") else { return nil }
        let named = members.compactMap { member in word(member).map { (member, $0) } }
        let packs = named.map(\.1)
        for (member, name) in named {
            if !PolicyPack.words.contains(name) {
                fault(member, expected: oneOf(PolicyPack.words, for: name))
            } else if let read = PolicyPack.pack(readBy: name), !packs.contains(read) {
                fault(
                    member, found: "'\(name)' without the pack '\(read)' that it reads", expected: "'\(read)' beside it"
                )
            }
        }
        return packs
    }

    /// Catalogue IDs, as in `SEG-04`, of packs that the policy names.
    func origins(_ entry: Entry) -> [String]? {
        guard let members = list(entry, of: "catalogue IDs") else { return nil }
        if members.isEmpty { fault(entry, found: "no origin", expected: "at least one catalogue ID") }
        return members.compactMap { member in
            guard let id = text(member) else { return nil }
            if !PolicyPack.isOrigin(id) {
                fault(member, expected: Self.expectedOrigin(instead: id))
            } else if let owner = PolicyPack.owner(of: id), arePacksKnown, !packs.contains(owner) {
                fault(
                    member, found: "'\(id)', a rule of pack '\(owner)'",
                    expected: "'\(owner)' under 'packs', or a rule of a pack that is there")
            }
            return id
        }
    }

    private static func expectedOrigin(instead id: String) -> String {
        let family = String(id.prefix { $0 != "-" })
        if family == "GAP" { return "a name after 'GAP-', as in 'GAP-term'" }
        let ranges = PolicyPack.numbers(of: family).map { range in
            let (first, last) = (range.lowerBound, range.upperBound)
            func id(_ number: Int) -> String { number < 10 ? "\(family)-0\(number)" : "\(family)-\(number)" }
            return first == last ? id(first) : "\(id(first)) to \(id(last))"
        }
        guard ranges.isEmpty else { return "one of \(ranges.joined(separator: ", "))" }
        let meant = nearestName(to: family, among: PolicyPack.families).map { "; the family may be '\($0)'" }
        return "a catalogue ID, as in 'SEG-04'" + (meant ?? "")
    }

    /// - Parameter place: what stands before a name where its rule is remembered: the second of two is then what is wrong.
    func unique(_ names: [String], _ list: Entry, at place: String? = nil) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            let entry = place.flatMap { remembered["\($0).\(name)"] }
            fault(entry ?? list, found: "'\(name)' twice", expected: "each name once")
        }
    }
}

// MARK: - Versions

/// A version as the head of the file has it.
struct PolicyVersion {
    let name: String
    let effectiveOn: LocalDate
    let title: Title?
    let place: PolicyPlace?
}

extension PolicyReader {
    /// Bounds how often the file is walked.
    static let versionsMax = 60
    /// In place of a day that has a fault; nothing is made of it.
    private static let anyDay = LocalDate(daysSince1970: 0)

    /// The versions of the file, the oldest first. Empty goes with at least one fault.
    func versionList(_ root: Entry) -> [PolicyVersion] {
        guard case .mapping(let mapping) = root.node else {
            fault(root, expected: "a mapping with \(PolicyShape.file.required.joined(separator: ", "))")
            return []
        }
        func entry(_ name: String) -> Entry? { mapping[name].map { Entry(node: $0, path: name) } }
        guard let listed = entry("versions") else {
            for name in ["version", "effective"] where entry(name) == nil {
                fault(root, found: "no '\(name)'", expected: "it, or 'versions' with several of them")
            }
            let (name, day) = (entry("version").flatMap(word), entry("effective").flatMap(day))
            // The rules are looked at in any case: their faults do not depend on the day.
            return [
                PolicyVersion(
                    name: name ?? "", effectiveOn: day ?? Self.anyDay, title: nil, place: entry("version")?.place)
            ]
        }
        for name in ["version", "effective"] {
            if let double = entry(name) {
                fault(double, found: "'\(name)' beside 'versions'", expected: "one of the two")
            }
        }
        return versions(listed)
    }

    private func versions(_ entry: Entry) -> [PolicyVersion] {
        guard let members = list(entry, of: "versions") else { return [] }
        guard (1...Self.versionsMax).contains(members.count) else {
            fault(entry, found: "\(members.count) versions", expected: "1 to \(Self.versionsMax)")
            return []
        }
        var found: [PolicyVersion] = []
        var latest: PolicyVersion?
        for member in members {
            guard let record = record(member, .version) else { continue }
            let (name, day) = (record["version"].flatMap(word), record["effective"].flatMap(day))
            let version = PolicyVersion(
                name: name ?? record["version"]?.node.scalar?.string ?? "", effectiveOn: day ?? Self.anyDay,
                title: record["title"].flatMap(title), place: member.place)
            found.append(version)
            guard let day else { continue }
            if let latest, latest.effectiveOn >= day {
                fault(
                    member, found: "\(version.name) from \(day) after \(latest.name) from \(latest.effectiveOn)",
                    expected: "the versions in order of their first days, the oldest first")
            }
            latest = version
        }
        unique(found.map(\.name).filter { !$0.isEmpty }, entry)
        return found
    }

    /// Whether a rule belongs to the version that is read.
    enum Presence {
        case here, elsewhere
        /// What it says of versions has a fault.
        case unknown
    }

    func presence(_ record: [String: Entry]) -> Presence {
        let (since, before) = (record["since"].map(versionNumber), record["before"].map(versionNumber))
        guard since != .some(nil), before != .some(nil) else { return .unknown }
        let (first, end) = ((since ?? nil) ?? 0, (before ?? nil) ?? .max)
        if let entry = record["before"], end <= first {
            if areVersionsWhole {
                fault(entry, found: "an end that no version comes before", expected: "a version after that of 'since'")
            }
            return .unknown
        }
        return versionIndex >= first && versionIndex < end ? .here : .elsewhere
    }

    private func versionNumber(_ entry: Entry) -> Int? {
        guard let name = word(entry) else { return nil }
        if let index = versions.firstIndex(of: name) { return index }
        guard areVersionsWhole else { return nil }
        fault(entry, expected: oneOf(versions, for: name) + ", a version of this file")
        return nil
    }
}

/// Rules of one kind: those of the version that is read, and the names of the others.
struct VersionedRules<Rule> {
    var present: [Rule] = []
    /// Rules that the file has for other versions.
    var otherNames: Set<String> = []
    /// Rules that have a fault.
    var brokenNames: Set<String> = []
    /// Whether all names could be read; otherwise nobody can tell that one is not among them.
    var isWhole = true
}
