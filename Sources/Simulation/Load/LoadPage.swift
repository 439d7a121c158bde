// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The result of a load as one HTML file with pictures in it: latencies by percentile, and accounts a second over time.
package struct LoadPage: Sendable {
    private static let width = 860
    private static let height = 280
    private static let left = 80
    private static let bottom = 36
    let report: LoadReport

    package init(_ report: LoadReport) { self.report = report }

    package var html: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Load</title>
        <style>
        body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 920px; color: #222 }
        pre { background: #f4f4f2; padding: 1em; overflow-x: auto }
        svg text { font: 12px sans-serif; fill: #444 }
        </style></head><body>
        <h1>Load</h1>
        <pre>\(Self.escaped(report.lines.joined(separator: "\n")))</pre>
        <h2>Latency by percentile</h2>
        \(latency)
        <h2>Accounts a second</h2>
        \(rate)
        </body></html>

        """
    }

    /// Percentiles stand by how many requests of ten, a hundred, … were slower, so that the tail is as wide as the rest.
    private var latency: String {
        let top = log10(Double(max(10, report.lease.max, report.report.max)))
        let low = log10(
            Double(
                max(1, min(report.lease.curve.first?.microseconds ?? 1, report.report.curve.first?.microseconds ?? 1))))
        let nines = 5.0
        func x(_ percentile: Double) -> Double {
            let slower = max(1 - percentile / 100, 1e-5)
            return Double(Self.left) + -log10(slower) / nines * Double(Self.width - Self.left - 20)
        }
        func y(_ microseconds: Double) -> Double {
            let share = (log10(max(1, microseconds)) - low) / max(0.1, top - low)
            return Double(Self.height - Self.bottom) - share * Double(Self.height - Self.bottom - 20)
        }
        var marks = ""
        for percentile in [0, 90, 99, 99.9, 99.99, 99.999] as [Double] {
            marks += line(x(percentile), 20, x(percentile), Double(Self.height - Self.bottom), "#ddd")
            marks += text(
                x(percentile), Double(Self.height - 16), percentile == 0 ? "0 %" : "\(Self.short(percentile)) %",
                percentile > 99.99 ? "end" : "middle")
        }
        for power in Int(low.rounded(.down))...Int(top.rounded(.up)) where Double(power) >= low && Double(power) <= top
        {
            let value = Self.power(power)
            marks += line(Double(Self.left), y(value), Double(Self.width - 20), y(value), "#ddd")
            marks += text(Double(Self.left - 8), y(value) + 4, Self.time(value), "end")
        }
        let curves = [("LEASE", report.lease, "#1b6ca8"), ("REPORT", report.report, "#c4421a")]
        for (index, (name, latency, colour)) in curves.enumerated() {
            let points = latency.curve.map { (x($0.percentile), y(Double($0.microseconds))) }
            marks +=
                polyline(points, colour) + text(Double(Self.left + 12), Double(34 + index * 16), name, "start", colour)
        }
        return svg(marks)
    }

    private var rate: String {
        let most = Double(max(1, report.samples.map(\.accounts).max() ?? 1))
        let count = Double(max(1, report.samples.count))
        func x(_ second: Double) -> Double { Double(Self.left) + second / count * Double(Self.width - Self.left - 20) }
        func y(_ accounts: Double) -> Double {
            Double(Self.height - Self.bottom) - accounts / most * Double(Self.height - Self.bottom - 20)
        }
        var marks = ""
        for share in [0, 0.5, 1] {
            marks += line(Double(Self.left), y(most * share), Double(Self.width - 20), y(most * share), "#ddd")
            marks += text(Double(Self.left - 8), y(most * share) + 4, Terminal.grouped(Int(most * share)), "end")
        }
        marks += text(x(0), Double(Self.height - 16), "0 s", "middle")
        marks += text(x(count), Double(Self.height - 16), "\(report.samples.count) s", "middle")
        marks += polyline(report.samples.map { (x(Double($0.second)), y(Double($0.accounts))) }, "#1b6ca8")
        return svg(marks)
    }

    // MARK: - Pieces

    private func svg(_ marks: String) -> String {
        "<svg viewBox=\"0 0 \(Self.width) \(Self.height)\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\(marks)</svg>"
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
        "<path d=\"M\(Self.tenth(x1)) \(Self.tenth(y1))L\(Self.tenth(x2)) \(Self.tenth(y2))\" stroke=\"\(colour)\"/>"
    }

    private func polyline(_ points: [(Double, Double)], _ colour: String) -> String {
        let list = points.map { "\(Self.tenth($0.0)),\(Self.tenth($0.1))" }.joined(separator: " ")
        return "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ anchor: String, _ colour: String = "#444") -> String {
        "<text x=\"\(Self.tenth(x))\" y=\"\(Self.tenth(y))\" text-anchor=\"\(anchor)\" style=\"fill:\(colour)\">\(Self.escaped(text))</text>"
    }

    private static func tenth(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func short(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private static func power(_ exponent: Int) -> Double {
        (0..<max(0, exponent)).reduce(1.0) { value, _ in value * 10 }
    }

    private static func time(_ microseconds: Double) -> String {
        switch microseconds {
        case ..<1_000: "\(Int(microseconds)) µs"
        case ..<1_000_000: "\(Int(microseconds / 1_000)) ms"
        default: "\(Int(microseconds / 1_000_000)) s"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
