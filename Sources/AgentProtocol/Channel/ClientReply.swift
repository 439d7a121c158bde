// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A reply as a client reads it: any fields, known or not, so that a newer server does no harm.
package struct ClientReply: Equatable, Sendable {
    package let data: [ReplyFields]
    package let isOK: Bool
    /// The token after `NO`; empty on `OK`.
    package let codeText: String
    package let fields: ReplyFields

    /// `nil` on `OK`, and for a code that this client does not know; the class is told all the same.
    package var code: ReplyCode? { ReplyCode(rawValue: codeText) }
    package var replyClass: ReplyClass? { fields["class"].flatMap(ReplyClass.init(rawValue:)) }
    package var afterSeconds: Int64? { fields.number("after") }

    /// The whole reply without its tag: equal for a request and its repetition.
    package var text: String {
        (data.map { "- \($0.text)" } + [(isOK ? "OK " : "NO \(codeText) ") + fields.text]).joined(separator: "\n")
    }

    /// The accounts of a `LEASE`; lines that do not read as such are left out.
    package var leasedAccounts: [LeasedAccount] { data.compactMap(LeasedAccount.init) }
    /// The final line of a `LEASE`; `nil` where this is none.
    package var leaseSummary: LeaseSummary? { isOK ? LeaseSummary(fields) : nil }
    /// The data lines of a `RESUME`.
    package var heldAccounts: [HeldAccount] { data.compactMap(HeldAccount.init) }
}

/// The fields of one line.
package struct ReplyFields: Equatable, Sendable {
    private let line: [UInt8]
    private let fields: [RawField]

    init(_ scanner: FieldScanner) throws(SyntaxError) {
        // Copied, because the fields outlive the buffer; without the tag, so that equal replies are equal.
        var scanner = scanner
        let rest = scanner.rest
        let offset = rest.startIndex
        var fields: [RawField] = []
        while let field = try scanner.field() {
            fields.append(
                RawField(
                    key: field.key.lowerBound - offset..<field.key.upperBound - offset,
                    value: field.value.lowerBound - offset..<field.value.upperBound - offset,
                    isEscaped: field.isEscaped))
        }
        self.line = Array(rest)
        self.fields = fields
    }

    /// The fields as they stood on the wire, without what came before them.
    package var text: String { fields.first.map { String(decoding: line[$0.key.lowerBound...], as: UTF8.self) } ?? "" }

    /// Every field by its key.
    package var dictionary: [String: String] {
        var values: [String: String] = [:]
        for field in fields {
            values[String(decoding: line[field.key], as: UTF8.self)] = String(
                decoding: line[...].unescaped(field), as: UTF8.self)
        }
        return values
    }

    package subscript(key: String) -> String? { bytes(key).map { String(decoding: $0, as: UTF8.self) } }
    package func number(_ key: String) -> Int64? { bytes(key).flatMap(Int64.init(wire:)) }
    package func timestamp(_ key: String) -> Timestamp? { bytes(key).flatMap(Timestamp.init(wire:)) }

    func value<Value: WireValue>(_ key: String) -> Value? { bytes(key).flatMap(Value.init(wire:)) }

    private func bytes(_ key: String) -> ArraySlice<UInt8>? {
        guard let field = fields.first(where: { line[$0.key].elementsEqual(key.utf8) }) else { return nil }
        return line[...].unescaped(field)
    }
}

extension LeasedAccount {
    fileprivate init?(_ fields: ReplyFields) {
        guard let account: AccountID = fields.value("account"), let epoch: Epoch = fields.value("epoch"),
            let band = fields["band"], let due: Cents = fields.value("due"),
            let overdue: Cents = fields.value("overdue"), let reference = fields["reference"],
            let window = fields["window"]
        else { return nil }
        self.init(
            account: account, epoch: epoch, tactic: fields["tactic"], band: band, due: due, overdue: overdue,
            reference: reference, window: window, next: fields["next"])
    }
}

extension LeaseSummary {
    fileprivate init?(_ fields: ReplyFields) {
        guard fields.number("granted") != nil, let left = fields.number("left"),
            let stop = fields["stop"].flatMap(PullStop.init(rawValue:))
        else { return nil }
        self.init(
            grant: fields.value("grant"), contract: fields.value("contract"), portfolio: fields.value("portfolio"),
            term: fields.timestamp("term"), ceiling: fields.timestamp("ceiling"),
            workBy: fields.timestamp("work-by"), graceSeconds: fields.number("grace"), left: left, stop: stop,
            after: fields.number("after"))
    }
}

extension HeldAccount {
    fileprivate init?(_ fields: ReplyFields) {
        guard let delegation: Delegation = fields.value("delegation"), let account: AccountID = fields.value("account"),
            let epoch: Epoch = fields.value("epoch"), let grant: GrantID = fields.value("grant"),
            let term = fields.timestamp("term")
        else { return nil }
        self.init(
            delegation: delegation, account: account, epoch: epoch, grant: grant, term: term,
            news: HeldNews.keys.compactMap { key in fields[key.text].map { ReplyField(key, $0) } })
    }
}
