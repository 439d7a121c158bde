// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Testing

/// What a person types into the shell.
struct TypedRequestTests {
    @Test func `a key is added where a verb needs one, and a typed one stays`() throws {
        #expect(
            try TypedRequest("RETURN delegation=14 account=1 epoch=1 reason=other", key: 7).text
                == "RETURN delegation=14 account=1 epoch=1 reason=other key=7")
        #expect(
            try TypedRequest("RETURN key=3 delegation=14 account=1 epoch=1 reason=other", key: 7).text.contains(
                "key=3 "))
        #expect(try TypedRequest("PING", key: 7).text == "PING")
    }

    @Test(arguments: [
        ("LEESE", ReplyCode.unknownVerb), ("LEASE delegation=14", .missingKey), ("PING x=1", .unknownKey),
        ("HELD max=x", .badValue), ("HELD  max=1", .syntax),
    ])
    func `what no line may be is refused as the server would`(line: String, code: ReplyCode) {
        let refusal = #expect(throws: Refusal.self) { try TypedRequest(line, key: 1) }

        #expect(refusal?.code == code)
    }

    @Test(
        arguments: [
            ("LE", ["LEASE"]), ("le", ["LEASE"]), ("h", ["HELD", "help"]), ("H", ["HELD"]),
            ("help re", ["REPORT", "RETURN", "RESUME"]), ("RE", ["REPORT", "RETURN", "RESUME"]),
            ("LEASE str", ["strategy="]),
            ("LEASE strategy=d", ["strategy=dual"]), ("RETURN reason=o", ["reason=out-of-territory", "reason=other"]),
            ("OBJECT reason=o", ["reason=other"]), ("HELD delegation=14 d", []), ("NOSUCH k", []),
            ("QUIET state=", ["state=on", "state=off"]),
        ] as [(String, [String])])
    func `verbs, keys that are not there yet and words are completed`(line: String, words: [String]) {
        #expect(TypedRequest.completions(of: line) == words)
    }

    @Test(arguments: [
        ("FORGET", "FORGET"), ("a\u{1B}[2Jb", "a[2Jb"),
        (String(repeating: "x", count: 900), String(repeating: "x", count: 40)),
    ])
    func `a word that is no verb is named with those that are, and shown so that it does no harm`(
        word: String, shown: String
    ) {
        let names = TypedRequest.verbs.map(\.name).joined(separator: " ")
        #expect(TypedRequest.noVerb(word) == "there is no verb \(shown); there are \(names)")
        #expect(names.hasPrefix("LEASE CONTACT REPORT ") && names.hasSuffix(" PING BYE"))
    }

    @Test func `help knows every verb of a session with its keys and their words`() {
        #expect(TypedRequest.verbs.allSatisfy { TypedRequest.help($0.name) != nil })
        #expect(TypedRequest.verbs.count == 13)
        #expect(
            TypedRequest.help("quiet") == [
                "QUIET delegation strategy state", "  strategy= preventive administrative dual mediation",
                "  state= on off",
            ])
        #expect(TypedRequest.help("OBJECT")?.first == "OBJECT [key] delegation account epoch reason")
        #expect(TypedRequest.help("HELLO") == nil)
    }
}
