// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

struct TableTests {
    @Test(arguments: [
        ("a,b\n1,2\n", "2"), ("\u{FEFF}a,b\r\n1,\"2\"\r\n", "2"), ("a,b\n1,\"x,\"\"y\"\"\nz\"", "x,\"y\"\nz"),
        ("b,a\n2,1\n\n", "2"),
    ])
    func `fields are read by RFC 4180, in any order of columns`(text: String, expected: String) throws {
        let table = try Table(text: text, path: "t.csv", required: ["a", "b"])

        #expect(table.rows.map { table.text($0, "b") } == [expected])
    }

    @Test(arguments: ["", "a,c\n1,2\n", "a,b\n1\n"])
    func `a missing column or field is refused`(text: String) {
        #expect(throws: SimulationFailure.self) { try Table(text: text, path: "t.csv", required: ["a", "b"]) }
    }
}
