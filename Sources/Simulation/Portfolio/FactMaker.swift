// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Makes what supervision records in a month: mostly in order, with some breaches of every rule that reads facts
/// (PEN-01…04, PEN-06, PEN-08, PEN-20…22). PEN-05 and PEN-07 come from the reviews.
struct FactMaker {
    let specification: PortfolioSpecification

    static let header = [
        "fact", "kind", "contract", "delegation", "on_date", "portfolio", "subject", "value", "minimum", "weight",
        "note",
        "supersedes",
    ]

    /// One row; the number of the fact is made from where it stands.
    private struct Fact {
        var kind: String
        var on: LocalDate
        var portfolio = ""
        var subject = ""
        var value: String
        var minimum = ""
        var weight = ""
        var note = ""
    }

    /// What is known on the first day: the staffing that contracts on the `present` basis are planned by, and the goals of the month, which
    /// the first grant freezes.
    func writeOpening(_ contracts: [ContractDraft], to rows: inout RowWriter) throws(SimulationFailure) {
        try write(contracts, "opening", to: &rows) { contract, line, random in
            let staffing = contract.isPresentBasis ? staffing(line, on: specification.period.firstDay, &random) : []
            return staffing + goals(contract, &random)
        }
    }

    /// The month's facts, those of the last day included.
    func writeMonth(_ contracts: [ContractDraft], to rows: inout RowWriter) throws(SimulationFailure) {
        try write(contracts, "month", to: &rows) { contract, line, random in
            var facts = staffing(line, on: specification.period.lastDay, &random)
            facts += visits(&random)
            facts += quality(&random)
            facts += contract.isPreventive ? requirements(&random) : improvements(contract, line, &random)
            return facts
        }
    }

    private func write(
        _ contracts: [ContractDraft], _ label: String, to rows: inout RowWriter,
        _ make: (ContractDraft, ContractDraft.Line, inout SplitMix64) -> [Fact]
    ) throws(SimulationFailure) {
        for contract in contracts {
            for line in contract.lines {
                var random = SplitMix64(
                    seed: specification.seed, 0xFA, contract.contract, line.delegation, label.utf8.count)
                for (ordinal, fact) in make(contract, line, &random).enumerated() {
                    let number =
                        "\(specification.period)-\(label)-\(contract.contract)-\(line.delegation)-\(ordinal + 1)"
                    rows.field(text: number)
                    rows.field(text: fact.kind)
                    rows.field(contract.contract)
                    rows.field(line.delegation)
                    rows.field(date: fact.on)
                    for text in [fact.portfolio, fact.subject, fact.value, fact.minimum, fact.weight, fact.note, ""] {
                        rows.field(text: text)
                    }
                    try rows.endRow()
                }
            }
        }
    }

    private func day(_ random: inout SplitMix64) -> LocalDate {
        specification.period.firstDay.advanced(byDays: random.between(4...24))
    }

    private func staffing(_ line: ContractDraft.Line, on day: LocalDate, _ random: inout SplitMix64) -> [Fact] {
        let committed = [("telephone", line.telephoneAdvisers), ("home-visit", line.homeVisitAdvisers)]
        return committed.map { portfolio, committed in
            let missing = committed > 0 && random.chance(1_500) ? random.between(1...3) : 0
            return Fact(kind: "staffing", on: day, portfolio: portfolio, value: String(max(0, committed - missing)))
        }
    }

    private func visits(_ random: inout SplitMix64) -> [Fact] {
        guard random.chance(6_000) else { return [] }
        let subject = random.chance(600) ? "adviser-absent" : random.chance(500) ? "office-closed" : "ok"
        let isNoticed = subject == "ok" || random.chance(3_000)
        return [Fact(kind: "visit", on: day(&random), subject: subject, value: isNoticed ? "yes" : "no")]
    }

    private func quality(_ random: inout SplitMix64) -> [Fact] {
        let score = random.chance(900) ? random.between(6_200...7_990) : random.between(8_000...9_900)
        let value = "\(score / 100).\(score % 100 / 10)\(score % 10)"
        return [Fact(kind: "quality", on: day(&random), portfolio: "telephone", value: value)]
    }

    /// Goals are computed from the outcomes; minimums are percents of what was assigned. One in ten is out of reach.
    private func goals(_ contract: ContractDraft, _ random: inout SplitMix64) -> [Fact] {
        let on = specification.period.firstDay
        let isHard = random.chance(1_000)
        let worked = isHard ? 99 : random.between(48...60)
        let contacted = isHard ? 95 : random.between(32...42)
        let promises = isHard ? 60 : random.between(8...12)
        return [
            Fact(kind: "goal", on: on, subject: "worked", value: "", minimum: String(worked), weight: "50"),
            Fact(kind: "goal", on: on, subject: "contacted", value: "", minimum: String(contacted), weight: "30"),
            Fact(kind: "goal", on: on, subject: "promises", value: "", minimum: String(promises), weight: "20"),
        ]
    }

    private func improvements(
        _ contract: ContractDraft, _ line: ContractDraft.Line, _ random: inout SplitMix64
    ) -> [Fact] {
        // One contract misses three commitments in one delegation, which is what PEN-08 counts.
        let isRepeated = contract.contract % 30 == 4 && line.delegation == contract.lines.first?.delegation
        let count = isRepeated ? 3 : random.chance(3_000) ? 1 : 0
        return (0..<count).map { _ in
            let isMet = !isRepeated && !random.chance(2_000)
            return Fact(
                kind: "improvement", on: day(&random), subject: random.pick(["low", "medium", "high"]),
                value: isMet ? "yes" : "no", note: "commitment of the monthly supervision")
        }
    }

    private func requirements(_ random: inout SplitMix64) -> [Fact] {
        let names = ["call-storage", "tools", "continuity-plan"]
        return names.map { name in
            Fact(kind: "requirement", on: day(&random), subject: name, value: random.chance(150) ? "no" : "yes")
        }
    }
}
