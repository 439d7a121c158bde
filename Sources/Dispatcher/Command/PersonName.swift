// SPDX-License-Identifier: Apache-2.0

/// Who somebody is by the name that was typed for `--by`, where two persons have to agree.
package enum PersonName {
    static let lengthMax = 80

    /// What stands where a command is run without `--by`: whoever sat there. It is no second person, and no first one.
    package static let unnamed = "operator"

    /// The name without what a person does not read in it: upper case, blanks, marks that have no width.
    /// `Ana Ruiz`, `ana  ruiz ` and `ANARUIZ` are one person.
    static func folded(_ name: String) -> String {
        var letters = ""
        for scalar in name.unicodeScalars {
            let properties = scalar.properties
            guard !properties.isWhitespace, !properties.isDefaultIgnorableCodePoint, scalar.value >= 0x20,
                scalar.value != 0x7F
            else { continue }
            letters += properties.lowercaseMapping
        }
        return letters
    }

    static func isSame(_ one: String, _ other: String) -> Bool { folded(one) == folded(other) }

    /// Each person once, as first written.
    static func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert(folded($0)).inserted }
    }
}
