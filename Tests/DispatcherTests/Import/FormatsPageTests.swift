// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import FoundationEssentials
import TestSupport
import Testing

struct FormatsPageTests {
    @Test func `the page of formats says what the code reads`() throws {
        let page = try String(
            decoding: Data(contentsOf: URL(filePath: "\(Checkout.root)/docs/formats.md")), as: UTF8.self)
        let written = page.firstRange(of: "## zones").map { String(page[$0.lowerBound...]) }

        #expect(written == FormatsPage.sections, "put what `dispatcherd formats` prints in their place")
    }

    @Test(arguments: TableFormat.all.map(\.name)) func `examples are good values of their columns`(name: String) throws
    {
        let format = try #require(TableFormat.all.first { $0.name == name })
        let header = format.columns.map(\.name).joined(separator: ",")
        let row = format.columns.map(\.example).joined(separator: ",")

        #expect(try Table(format, "\(header)\n\(row)\n").bad.isEmpty)
    }
}

struct Base64Tests {
    @Test(
        arguments: [
            ("", []), ("Zg==", Array("f".utf8)), ("Zm8=", Array("fo".utf8)), ("Zm9v", Array("foo".utf8)),
            ("Zm9vYmE=", Array("fooba".utf8)), ("+/8=", [0xFB, 0xFF]),
        ] as [(String, [UInt8])])
    func `bytes come back from their text`(text: String, bytes: [UInt8]) {
        #expect(Base64.bytes(text) == bytes)
        #expect(Base64.text(bytes) == text)
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9", "Zg==Zg==", "Zm9v\n"])
    func `another spelling is no Base64`(text: String) {
        #expect(Base64.bytes(text) == nil)
    }
}
