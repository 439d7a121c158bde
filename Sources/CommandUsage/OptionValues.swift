// SPDX-License-Identifier: Apache-2.0

/// Values of options that look like options.
package enum OptionValues {
    /// A number below zero behind an option is that option's value, and the command says what it takes instead: the parser by itself
    /// takes it for an option, and says that the value is missing.
    ///
    /// - Parameter words: of a command line, without the program's own.
    package static func joined(_ words: some Sequence<String>) -> [String] {
        var joined: [String] = []
        for word in words {
            if let option = joined.last, option.hasPrefix("--"), option.count > 2, !option.contains("="),
                isBelowZero(word)
            {
                joined[joined.count - 1] = "\(option)=\(word)"
            } else {
                joined.append(word)
            }
        }
        return joined
    }

    private static func isBelowZero(_ word: String) -> Bool {
        word.hasPrefix("-") && Double(word) != nil && word.dropFirst().first?.isNumber == true
    }
}
