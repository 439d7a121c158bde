// SPDX-License-Identifier: Apache-2.0

/// Numbers that are drawn by their weights: `1` is always one, `1:80,100:20` is a hundred in one draw of five.
package struct LoadMix: Equatable, Sendable, CustomStringConvertible {
    package let description: String
    private let values: [Int]
    private let weights: [Int]

    package init(_ value: Int) {
        description = "\(value)"
        values = [value]
        weights = [1]
    }

    /// - Parameter range: what every value lies in.
    /// - Returns: `nil` where the text is no mix, or has a value outside.
    package init?(text: String, in range: ClosedRange<Int>) {
        var values: [Int] = []
        var weights: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: ":", omittingEmptySubsequences: false)
            guard words.count <= 2, let value = words.first.flatMap({ Int($0) }), range.contains(value),
                let weight = words.count == 2 ? Int(words[1]) : 1, (1...1_000_000).contains(weight)
            else { return nil }
            values.append(value)
            weights.append(weight)
        }
        guard !values.isEmpty else { return nil }
        self.values = values
        self.weights = weights
        description = text
    }

    package var max: Int { values.max() ?? 0 }

    package func draw(_ random: inout SplitMix64) -> Int {
        values.count == 1 ? values[0] : values[random.index(weights: weights)]
    }
}
