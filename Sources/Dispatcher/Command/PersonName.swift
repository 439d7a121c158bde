// SPDX-License-Identifier: Apache-2.0

/// Who somebody is by the name that was typed for `--by`, where two persons have to agree.
package enum PersonName {
    static let lengthMax = 80

    /// What stands where a command is run without `--by`: whoever sat there. It is no second person, and no first one.
    package static let unnamed = "operator"

    /// The text without what nobody reads in it: upper case, blanks, marks that have no width; wide letters are narrow ones.
    /// `Ana Ruiz`, `ana  ruiz ` and `ANARUIZ` are one person. Empty where there is nothing to read.
    static func folded(_ name: String) -> String {
        var letters = ""
        for scalar in name.unicodeScalars {
            let properties = scalar.properties
            guard !properties.isWhitespace, !properties.isDefaultIgnorableCodePoint, scalar.value >= 0x20,
                scalar.value != 0x7F
            else { continue }
            letters += narrow(scalar).properties.lowercaseMapping
        }
        return letters
    }

    /// Letters, accents and digits say who it is: `Ana.Ruiz` and `Ana Ruiz` are one person, `Peña` and `Pena` are two.
    static func isSame(_ one: String, _ other: String) -> Bool { key(one) == key(other) }

    private static func key(_ name: String) -> String {
        let folded = folded(name)
        let kept = String(String.UnicodeScalarView(folded.unicodeScalars.filter { !isPunctuation($0) }))
        return kept.isEmpty ? folded : kept
    }

    /// The first character that no name has here: letters of another script look like Latin ones, and would make two persons of one.
    ///
    /// Names have Latin letters with or without accents, digits, blanks and what ASCII has besides.
    static func foreign(in name: String) -> Unicode.Scalar? {
        var former: Unicode.Scalar?
        for scalar in name.unicodeScalars {
            let properties = scalar.properties
            if properties.isWhitespace || properties.isDefaultIgnorableCodePoint { continue }
            let isFine =
                isLatin(narrow(scalar)) || accents.contains(scalar.value) && (former.map(isLetterOfASCII) ?? false)
            guard isFine else { return scalar }
            former = narrow(scalar)
        }
        return nil
    }

    /// The ASCII of a full-width form.
    private static func narrow(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        (0xFF01...0xFF5E).contains(scalar.value) ? Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar : scalar
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        scalar == apostrophe || scalar.isASCII && !isLetterOfASCII(scalar) && !("0"..."9").contains(scalar)
    }

    private static func isLetterOfASCII(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func isLatin(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x80: true
        // Letters with accents, but for those that look like one without, or like two: a dotless i, a long s, ligatures.
        case 0xC0...0xFF: scalar.value != 0xD7 && scalar.value != 0xF7
        case 0x100...0x17F: ![0x130, 0x131, 0x132, 0x133, 0x138, 0x13F, 0x140, 0x149, 0x17F].contains(scalar.value)
        case 0x218...0x21B, 0x1E00...0x1E99, 0x1EA0...0x1EF9: true
        default: scalar == apostrophe
        }
    }

    private static let apostrophe: Unicode.Scalar = "\u{2019}"
    /// Accents that stand behind their letter as marks of their own; a dot above an i would not be seen.
    private static let accents: Set<UInt32> = [
        0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x308, 0x30A, 0x30B, 0x30C, 0x327, 0x328,
    ]

    /// Each person once, as first written.
    static func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert(key($0)).inserted }
    }
}
