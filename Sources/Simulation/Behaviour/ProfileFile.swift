// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Yams

/// Which agency behaves how: profiles by name, agencies by profile, read from YAML.
///
///     profiles: {slow: {speed: 45}, hoarding: {cheat: pulls-nothing}}
///     agencies: {ACE04: slow, ACE11: hoarding}
///     others: drawn
package struct ProfileFile: Equatable, Sendable {
    private static let bytesMax = 1_048_576
    /// The word for what the seed draws.
    static let drawn = "drawn"

    private var profiles: [String: Behaviour] = [:]
    private var agencies: [AgencyID: String] = [:]
    private var others = ProfileFile.drawn

    /// - Throws: ``SimulationFailure`` (usage) with file and line of the first fault.
    package init(path: String) throws(SimulationFailure) {
        try self.init(text: try Folder.text(path), path: path)
    }

    package init(text: String, path: String) throws(SimulationFailure) {
        guard text.utf8.count <= Self.bytesMax else {
            throw SimulationFailure(
                .usage, "\(path) is longer than \(Self.bytesMax) bytes", remedy: "Take fewer profiles")
        }
        var reader = Reader(path: path)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw SimulationFailure(.usage, "\(path) is no YAML: \(error)", remedy: "Mend it")
        }
        let sections = try reader.mapping(root, "the file", ["profiles", "agencies", "others"])
        for (name, node) in try reader.pairs(sections["profiles"], "profiles") {
            guard name != Self.drawn else { throw reader.fault(node, "a profile may not be called drawn") }
            profiles[name] = try reader.behaviour(node, name)
        }
        for (name, node) in try reader.pairs(sections["agencies"], "agencies") {
            guard let agency = AgencyID(text: name) else {
                throw reader.fault(node, "'\(name)' is no agency; they are written as ACE07")
            }
            agencies[agency] = try reader.word(node, "the profile of \(name)", known)
        }
        if let node = sections["others"] { others = try reader.word(node, "others", known) }
    }

    private var known: [String] { profiles.keys.sorted() + [Self.drawn] }

    /// What an agency does; drawn from the seed where the file says so.
    func behaviour(of agency: AgencyID, seed: UInt64) -> Behaviour {
        profiles[agencies[agency] ?? others] ?? .drawn(seed: seed, agency: agency)
    }

    /// Cheats of its profiles that a month in memory (`agentsim month --model`) does not play, in the order of their names.
    package var cheatsOutsideOfModel: [String] {
        let used = Set(agencies.values).union([others])
        return Set(profiles.filter { used.contains($0.key) }.values.compactMap(\.cheat)).filter { !$0.isInModel }
            .map(\.rawValue).sorted()
    }

    /// - Throws: ``SimulationFailure`` (usage) where it names an agency that has no contract.
    func require(_ known: Set<AgencyID>, path: String) throws(SimulationFailure) {
        guard let stranger = agencies.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw SimulationFailure(
            .usage, "the profiles name \(stranger), which has no contract in \(path)",
            remedy: "Name agencies of that file")
    }
}

private struct Reader {
    let path: String
    private var nodesLeft = 10_000

    init(path: String) { self.path = path }

    func fault(_ node: Node?, _ what: String, remedy: String = "docs/agentsim.md has the words") -> SimulationFailure {
        let line = node?.mark.map { ":\($0.line)" } ?? ""
        return SimulationFailure(.usage, "\(path)\(line): \(what)", remedy: remedy)
    }

    mutating func pairs(_ node: Node?, _ what: String) throws(SimulationFailure) -> [(String, Node)] {
        guard let node else { return [] }
        guard case .mapping(let mapping) = node else { throw fault(node, "\(what) is no mapping") }
        var pairs: [(String, Node)] = []
        for (key, value) in mapping {
            nodesLeft -= 1
            guard nodesLeft > 0 else { throw fault(value, "the file unfolds without end") }
            guard case .scalar(let scalar) = key else { throw fault(key, "\(what) has a key that is no word") }
            guard !pairs.contains(where: { $0.0 == scalar.string }) else {
                throw fault(key, "'\(scalar.string)' stands in \(what) twice")
            }
            pairs.append((scalar.string, value))
        }
        return pairs
    }

    mutating func mapping(_ node: Node?, _ what: String, _ known: [String]) throws(SimulationFailure) -> [String: Node]
    {
        guard let node else { throw fault(nil, "\(what) is empty") }
        var found: [String: Node] = [:]
        for (name, value) in try pairs(node, what) {
            guard known.contains(name) else {
                let hint = nearestName(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw fault(value, "'\(name)' is unknown in \(what)\(hint)")
            }
            found[name] = value
        }
        return found
    }

    func word(_ node: Node, _ what: String, _ known: [String]) throws(SimulationFailure) -> String {
        guard case .scalar(let scalar) = node, known.contains(scalar.string) else {
            let found = if case .scalar(let scalar) = node { "'\(scalar.string)'" } else { "no word" }
            throw fault(node, "\(what) is \(found), and is one of \(known.joined(separator: ", "))")
        }
        return scalar.string
    }

    private func percent(_ node: Node, _ what: String, _ range: ClosedRange<Int>) throws(SimulationFailure) -> Int {
        guard case .scalar(let scalar) = node, let value = Int(scalar.string), range.contains(value) else {
            throw fault(node, "\(what) takes a whole number of percent, \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func behaviour(_ node: Node, _ name: String) throws(SimulationFailure) -> Behaviour {
        let what = "profile \(name)"
        let fields = try mapping(
            node, what, ["staff", "speed", "neglect", "crashes", "signing", "asks", "hours", "cheat"])
        var behaviour = Behaviour()
        if let node = fields["staff"] { behaviour.staffPercent = try percent(node, "staff", 0...300) }
        if let node = fields["speed"] { behaviour.speedPercent = try percent(node, "speed", 0...300) }
        if let node = fields["neglect"] { behaviour.neglect = try percent(node, "neglect", 0...100) * 100 }
        if let node = fields["crashes"] { behaviour.crashes = try percent(node, "crashes", 0...100) * 100 }
        if let node = fields["signing"] { behaviour.signingPercent = try percent(node, "signing", 0...100) }
        if let node = fields["asks"] { behaviour.asksPercent = try percent(node, "asks", 0...100) }
        if let node = fields["hours"] {
            let word = try word(node, "hours", Behaviour.Hours.allCases.map(\.rawValue))
            behaviour.hours = Behaviour.Hours(rawValue: word) ?? .both
        }
        if let node = fields["cheat"] {
            behaviour.cheat = Cheat(rawValue: try word(node, "cheat", Cheat.allCases.map(\.rawValue)))
        }
        return behaviour
    }
}
