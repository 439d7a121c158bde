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
                name: try Words.token(name, "name"), strategy: try Words.strategy(strategy),
                delegations: places.isEmpty ? Delegation.all : places.sorted(), first: first,
                last: try until.map { text throws(CommandFailure) in try PeriodArgument(text: text).period } ?? first,
                traits: traits, smallestSample: smallestSample, arms: parsed)
            self.by = try Words.token(by, "name")
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
                number: number, name: try Words.token(String(parts[0]), "name"), share: share,
                agencies: agencies.sorted())
        }

        /// Keeps the design. The months that it names are planned by it from then on.
        package func run(on link: DatabaseLink) throws -> String {
            try link.transaction {
                let store = ExperimentStore(link)
                let agencies = design.arms.flatMap(\.agencies)
                if let unknown = Set(agencies).subtracting(try store.known(agencies)).min() {
                    throw CommandFailure(
                        .findings, "there is no agency \(unknown)", remedy: "`dispatcherd agency list` shows them.")
                }
                if let other = try store.designs().first(where: overlaps) {
                    throw CommandFailure(
                        .findings, "experiment \(other.name) has \(design.strategy.name) there in those months",
                        remedy: "Choose other delegations, months or another strategy.")
                }
                guard try store.insert(design, by: by) else {
                    throw CommandFailure(
                        .findings, "there is an experiment \(design.name) already",
                        remedy: "An experiment is not changed once it is defined; give another name.")
                }
                let now = try link.readNow()
                let month = Period.ofWork(at: now)
                try link.insertBlocks(
                    LedgerBlock.seal(design.delegations.map { .experiment(design, in: $0, by: by, month, at: now) }))
            }
            return "\(design.name): \(design.arms.count) arms from \(design.first) to \(design.last), in "
                + "\(design.delegations.count) delegations; plans of those months deal by it where each arm has a contract"
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
                switch trait {
                case .band: "band-\(cell.stratum.band)"
                case .balance: "balance-\(cell.stratum.balance)"
                case .probability: "probability-\(cell.stratum.probability)"
                case .employment: "employment-\(cell.stratum.employment)"
                }
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
                + " from=\(design.first) until=\(design.last) arms=\(arms.joined(separator: ";")) by=\(by) at=\(now)")
    }
}
