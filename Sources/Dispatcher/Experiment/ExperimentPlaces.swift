// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Where a design has something to compare: the delegations in which every arm has a contract of its strategy, by the contracts as
/// they are known now.
struct ExperimentPlaces {
    /// With every arm in one of the design's months at least, ascending; and in the first one.
    let compared: [Delegation]
    let comparedAtFirst: Int
    /// In how many of the design's delegations each arm has a contract in one of the months, whatever the others have; by arm.
    private let ofArms: [Int]
    private let design: ExperimentDesign

    init(_ design: ExperimentDesign, contracts: [PlanContract]) {
        self.design = design
        var compared: Set<Delegation> = []
        var ofArms = design.arms.map { _ in Set<Delegation>() }
        var atFirst = 0
        var month = design.first
        while month <= design.last {
            for delegation in design.delegations {
                let parts = design.parts(in: delegation, contracts: contracts, on: month.firstDay)
                for (arm, part) in parts.enumerated() where !part.contracts.isEmpty { ofArms[arm].insert(delegation) }
                guard parts.allSatisfy({ !$0.contracts.isEmpty }) else { continue }
                compared.insert(delegation)
                if month == design.first { atFirst += 1 }
            }
            month = month.advanced(byMonths: 1)
        }
        self.compared = compared.sorted()
        self.comparedAtFirst = atFirst
        self.ofArms = ofArms.map(\.count)
    }

    /// By the contracts and settings that a plan of the first month would be made from.
    static func read(_ design: ExperimentDesign, _ link: PgLink) throws -> ExperimentPlaces {
        let planning = PlanningStore(link, period: design.first, cut: SegmentationRun.cutDay(design.first))
        return ExperimentPlaces(design, contracts: try PlanSupply.read(planning).planned)
    }

    /// - Throws: ``CommandFailure`` (usage) where there is nothing to compare anywhere.
    func requireSome() throws(CommandFailure) {
        guard compared.isEmpty else { return }
        let arms = zip(design.arms, ofArms).map { "\($0.name) in \($1) of \(design.delegations.count)" }
        throw CommandFailure(
            .usage,
            "experiment \(design.name) would compare nothing: in none of its delegations has every arm a contract of "
                + "\(design.strategy.name) in force in \(design.months) (\(arms.joined(separator: ", ")))",
            remedy: "Choose agencies that work side by side; dispatcherd plan preview shows who works where.")
    }

    /// In words that follow the name and the months.
    var words: String {
        let count = design.delegations.count
        if compared.count == count {
            return count == 1
                ? "every arm has a contract of \(design.strategy.name) in its delegation"
                : "every arm has a contract of \(design.strategy.name) in all \(count) delegations"
        }
        let later = comparedAtFirst < compared.count ? ", in \(comparedAtFirst) of them from \(design.first) on" : ""
        return "every arm has a contract of \(design.strategy.name) in \(compared.count) of \(count) delegations "
            + "(\(Words.list(compared.map(\.description), shown: 12)))\(later); the others are dealt as without it"
    }
}

extension ExperimentDesign {
    /// `2024-03`, or `2024-03 to 2024-05`.
    var months: String { first == last ? "\(first)" : "\(first) to \(last)" }
}
