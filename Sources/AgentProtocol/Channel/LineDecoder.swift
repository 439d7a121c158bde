// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The framing of the protocol as one of NIO's decoders: the client reads its lines through it.
///
/// The server's session frames by itself (``LineFramer``): lines that it may not start yet stay unread, and a decoder of a
/// pipeline hands over every line that has come. Both look for lines with the same ``LineScan``.
struct LineDecoder: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = [UInt8]

    private let lineMax: Int
    private var scan = LineScan()

    /// - Parameter lineMax: the greatest length of a line in bytes, its terminator not counted.
    init(lineMax: Int) { self.lineMax = lineMax }

    mutating func decode(buffer: inout ByteBuffer) throws -> [UInt8]? {
        guard let length = try scan.next(in: buffer.readableBytesView, lineMax: lineMax) else { return nil }
        let line = Array(buffer.readableBytesView.prefix(length.line))
        buffer.moveReaderIndex(forwardBy: length.total)
        return line
    }

    /// What the stream ends with and no terminator follows is no line.
    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> [UInt8]? { try decode(buffer: &buffer) }
}
