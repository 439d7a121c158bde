// SPDX-License-Identifier: Apache-2.0

import Dispatcher
import Testing

struct ImportRequestTests {
    @Test(arguments: [
        ("reviews", "Reviews are taken in with 'dispatcherd review import nope.csv'."),
        ("keys", "Keys are taken in with 'dispatcherd agency key add --file nope.csv'."),
        ("payment", "Did you mean payments?"),
    ])
    func `a kind that is none is answered with the way to go`(kind: String, remedy: String) {
        let failure = #expect(throws: CommandFailure.self) {
            try ImportRequest(
                kind: kind, file: "nope.csv", period: "2024-03", isDryRun: false, acceptsGood: false, badRowsPath: nil)
        }

        #expect(failure?.exit == .usage)
        #expect(failure?.remedy.hasPrefix(remedy) == true)
    }

    @Test func `the help names each kind with what it is for, its columns, and when it is taken`() throws {
        let lines = ImportRequest.help.split(separator: "\n").map(String.init)
        for kind in ImportRequest.kinds { #expect(lines.count { $0.hasPrefix("\(kind): ") } == 1) }
        let opening = try #require(lines.firstIndex { $0.hasPrefix("opening: ") })
        #expect(lines[opening].contains("before the first plan"))
        #expect(lines[opening + 1].hasPrefix("  kind, [account], delegation, [contract], [agency]"))
        let starts = try #require(lines.first { $0.hasPrefix("starts: ") })
        #expect(starts.contains("once its plan is applied"))
        // Of wide files the first columns.
        let cut = try #require(lines.firstIndex { $0.hasPrefix("cut: ") })
        #expect(lines[cut + 1].hasSuffix(", …") && lines[cut + 1].split(separator: ",").count == 13)
    }

    @Test func `a file of keys that is not there is found missing before a database is looked for`() {
        let failure = #expect(throws: CommandFailure.self) { try AgencyKeyCommands.requireFile("/nowhere/nope.csv") }

        #expect(failure?.exit == .usage)
        #expect(failure?.found == "there is no file /nowhere/nope.csv")
    }
}
