// SPDX-License-Identifier: Apache-2.0

/// Fields as one text, in the order of their keys, each written as the protocol writes it: a tenth of the memory of a dictionary, and a
/// line of a state folder as it stands.
struct FieldText: Hashable {
    let text: String

    /// - Parameter text: fields that follow the grammar; what comes after the first that does not is left out.
    init(_ text: String) { self.text = text }

    init(_ fields: [String: String]) {
        var line: [UInt8] = []
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            if !line.isEmpty { line.append(.space) }
            line.append(contentsOf: key.utf8)
            line.append(.equals)
            line.append(value: value)
        }
        text = String(decoding: line, as: UTF8.self)
    }

    var dictionary: [String: String] {
        (try? ReplyFields(FieldScanner(Array(text.utf8)[...])))?.dictionary ?? [:]
    }
}

extension AgentRequest {
    /// The fields as they are sent, without verb and tag.
    var fieldText: String {
        var line: [UInt8] = []
        write(Tag(number: 0), to: &line)
        // The tag is one byte, and so are the two spaces and the terminator.
        return String(decoding: line.dropFirst(3 + verb.name.utf8.count).dropLast(), as: UTF8.self)
    }
}
