// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The words of one line: a kind, then `key=value`.
struct LogFields {
    let kind: Substring
    private var values: [Substring: Substring] = [:]

    init(_ line: Substring) {
        let words = line.split(separator: " ")
        kind = words.first ?? ""
        for word in words.dropFirst() {
            guard let equals = word.firstIndex(of: "=") else { continue }
            values[word[..<equals]] = word[word.index(after: equals)...]
        }
    }

    subscript(_ key: Substring) -> Substring? { values[key] }
    var grant: GrantID? { self["grant"].flatMap { GrantID(text: $0) } }
    func instant(_ key: Substring) -> Timestamp? { self[key].flatMap { Timestamp(text: $0) } }
    var held: Held? {
        guard let account = self["account"].flatMap({ AccountID(text: $0) }),
            let epoch = self["epoch"].flatMap({ Epoch(text: $0) })
        else { return nil }
        return Held(account: account, epoch: epoch)
    }

    func number(_ key: Substring) -> Int64? { self[key].flatMap { Int64(canonicalDigits: $0) } }

    static func pair(_ text: Substring) -> Held? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let account = AccountID(text: parts[0]), let epoch = Epoch(text: parts[1]) else {
            return nil
        }
        return Held(account: account, epoch: epoch)
    }
}
