// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Champion and challengers as the command line has them: defined, listed, read.
package enum ExperimentCommands {
    /// A design as it is asked for.
    package struct Definition {
        private let design: ExperimentDesign
        private let by: String

        /// - Parameters:
        ///   - arms: the champion first, each as `NAME=SHARE:ACE01,ACE02`, the share in percent.
        ///   - delegations: none: all of them.
        /// - Throws: ``CommandFailure`` of usage.
        package init(
            name: String, strategy: String, delegations: [Int16], from: String, until: String?, strata: [String],
            smallestSample: Int64, arms: [String], by: String
        ) throws(CommandFailure) {
            let first = try PeriodArgument(text: from).period
            var places: [Delegation] = []
            for number in delegations { places.append(try Words.delegation(number)) }
            var traits: [ExperimentDesign.Trait] = []
            for word in strata { traits.append(try Self.trait(word)) }
            var parsed: [ExperimentDesign.Arm] = []
            for arm in arms { parsed.append(try Self.arm(arm, number: Int16(parsed.count) + 1)) }
            guard (1...1_000_000).contains(smallestSample) else {
                throw CommandFailure(
                    .usage, "a smallest sample of \(smallestSample) accounts says nothing",
                    remedy: "Give 1 to 1,000,000; some hundreds tell shares apart.")
            }
            design = ExperimentDesign(
                name: try Words.token(name, "name of an experiment"), strategy: try Words.strategy(strategy),
                delegations: places.isEmpty ? Delegation.all : places.sorted(), first: first,
                last: try until.map { text throws(CommandFailure) in try PeriodArgument(text: text).period } ?? first,
                traits: traits, smallestSample: smallestSample, arms: parsed)
            self.by = try Words.person(by)
            if let fault = design.fault {
                throw CommandFailure(
                    .usage, "experiment \(name) cannot be: \(fault)",
                    remedy: "Give --arm NAME=SHARE:AGENCY,… once for each arm, the champion first.")
            }
        }

        private static func trait(_ word: String) throws(CommandFailure) -> ExperimentDesign.Trait {
            guard let trait = ExperimentDesign.Trait(rawValue: word) else {
                let known = ExperimentDesign.Trait.allCases.map(\.rawValue)
                throw CommandFailure(
                    .usage, "\(word) tells no strata apart", remedy: "They are \(known.joined(separator: ", ")).")
            }
            return trait
        }

        private static func arm(_ text: String, number: Int16) throws(CommandFailure) -> ExperimentDesign.Arm {
            let parts = text.split(separator: "=", maxSplits: 1)
            let right = parts.count == 2 ? parts[1].split(separator: ":", maxSplits: 1) : []
            guard right.count == 2, let share = BasisPoints(percent: right[0]) else {
                throw CommandFailure(
                    .usage, "'\(text)' is no arm", remedy: "Write NAME=SHARE:AGENCY,…, as letters=20:ACE07,ACE09.")
            }
            var agencies: [AgencyID] = []
            for word in right[1].split(separator: ",") { agencies.append(try Words.agency(String(word))) }
            return ExperimentDesign.Arm(
                number: number, name: try Words.token(String(parts[0]), "name of an arm"), share: share,
                agencies: agencies.sorted())
        }

        /// Keeps the design. The months that it names are planned by it from then on.
        ///
        /// - Throws: ``CommandFailure`` (usage) where an agency or the name does not fit, another experiment is there, one of its
        ///   months is dealt, or no delegation has a contract of every arm.
        package func run(on link: DatabaseLink) throws -> String {
            let places: ExperimentPlaces = try link.transaction {
                let store = ExperimentStore(link)
                try requireUndealt(store, link)
                let agencies = design.arms.flatMap(\.agencies)
                if let unknown = Set(agencies).subtracting(try store.known(agencies)).min() {
                    throw CommandFailure(
                        .usage, "there is no agency \(unknown)", remedy: "`dispatcherd agency list` shows them.")
                }
                if let other = try store.designs().first(where: overlaps) {
                    throw CommandFailure(
                        .usage, "experiment \(other.name) has \(design.strategy.name) there in \(other.months)",
                        remedy: "Choose other delegations, months or another strategy, or take that one back: "
                            + "dispatcherd experiment withdraw \(other.name) --motive …")
                }
                let places = try ExperimentPlaces.read(design, link)
                try places.requireSome()
                guard try store.insert(design, by: by) else {
                    throw CommandFailure(
                        .usage, "there is an experiment \(design.name) already",
                        remedy: "An experiment is not changed once it is defined; give another name.")
                }
                let now = try link.readNow()
                let month = Period.ofWork(at: now)
                try link.insertBlocks(
                    LedgerBlock.seal(design.delegations.map { .experiment(design, in: $0, by: by, month, at: now) }))
                return places
            }
            let note = try untold(link)
            return
                "\(design.name): \(design.arms.count) arms, for the plans of \(design.months); \(places.words)\(note)"
        }

        /// A trait tells strata apart where the plan's hands do: it is stored with each position as that plan has it.
        private func untold(_ link: PgLink) throws -> String {
            let strata = try PlanSettingsBook(link).inForce(design.first).settings.strata.map(\.rawValue)
            let untold = design.traits.map(\.rawValue).filter { !strata.contains($0) }
            guard !untold.isEmpty else { return "" }
            return
                "\nnote: the plan settings of \(design.first) do not tell \(untold.joined(separator: ", ")) apart: put settings "
                + "with `strata: [\((strata.sorted() + untold).joined(separator: ", "))]` before the plan, or it reads as untold"
        }

        /// An account counts for the arm that it was first dealt to: in a month that is dealt, arms would get what others left over.
        private func requireUndealt(_ store: ExperimentStore, _ link: PgLink) throws {
            _ = try PlanningStore(link, period: design.first, cut: design.first.firstDay).lockPeriods()
            let month = Period.ofWork(at: try link.readNow())
            guard design.first >= month else {
                throw CommandFailure(
                    .usage, "\(design.first) is over", remedy: "Define it from a month on that is not: --from \(month)")
            }
            guard let dealt = try store.lastPlanned(), design.first <= dealt else { return }
            throw CommandFailure(
                .usage,
                "\(dealt) is dealt already, and an account counts for the arm that it is first dealt to",
                remedy: "Define it from a month on that is not dealt: --from \(dealt.advanced(byMonths: 1))")
        }

        private func overlaps(_ other: ExperimentDesign) -> Bool {
            other.name != design.name && other.strategy == design.strategy && other.first <= design.last
                && design.first <= other.last && !Set(other.delegations).isDisjoint(with: design.delegations)
        }
    }

    private struct Listed: Encodable {
        struct Arm: Encodable {
            let arm: Int16
            let name, share: String
            let agencies: [String]
        }
        let name, strategy, first, last: String
        let delegations: [Int16]
        let strata: [String]
        let smallestSample: Int64
        let arms: [Arm]
    }

    /// Every design, one line per arm, or a JSON array.
    package static func list(asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let designs = try ExperimentStore(link).designs()
        if asJSON {
            return try JSONText.of(
                designs.map { design in
                    Listed(
                        name: design.name, strategy: design.strategy.name, first: design.first.description,
                        last: design.last.description, delegations: design.delegations.map(\.value),
                        strata: ["tactic"] + design.traits.map(\.rawValue), smallestSample: design.smallestSample,
                        arms: design.arms.map {
                            Listed.Arm(
                                arm: $0.number, name: $0.name, share: $0.share.description,
                                agencies: $0.agencies.map(\.description))
                        })
                })
        }
        guard !designs.isEmpty else { return "no experiment is defined" }
        var table = TextTable(columns: [.left, .left, .left, .right, .right, .left, .right, .left])
        table.row(["experiment", "strategy", "months", "delegations", "arm", "name", "share", "agencies"])
        for design in designs {
            for arm in design.arms {
                table.row([
                    design.name, design.strategy.name, "\(design.first) to \(design.last)",
                    "\(design.delegations.count)", "\(arm.number)", arm.name, "\(arm.share) %",
                    arm.agencies.map(\.description).joined(separator: " "),
                ])
            }
        }
        return table.lines.joined(separator: "\n")
    }

    /// What an experiment says up to now.
    package static func read(name: String, asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let store = ExperimentStore(link)
        guard let design = try store.designs().first(where: { $0.name == name }) else {
            throw CommandFailure(
                .usage, "there is no experiment \(name)", remedy: "`dispatcherd experiment list` shows them.")
        }
        let cells = try link.snapshot { try store.cells(design) }.map { cell in
            (arm: cell.arm, stratum: stratum(cell, design), figures: ExperimentReading.Figures(cell))
        }
        return try ExperimentReport(design, ExperimentReading(design, cells)).text(asJSON: asJSON)
    }

    /// Only what the design tells apart.
    private static func stratum(_ cell: ExperimentCell, _ design: ExperimentDesign) -> String {
        ([cell.tactic]
            + design.traits.map { trait in
                let stored =
                    switch trait {
                    case .band: cell.stratum.band
                    case .balance: cell.stratum.balance
                    case .probability: cell.stratum.probability
                    case .employment: cell.stratum.employment
                    }
                return "\(trait.rawValue)-" + (stored == 0 ? "untold" : "\(stored)")
            }).joined(separator: " ")
    }
}

extension ExperimentReading.Figures {
    fileprivate init(_ cell: ExperimentCell) {
        self.init()
        accounts = cell.accounts
        contacted = cell.contacted
        promised = cell.promised
        paid = cell.paid
        recovered = cell.recovered
        squares = cell.squares
        cost = cell.cost
    }
}

extension LedgerRecord {
    fileprivate static func experiment(
        _ design: ExperimentDesign, in delegation: Delegation, by: String, _ period: Period, at now: Timestamp
    ) -> LedgerRecord {
        let arms = design.arms.map { arm in
            "\(arm.number):\(arm.share):\(arm.agencies.map(\.description).joined(separator: ","))"
        }
        return LedgerRecord(
            delegation: delegation, period: period,
            "experiment name=\(design.name) delegation=\(delegation) strategy=\(design.strategy.name)"
                + " from=\(design.first) until=\(design.last) arms=\(arms.joined(separator: ";")) by=\(LedgerRecord.word(by)) at=\(now)"
        )
    }
}
