// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The result of a load as one HTML file with pictures in it: latencies by percentile, and accounts a second over time.
package struct LoadPage: Sendable {
    private static let width = 860
    private static let height = 280
    private static let left = 80
    private static let right = 36
    private static let top = 20
    private static let bottom = 54
    let report: LoadReport

    package init(_ report: LoadReport) { self.report = report }

    package var html: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>\(Self.escaped(title))</title>
        <style>
        body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 920px; color: #222 }
        pre { background: #f4f4f2; padding: 1em; white-space: pre-wrap; overflow-wrap: anywhere }
        svg text { font: 12px sans-serif; fill: #444 }
        </style></head><body>
        <h1>\(Self.escaped(title))</h1>
        <pre>\(Self.escaped(report.lines.joined(separator: "\n")))</pre>
        <h2>Latency by percentile</h2>
        \(latency)
        <h2>Accounts a second</h2>
        \(rate)
        </body></html>

        """
    }

    private var title: String {
        guard let addresses = report.addresses, let day = report.startedAt?.prefix(10) else { return "Load" }
        return "Load of \(addresses.joined(separator: ", ")), \(day)"
    }

    /// Percentiles stand by how many requests of ten, a hundred, … were slower, so that the tail is as wide as the rest.
    private var latency: String {
        let curves = [("LEASE", report.lease, "#1b6ca8"), ("REPORT", report.report, "#c4421a")].filter {
            $0.1.count > 0
        }
        let slowest = curves.map(\.1.max).max() ?? 1
        let fastest = curves.compactMap(\.1.curve.first?.microseconds).min() ?? 1
        let ticks = Self.timeTicks(from: fastest, to: slowest)
        guard let low = ticks.first.map({ log10($0) }), let top = ticks.last.map({ log10($0) }), !curves.isEmpty else {
            return "<p>No request was answered.</p>"
        }
        let nines = 5.0
        func x(_ percentile: Double) -> Double {
            let slower = max(1 - percentile / 100, 1e-5)
            return Double(Self.left) + -log10(slower) / nines * Double(Self.width - Self.left - Self.right)
        }
        func y(_ microseconds: Double) -> Double {
            let share = (log10(max(1, microseconds)) - low) / (top - low)
            return Double(Self.height - Self.bottom) - share * Double(Self.height - Self.bottom - Self.top)
        }
        var marks = ""
        for percentile in [0, 90, 99, 99.9, 99.99, 99.999] as [Double] {
            marks += line(x(percentile), Double(Self.top), x(percentile), Double(Self.height - Self.bottom), "#ddd")
            marks += text(
                x(percentile), Double(Self.height - Self.bottom + 18),
                percentile == 0 ? "0 %" : "\(Self.short(percentile)) %", "middle")
        }
        for value in ticks {
            marks += line(Double(Self.left), y(value), Double(Self.width - Self.right), y(value), "#ddd")
            marks += text(Double(Self.left - 8), y(value) + 4, Self.time(value), "end")
        }
        for (index, (name, latency, colour)) in curves.enumerated() {
            // The slowest one of all ends the curve, at the percentile that a single request is.
            let last = min(99.999, 100 - 100 / Double(max(1, latency.count)))
            let points = latency.curve.filter { $0.percentile < last }.map { ($0.percentile, $0.microseconds) }
            marks +=
                polyline((points + [(last, latency.max)]).map { (x($0.0), y(Double($0.1))) }, colour)
                + text(
                    Double(Self.left + 12), Double(Self.top + 16 + index * 16), name, "start", colour)
        }
        return svg(marks, "share of the requests that took no longer")
    }

    /// One, two and five of each power of ten, from the last one below to the first one above; where they are many, powers alone.
    ///
    /// - Returns: at least two, ascending.
    static func timeTicks(from fastest: UInt64, to slowest: UInt64) -> [Double] {
        let all = (0...8).flatMap { power in [1, 2, 5].map { Double($0) * Self.power(power) } }
        func span(_ ticks: [Double]) -> [Double] {
            let first = ticks.lastIndex { $0 <= Double(max(1, fastest)) } ?? 0
            let last = ticks.firstIndex { $0 >= Double(slowest) } ?? ticks.count - 1
            let end = min(max(last, first + 1), ticks.count - 1)
            return Array(ticks[min(first, end - 1)...end])
        }
        let dense = span(all)
        return dense.count > 9 ? span((0...9).map(Self.power)) : dense
    }

    private var rate: String {
        let samples = report.samples
        guard !samples.isEmpty else { return "<p>Nothing was measured.</p>" }
        func perSecond(_ sample: LoadSample) -> Double {
            Double(sample.accounts) * 1_000 / Double(max(1, sample.milliseconds ?? 1_000))
        }
        let lengths = samples.map { Double($0.milliseconds ?? 1_000) / 1_000 }
        let whole = lengths.reduce(0, +)
        let step = Self.step(of: samples.map(perSecond).max() ?? 1)
        let most = step * Double(Self.steps)
        func x(_ second: Double) -> Double {
            Double(Self.left) + second / whole * Double(Self.width - Self.left - Self.right)
        }
        func y(_ accounts: Double) -> Double {
            Double(Self.height - Self.bottom) - accounts / most * Double(Self.height - Self.bottom - Self.top)
        }
        var marks = ""
        for number in 0...Self.steps {
            let value = step * Double(number)
            marks += line(Double(Self.left), y(value), Double(Self.width - Self.right), y(value), "#ddd")
            marks += text(Double(Self.left - 8), y(value) + 4, Terminal.grouped(Int(value)), "end")
        }
        let every = Int(Self.step(of: whole).rounded(.up))
        for second in stride(from: 0, through: Int(whole + 0.05), by: max(1, every)) {
            let place = min(whole, Double(second))
            marks += line(x(place), Double(Self.top), x(place), Double(Self.height - Self.bottom), "#ddd")
            marks += text(x(place), Double(Self.height - Self.bottom + 18), "\(second) s", "middle")
        }
        // A second is a level, from its beginning to its end.
        var points: [(Double, Double)] = []
        var from = 0.0
        for (sample, length) in zip(samples, lengths) {
            points += [(x(from), y(perSecond(sample))), (x(from + length), y(perSecond(sample)))]
            from += length
        }
        return svg(marks + polyline(points, "#1b6ca8"), "seconds of the measurement")
    }

    /// How many steps an axis from zero has.
    private static let steps = 4

    /// One, two, 2.5 or five of a power of ten, so that ``steps`` of them reach the value; at least one.
    static func step(of most: Double) -> Double {
        let wanted = max(1, most / Double(steps))
        let power = Self.power(Int(log10(wanted)))
        // Halves of accounts are none.
        let choices: [Double] = power >= 10 ? [1, 2, 2.5, 5, 10] : [1, 2, 5, 10]
        return (choices.first { $0 * power >= wanted } ?? 10) * power
    }

    // MARK: - Pieces

    /// - Parameter caption: of the axis below.
    private func svg(_ marks: String, _ caption: String) -> String {
        let centre = Double(Self.left + Self.width - Self.right) / 2
        return "<svg viewBox=\"0 0 \(Self.width) \(Self.height)\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">"
            + marks + text(centre, Double(Self.height - 10), caption, "middle") + "</svg>"
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
