// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A reading of an experiment for people and programs.
struct ExperimentReport {
    private let design: ExperimentDesign
    private let reading: ExperimentReading

    init(_ design: ExperimentDesign, _ reading: ExperimentReading) {
        self.design = design
        self.reading = reading
    }

    private struct Document: Encodable {
        struct Interval: Encodable {
            let lower, upper: String
        }
        struct Difference: Encodable {
            let contacted, promised, paid: Interval
            let recoveredPerAccount: Interval?
        }
        struct Line: Encodable {
            let arm: Int16
            let name: String
            let stratum: String?
            let accounts, contacted, promised, paid: Int64
            let recovered, cost: String
            let isEnough: Bool
            let difference: Difference?
        }
        let experiment, method: String
        let smallestSample: Int64
        let lines: [Line]
    }

    func text(asJSON: Bool) throws -> String {
        if asJSON { return try JSONText.of(document) }
        var table = TextTable(columns: [.left, .left, .right, .right, .right, .right, .right, .right, .left, .left])
        table.row([
            "stratum", "arm", "accounts", "contacted", "promised", "paid", "recovered", "cost", "paid less champion's",
            "recovered less champion's",
        ])
        for line in reading.lines {
            table.row([
                line.stratum ?? "all", name(line.arm), Console.grouped(Int(line.figures.accounts)),
                counted(line, \.contacted), counted(line, \.promised), counted(line, \.paid),
                Cents(line.figures.recovered).description, Cents(line.figures.cost).description, paid(line),
                recovered(line),
            ])
        }
        return
            (table.lines + [
                "",
                "smallest sample: \(Console.grouped(Int(design.smallestSample))) accounts; differences are of the share "
                    + "that paid, in percent points, and of pesos per account", ConfidenceMethod.names,
            ]).joined(separator: "\n")
    }

    private func name(_ arm: Int16) -> String { design.arms.first { $0.number == arm }?.name ?? "\(arm)" }

    private func counted(_ line: ExperimentReading.Line, _ hits: KeyPath<ExperimentReading.Figures, Int64>) -> String {
        let hits = line.figures[keyPath: hits]
        guard line.figures.accounts > 0 else { return "0" }
        let share = SampleShare(hits: hits, of: line.figures.accounts).millionths
        return "\(Console.grouped(Int(hits))) (\(Cents(share / 100)) %)"
    }

    private func paid(_ line: ExperimentReading.Line) -> String {
        guard line.arm > 1 else { return line.isEnough ? "champion" : "not enough yet" }
        guard let difference = line.difference else { return "not enough yet" }
        let interval = difference.paid
        return "\(points(interval.lower)) to \(points(interval.upper))\(interval.excludesZero ? " *" : "")"
    }

    private func recovered(_ line: ExperimentReading.Line) -> String {
        guard let interval = line.difference?.recovered else { return "" }
        return "\(Cents(interval.lower)) to \(Cents(interval.upper))\(interval.excludesZero ? " *" : "")"
    }

    /// Millionths as percent points with two decimals, rounded toward zero.
    private func points(_ millionths: Int64) -> String { Cents(millionths / 100).description }

    private var document: Document {
        func interval(_ bounds: ConfidenceInterval) -> Document.Interval {
            .init(lower: points(bounds.lower), upper: points(bounds.upper))
        }
        return Document(
            experiment: design.name, method: ConfidenceMethod.names, smallestSample: design.smallestSample,
            lines: reading.lines.map { line in
                Document.Line(
                    arm: line.arm, name: name(line.arm), stratum: line.stratum, accounts: line.figures.accounts,
                    contacted: line.figures.contacted, promised: line.figures.promised, paid: line.figures.paid,
                    recovered: Cents(line.figures.recovered).description, cost: Cents(line.figures.cost).description,
                    isEnough: line.isEnough,
                    difference: line.difference.map {
                        Document.Difference(
                            contacted: interval($0.contacted), promised: interval($0.promised),
                            paid: interval($0.paid),
                            recoveredPerAccount: $0.recovered.map {
                                .init(lower: Cents($0.lower).description, upper: Cents($0.upper).description)
                            })
                    })
            })
    }
}
