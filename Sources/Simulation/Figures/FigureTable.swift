// SPDX-License-Identifier: Apache-2.0

/// Figures beside their targets, for people and for programs.
package enum FigureTable {
    /// One line each, with a header: ID, target, got, tolerance, verdict, what and of what.
    package static func lines(_ figures: [MeasuredFigure]) -> [String] {
        let header = ["", "target", "got", "tolerance", "", "figure, of which universe"]
        let rows = figures.map { measured in
            let figure = measured.figure
            return [
                figure.id, text(figure.target, figure.unit), measured.got.map { text($0, figure.unit) } ?? "-",
                "± \(text(figure.allowance(of: measured.count), figure.unit))", measured.verdict.rawValue,
                "\(figure.name), of \(Terminal.grouped(measured.count)) \(figure.universe)"
                    + (figure.basis == .published ? "" : " (\(figure.basis.rawValue))"),
            ]
        }
        let table = [header] + rows
        let widths = (0..<5).map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            let cells = (0..<5).map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return (1...3).contains(column) ? padding + row[column] : row[column] + padding
            }
            return "  \((cells + [row[5]]).joined(separator: "  "))"
        }
    }

    /// A JSON array; shares in parts per million, amounts in centavos.
    package static func json(_ figures: [MeasuredFigure]) -> String {
        let rows = figures.map { measured in
            let figure = measured.figure
            return """
                  {"id": "\(figure.id)", "name": "\(figure.name)", "universe": "\(figure.universe)", \
                "basis": "\(figure.basis.rawValue)", "unit": "\(figure.unit == .share ? "ppm" : "centavos")", \
                "target": \(figure.target), "got": \(measured.got.map(String.init) ?? "null"), \
                "tolerance": \(figure.allowance(of: measured.count)), "count": \(measured.count), \
                "verdict": "\(measured.verdict.rawValue)"}
                """
        }
        return "[\n\(rows.joined(separator: ",\n"))\n]"
    }

    /// Percents with two decimals, with four below a tenth of a percent; pesos without centavos.
    private static func text(_ value: Int, _ unit: PublishedFigure.Unit) -> String {
        switch unit {
        case .pesos: return "$\(Terminal.grouped((value + 50) / 100))"
        case .share:
            guard value >= 1_000 || value == 0 else { return "0.\(String(10_000 + value).dropFirst()) %" }
            let hundredths = (value + 50) / 100
            return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) %"
        }
    }
}
