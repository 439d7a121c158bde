// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOTestUtils
import Testing

@testable import AgentProtocol

struct LineFramerTests {
    @Test(arguments: [1, 2, 3, 7, 100])
    func `lines are the same in whatever pieces they come`(size: Int) throws {
        let stream = bytes("a1 PING\r\n\na2 BYE name=\"José\"\ntail")

        #expect(try lines(of: stream, in: size, lineMax: 64) == ["a1 PING", "", "a2 BYE name=\"José\""])
    }

    @Test(arguments: [1, 3, 100], ["\n", "\r\n"])
    func `a line may be as long as the bound, its terminator not counted`(size: Int, terminator: String) throws {
        let line = String(repeating: "x", count: 16)

        #expect(try lines(of: bytes(line + terminator), in: size, lineMax: 16) == [line])
    }

    @Test(arguments: [1, 3, 100], ["\n", "\r\n", "", "xxxx"])
    func `a line above the bound is refused, ended or not`(size: Int, tail: String) {
        let stream = bytes(String(repeating: "x", count: 17) + tail)

        #expect(throws: FramingError.lineTooLong) { try lines(of: stream, in: size, lineMax: 16) }
    }

    @Test func `a piece that makes the line too long is refused before it is kept`() throws {
        var framer = LineFramer(lineMax: 16)
        try framer.append(bytes("0123456789"))
        #expect(try framer.nextLine() == nil)

        #expect(throws: FramingError.lineTooLong) { try framer.append(bytes("0123456789")) }
        #expect(framer.pendingBytes == 10)
    }

    @Test(arguments: ["a\rb\n", "a\r\r\n", "a\u{0}\n", "a\tb\n", "a\u{7F}\n", "a\u{85}b\n"])
    func `control characters end the stream`(stream: String) {
        #expect(throws: FramingError.controlCharacter) { try lines(of: bytes(stream), in: 100, lineMax: 16) }
    }

    @Test(arguments: [[0xC3], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func `what is not UTF-8 ends the stream`(broken: [UInt8]) {
        #expect(throws: FramingError.invalidUTF8) { try lines(of: broken + [0x0A], in: 100, lineMax: 16) }
    }

    /// Whole, byte by byte, and many at once: NIO's own verifier.
    @Test func `NIO's decoder cuts the same lines, however they come`() throws {
        try ByteToMessageDecoderVerifier.verifyDecoder(
            stringInputOutputPairs: [
                ("a1 PING\r\n", [bytes("a1 PING")]), ("\n", [[]]), ("a2 BYE\n\r\n", [bytes("a2 BYE"), []]),
                ("a3 - name=\"José\"\n", [bytes("a3 - name=\"José\"")]),
                (String(repeating: "x", count: 64) + "\r\n", [[UInt8](repeating: 0x78, count: 64)]),
            ], decoderFactory: { LineDecoder(lineMax: 64) })
    }

    /// Bytes behind a line wait for its end; with the stream they are no line.
    @Test(arguments: [1, 5, 100])
    func `what trails behind a line is a line once it ends, and none when the stream does`(size: Int) throws {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(lineMax: 16)))
        let stream = bytes("a1 PING\na2 PI")
        for start in Swift.stride(from: 0, to: stream.count, by: size) {
            try channel.writeInbound(ByteBuffer(bytes: stream[start..<min(start + size, stream.count)]))
        }
        #expect(try channel.readInbound(as: [UInt8].self) == bytes("a1 PING"))
        #expect(try channel.readInbound(as: [UInt8].self) == nil)
        try channel.writeInbound(ByteBuffer(string: "NG\na3"))
        #expect(try channel.readInbound(as: [UInt8].self) == bytes("a2 PING"))
        #expect(try channel.finish().isClean)
    }

    @Test(arguments: [1, 3, 100], ["xxxxxxxxxxxxxxxxx\n", "xxxxxxxxxxxxxxxxx", "a\tb\n"])
    func `NIO's decoder refuses what the framer refuses`(size: Int, stream: String) throws {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(LineDecoder(lineMax: 16)))
        #expect(throws: FramingError.self) {
            for byte in Swift.stride(from: 0, to: stream.utf8.count, by: size) {
                try channel.writeInbound(ByteBuffer(bytes: bytes(stream)[byte..<min(byte + size, stream.utf8.count)]))
            }
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `nothing is kept once every line was taken`() throws {
        var framer = LineFramer(lineMax: 16)
        try framer.append(bytes("a1 PING\n"))
        #expect(try framer.nextLine() != nil)
        #expect(try framer.nextLine() == nil)

        #expect(framer.pendingBytes == 0)
    }

    private func lines(of stream: [UInt8], in size: Int, lineMax: Int) throws -> [String] {
        var framer = LineFramer(lineMax: lineMax)
        var found: [String] = []
        for start in Swift.stride(from: 0, to: stream.count, by: size) {
            try framer.append(Array(stream[start..<min(start + size, stream.count)]))
            while let line = try framer.nextLine() { found.append(text(Array(line))) }
        }
        return found
    }
}
