// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Glibc
package import PgStore

/// One policy that a manager asks about, in the version that counts for the period.
package struct PolicyChoice: Sendable {
    /// The word for the policy that placed the period.
    package static let appliedWord = "applied"

    let file: PolicyFile
    /// The version in force on the period's first day, or the one that was named, as it places accounts: without visits in
    /// `territory`.
    let policy: Policy
    let territory: VisitTerritory
    let isApplied: Bool
    /// What the manager should know about the choice.
    let notes: [String]

    /// What was written on the command line: `applied`, a file, or one version of a file as `FILE@VERSION`.
    ///
    /// A file is read here, before any database is opened, so that a fault in it costs no wait.
    package enum Wish: Sendable {
        case applied
        case file(PolicyFile)
        case version(PolicyFile, Policy)

        /// - Throws: ``CommandFailure`` (usage) where the file is missing or has faults, or has no such version.
        package init(_ word: String) throws(CommandFailure) {
            if word == PolicyChoice.appliedWord {
                self = .applied
                return
            }
            guard let mark = word.lastIndex(of: "@"), access(word, F_OK) != 0 else {
                self = .file(try PolicyFile(path: word))
                return
            }
            let file = try PolicyFile(path: String(word[..<mark]))
            let wanted = String(word[word.index(after: mark)...])
            guard let policy = file.versions.first(where: { $0.version == wanted }) else {
                throw CommandFailure(
                    .usage, "\(word[..<mark]) has no version '\(wanted)'",
                    remedy: "It has \(file.versions.map(\.version).joined(separator: ", "))")
            }
            self = .version(file, policy)
        }

        /// The file by which a period is to be placed, as FILE or as FILE@VERSION.
        ///
        /// Whatever places a period later (starts, a plan, an explanation) takes the version in force on its first day, so another
        /// one cannot place it now.
        /// - Parameter shipped: the file that is taken where none is named.
        /// - Throws: ``CommandFailure`` (usage) as above, where no file is named and the shipped one is not here, and where another
        ///   version than the named one is in force.
        package static func placing(
            _ named: String?, for period: Period, shipped: String = "policies/infonavit-2023.yaml"
        ) throws(CommandFailure) -> PolicyFile {
            guard named != nil || access(shipped, F_OK) == 0 else {
                throw CommandFailure(
                    .usage, "no policy is named, and there is no \(shipped) here",
                    remedy: "Name one with --policy FILE; a clone of Reparto has three in policies/")
            }
            let word = named ?? shipped
            switch try Wish(word) {
            case .applied: return try PolicyFile(path: word)
            case .file(let file): return file
            case .version(let file, let policy):
                let inForce = try file.policy(for: period)
                guard inForce.version == policy.version else {
                    throw CommandFailure(
                        .usage,
                        "\(period) takes version \(inForce.version) of the policy, in force from \(inForce.effectiveOn), and "
                            + "not \(policy.version)",
                        remedy:
                            "Try \(policy.version) with dispatcherd policy what-if; to place by it, give it a file of its own "
                            + "and a first day up to \(period.firstDay)")
                }
                return file
            }
        }
    }

    /// - Throws: ``CommandFailure`` (usage) where the period was never segmented and its policy is asked for.
    package init(_ wish: Wish, _ link: PgLink, period: Period) throws {
        switch wish {
        case .applied:
            let (_, file) = try PlanDraft.placements(link, period: period)
            try self.init(file, try file.policy(for: period), link, period: period, isApplied: true)
        case .file(let file):
            // Before the first version the first is tried: that is how a coming one is seen on the present portfolio.
            try self.init(
                file, file.policy(on: period.firstDay) ?? file.versions[0], link, period: period, isApplied: false)
        case .version(let file, let policy):
            try self.init(file, policy, link, period: period, isApplied: false)
        }
    }

    private init(_ file: PolicyFile, _ policy: Policy, _ link: PgLink, period: Period, isApplied: Bool) throws {
        self.file = file
        self.territory = try VisitTerritory.read(policy.packs, link, period: period)
        self.policy = policy.withoutVisits(in: territory)
        self.isApplied = isApplied
        let inForce = file.policy(on: period.firstDay)?.version
        let places =
            territory.isEmpty
            ? []
            : [
                "\(policy.name) \(policy.version) brings \(policy.packs.joined(separator: ", ")), so that nobody is visited in "
                    + "\(territory.words) (GEO-02): telephone there"
            ]
        self.notes =
            inForce == policy.version
            ? places
            : places + [
                "\(policy.name) \(policy.version), in force from \(policy.effectiveOn), is only tried here: segment "
                    + (inForce.map { "takes version \($0) of the file for \(period)" }
                        ?? "takes no version of the file for \(period)")
            ]
    }
}
