// SPDX-License-Identifier: Apache-2.0

/// A text of at most ``bytesMax`` bytes that is kept in place. Millions of rows can be moved without a reference being
/// counted for each of them.
package struct ShortText: Hashable, Sendable {
    /// Bytes of UTF-8: more than a tactic's name or a payment reference may have.
    package static let bytesMax = 47

    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    private var fourth: UInt64 = 0
    private var fifth: UInt64 = 0
    /// Its last byte is the length.
    private var sixth: UInt64 = 0

    /// - Precondition: the text has ``bytesMax`` bytes at most.
    package init(_ text: String) {
        var text = text
        self = text.withUTF8 { ShortText(UnsafeRawBufferPointer($0)) }
    }

    /// - Precondition: there are ``bytesMax`` bytes at most.
    init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= Self.bytesMax, "a text of \(bytes.count) bytes where \(Self.bytesMax) are the most")
        withUnsafeMutableBytes(of: &self) { room in
            room.copyMemory(from: bytes)
            room[Self.bytesMax] = UInt8(bytes.count)
        }
    }

    package var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

    func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        Swift.withUnsafeBytes(of: self) { room in
            body(UnsafeRawBufferPointer(rebasing: room[..<Int(room[Self.bytesMax])]))
        }
    }
}
