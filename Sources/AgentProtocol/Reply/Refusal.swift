// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A request's end in `NO`. Its class follows from its code.
package struct Refusal: Error, Equatable, Sendable {
    package let code: ReplyCode
    /// Seconds after which asking again makes sense; only with class `retry`.
    package let after: Int64?
    package let fields: [ReplyField]

    package init(_ code: ReplyCode, after: Int64? = nil, _ fields: [ReplyField] = []) {
        self.code = code
        self.after = after
        self.fields = fields
    }

    /// ` NO CODE class=…` and what belongs to it.
    func write(to output: inout [UInt8]) {
        output.append(text: " NO ")
        output.append(contentsOf: code.rawValue.utf8)
        output.append(field: "class", text: code.replyClass.rawValue)
        output.append(field: "after", after)
        for field in fields { field.write(to: &output) }
    }
}

/// One more field of a refusal.
package struct ReplyField: Equatable, Sendable {
    package let key: StaticKey
    package let value: String

    package init(_ key: StaticKey, _ value: String) {
        self.key = key
        self.value = value
    }

    package init(_ key: StaticKey, _ value: Int64) { self.init(key, String(value)) }
    package init(_ key: StaticKey, _ value: Timestamp) { self.init(key, value.description) }
    package init(_ key: StaticKey, _ value: Cents) { self.init(key, value.description) }
    package init(_ key: StaticKey, _ value: Delegation) { self.init(key, Int64(value.value)) }
    package init(_ key: StaticKey, _ value: AccountID) { self.init(key, value.value) }
    package init(_ key: StaticKey, _ value: Epoch) { self.init(key, value.value) }
    package init(_ key: StaticKey, _ value: GrantID) { self.init(key, value.number) }
    package init(_ key: StaticKey, _ value: ContractID) { self.init(key, Int64(value.value)) }
    package init(_ key: StaticKey, _ value: Strategy) { self.init(key, value.name) }
    package init(_ key: StaticKey, _ value: Portfolio) { self.init(key, value.name) }
    package init(_ key: StaticKey, _ value: LocalDate) { self.init(key, value.description) }
    package init(_ key: StaticKey, _ value: HeldPlace) { self.init(key, wire: value) }
    package init(_ key: StaticKey, _ value: HeldCursor) { self.init(key, wire: value) }
    package init(_ key: StaticKey, bytes: [UInt8]) { self.init(key, HexBytes(bytes).description) }
    package init(_ key: StaticKey, _ value: Bool) { self.init(key, value ? "yes" : "no") }

    private init(_ key: StaticKey, wire value: some WireValue) {
        var bytes: [UInt8] = []
        value.write(to: &bytes)
        self.init(key, String(decoding: bytes, as: UTF8.self))
    }

    func write(to output: inout [UInt8]) {
        output.append(.space)
        output.append(contentsOf: key.text.utf8)
        output.append(.equals)
        output.append(value: value)
    }
}

/// A key of a reply: always written in the source, never taken from data.
package struct StaticKey: Equatable, Sendable, ExpressibleByStringLiteral {
    package let text: String
    package init(stringLiteral text: StaticString) { self.text = text.description }
}
