// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import FoundationEssentials
import TestSupport
import Testing

/// What a peer can send, through ``SessionProbe``: the fuzzer's corpus, and each line of the document, damaged.
struct FuzzCorpusTests {
    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        + "/FuzzCorpus"
    private static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []

    @Test func `the corpus is there`() { #expect(Self.names.count >= 10) }

    @Test(arguments: names) func `an input of the corpus breaks no promise`(name: String) throws {
        try SessionProbe.run(Array(try Data(contentsOf: URL(filePath: "\(Self.folder)/\(name)"))))
    }

    /// Signed in, in pieces of one byte, of seven and whole; each byte of each line in turn replaced or left out.
    @Test func `a line of the document with one byte changed breaks no promise`() throws {
        let lines = Set(
            ProtocolDocument().transcripts.flatMap(\.self).filter { $0.hasPrefix("> ") }.map { $0.dropFirst(2) })
        for line in lines.sorted() {
            let good = Array("\(line)\n".utf8)
            for place in stride(from: 0, to: good.count, by: 3) {
                for byte in [0x00, 0x0D, 0x20, 0x22, 0x3D, 0x5C, 0x80, 0xFF] as [UInt8] {
                    var bad = good
                    bad[place] = byte
                    try SessionProbe.run([UInt8(place % 3) << 2 | UInt8(place & 2) | 1] + bad + good)
                }
            }
        }
    }
}
