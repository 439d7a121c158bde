// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// Rounded down.
    package var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// `took 2.4 s`.
    package var words: String { "took \(wholeMilliseconds / 1_000).\(wholeMilliseconds % 1_000 / 100) s" }
}
