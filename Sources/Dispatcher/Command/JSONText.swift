// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// What `--json` prints: sorted names, so that two equal reports are equal texts.
package enum JSONText {
    package static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
