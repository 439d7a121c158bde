// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import TestSupport
import Testing

/// The tables and the grammar of docs/protocol.md, executed. Its transcripts are played against a node, with a database.
struct DocumentTests {
    static let document = ProtocolDocument()

    @Test func `every verb is asked for in a transcript, and answered OK in one`() {
        let lines = Self.document.transcripts.map { $0.map { $0.split(separator: " ").map(String.init) } }
        var asked: Set<String> = []
        for transcript in lines {
            var verbs: [String: String] = [:]
            for words in transcript where words.count > 2 {
                if words[0] == ">" { verbs[words[1]] = words[2] }
                if words[0] == "<", words[2] == "OK", let verb = verbs[words[1]] { asked.insert(verb) }
            }
        }

        #expect(asked == Set(Verb.allCases.map(\.name)))
    }

    @Test func `every code and every push is said in a transcript`() {
        let said = Self.document.transcripts.flatMap(\.self).filter { $0.hasPrefix("<") }
            .map { $0.split(separator: " ").map(String.init) }
        let codes = said.filter { $0.count > 3 && $0[2] == "NO" }.map { $0[3] }
        let pushes = said.filter { $0[1] == "*" && $0[2] != "NO" && $0[2] != "REPARTO" }.map { $0[2] }

        #expect(Set(codes) == Set(ReplyCode.allCases.map(\.rawValue)))
        #expect(Set(pushes) == Set(Push.Name.allCases.map(\.rawValue)))
    }

    @Test func `every line of the transcripts follows the grammar of the document`() throws {
        let grammar = try Grammar(Self.document.blocks("abnf").flatMap(\.self))
        for line in Self.document.transcripts.flatMap(\.self) where line.hasPrefix("<") {
            let text = String(line.dropFirst(2))

            #expect(grammar.matches(text.hasPrefix("* ") ? "untagged" : "reply-line", text), "\(text)")
        }
        for line in Self.document.transcripts.flatMap(\.self) where line.hasPrefix(">") {
            let text = String(line.dropFirst(2))
            var test = TestSession.authenticated()
            test.send(text)
            let isRefused = test.lines.contains { line in
                line.contains(" NO FRAMING ") || (line.contains(" NO SYNTAX ") && !line.contains("each key once"))
            }

            #expect(grammar.matches("request", text) == !isRefused, "\(text)")
        }
    }

    @Test func `every push stands in the document`() {
        #expect(Self.document.table(under: "| push | tells").map { $0[0] } == Push.Name.allCases.map(\.rawValue))
    }

    @Test func `the message to be signed is the one that the document shows`() {
        let message = AuthenticationMessage(server: "mx-1", serverNonce: (0..<32).map(UInt8.init), hello: .example)

        #expect(HexBytes(message.bytes).description == Self.document.blocks("message").first?.joined())
    }

    @Test func `every verb stands in the document with its keys`() {
        let rows = Self.document.table(under: "| verb | keys it needs")
        let served = Verb.allCases

        #expect(rows.map { $0[0] } == served.map(\.name))
        #expect(rows.map { $0[1] } == served.map { $0.keys.required.map(\.name).joined(separator: " ") })
        #expect(rows.map { $0[2] } == served.map { $0.keys.optional.map(\.name).joined(separator: " ") })
    }

    @Test func `every key stands in the document with the verbs that have it`() {
        let rows = Self.document.table(under: "| key | of | is")

        #expect(rows.map { $0[0] } == RequestKey.allCases.map(\.name))
        for row in rows {
            let verbs = Verb.allCases.filter { verb in
                (verb.keys.required + verb.keys.optional).contains { $0.name == row[0] }
            }
            #expect(row[1] == verbs.map(\.name).joined(separator: " "), "\(row[0])")
        }
    }

    @Test func `every key of every verb is said in a transcript`() {
        let asked = Self.document.transcripts.flatMap(\.self).filter { $0.hasPrefix("> ") }
            .map { $0.split(separator: " ").dropFirst(2).map(String.init) }
        for verb in Verb.allCases {
            var said: Set<String> = []
            for words in asked where words.first == verb.name {
                for word in words.dropFirst() { said.insert(String(word.prefix { $0 != "=" })) }
            }
            for key in verb.keys.required + verb.keys.optional {
                #expect(said.contains(key.name), "\(verb.name) \(key.name)")
            }
        }
    }

    @Test func `every result stands in the document with the details that it takes`() {
        let rows = Self.document.table(under: "| result | takes")
        let told = rows.flatMap { row in row[0].split(separator: " ").map { (String($0), row[1]) } }

        #expect(told.map(\.0).sorted() == OutcomeResult.allCases.map(\.rawValue).sorted())
        for (word, details) in told {
            let result = OutcomeResult(rawValue: word)
            let takes = OutcomeNecessity.allCases.filter { result?.details.contains($0) ?? false }
            #expect(details == takes.map(\.rawValue).joined(separator: " "), "\(word)")
        }
    }

    @Test func `every code stands in the document with its class`() {
        let rows = Self.document.table(under: "| code | class")

        #expect(rows.map { $0[0] } == ReplyCode.allCases.map(\.rawValue))
        #expect(rows.map { $0[1] } == ReplyCode.allCases.map(\.replyClass.rawValue))
    }

    private static let vocabulary = document.table(under: "| key | value | means")

    @Test func `every word of the vocabulary stands in the document with its meaning`() {
        let words =
            OutcomeChannel.allCases.map { "channel \($0.rawValue)" }
            + OutcomeContact.allCases.map { "contact \($0.rawValue)" }
            + OutcomeResult.allCases.map { "result \($0.rawValue)" }
            + ReturnReason.allCases.map { "reason of RETURN \($0.rawValue)" }
            + ObjectionReason.allCases.map { "reason of OBJECT \($0.rawValue)" }

        #expect(Self.vocabulary.map { "\($0[0]) \($0[1])" } == words)
        #expect(Self.vocabulary.allSatisfy { $0.count == 3 && !$0[2].isEmpty })
        #expect(Self.document.table(under: "| stop | means").map { $0[0] } == PullStop.allCases.map(\.rawValue))
        #expect(Self.document.table(under: "| class | what to do").map { $0[0] } == ReplyClass.allCases.map(\.rawValue))
    }

    /// As the document has them, of a request that is otherwise right.
    private static func request(_ key: String, _ word: String) -> String {
        let lease = "key=1 delegation=14 account=1 epoch=1"
        if key.hasPrefix("reason of ") { return "x \(key.dropFirst(10)) \(lease) reason=\(word)" }
        let details = OutcomeResult(rawValue: word)?.necessities.map { detail in
            switch detail {
            case .amount: "amount=1.00"
            case .promised: "promised=2024-03-11"
            case .solution, .branch: "\(detail.rawValue)=some"
            }
        }
        var fields = ["channel": "sms", "contact": "none", "result": "no-answer"]
        fields[key] = word
        return "x REPORT \(lease) at=2024-03-04T08:42:10Z "
            + (fields.map { "\($0.key)=\($0.value)" } + (details ?? [])).joined(separator: " ")
    }

    @Test(arguments: Set(vocabulary.map { $0[0] }).sorted())
    func `each word of the document is taken, and another one is refused with those that the document has`(key: String)
    {
        let words = Self.vocabulary.filter { $0[0] == key }.map { $0[1] }
        for word in words {
            var test = TestSession.authenticated()
            test.send(Self.request(key, word))
            #expect(test.performed.count == 1, "\(word): \(test.lines)")
        }
        var test = TestSession.authenticated()
        test.send(Self.request(key, "nonsense"))
        let field = key.hasPrefix("reason") ? "reason" : key
        #expect(
            test.lines == [
                "x NO BAD-VALUE class=fix field=\(field) expected=\"\(words.joined(separator: " | "))\""
            ])
    }

    /// The line of a request with a value of one of the keys that have bounds.
    private static func bounded(_ key: String, _ value: String) -> String {
        if key == "until" { return "x EXTEND key=1 delegation=14 grant=1 until=\(value)" }
        var fields = [
            "channel": "visit", "contact": "direct", "result": "payment-announced", "at": "1900-01-01T12:00:00Z",
        ]
        fields[key] = value
        return "x REPORT key=1 delegation=14 account=1 epoch=1 "
            + fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    private static let bounds = document.table(under: "| key | from | to | beyond them")

    @Test(arguments: bounds)
    func `both bounds of a key are taken, and beyond them it is refused with what the document expects`(row: [String]) {
        let (key, expected) = (row[0], row[4])
        for value in row[1...2] {
            var test = TestSession.authenticated()
            test.send(Self.bounded(key, value))
            #expect(test.performed.count == 1, "\(key)=\(value): \(test.lines)")
        }
        for value in row[3].split(separator: " ") {
            var test = TestSession.authenticated()
            test.send(Self.bounded(key, String(value)))
            #expect(test.lines == ["x NO BAD-VALUE class=fix field=\(key) expected=\"\(expected)\""], "\(value)")
        }
    }

    @Test func `what has bounds that its kind does not tell stands in the table of them`() {
        #expect(Self.bounds.map { $0[0] } == ["amount", "at", "position", "promised", "until"])
    }

    @Test func `the announced limits are the document's`() {
        let limits = SessionLimits()

        #expect(
            Self.document.table(under: "| limit | default").map { $0[1] } == [
                "\(limits.lineMaxBytes)", "\(limits.lineOpenMaxBytes)", "\(limits.batchMax)", "\(limits.window)",
                "\(limits.accountsWindow)", "\(limits.idle.components.seconds)",
            ])
    }

    @Test(arguments: Verb.allCases)
    func `each verb does in each state what the table says`(verb: Verb) throws {
        let row = try #require(Self.document.table(under: "| verb | greeting").first { $0[0] == verb.name })

        #expect(Array(row.dropFirst()) == TestSession.states.map { $0.outcome(of: verb) })
    }
}

extension TestSession {
    /// A session in each of the states of the table, in its order.
    fileprivate static var states: [TestSession] {
        let greeting = TestSession()
        var hello = greeting
        hello.send(Verb.hello.example)
        var authenticating = hello
        authenticating.answersAtOnce = false
        authenticating.send(Verb.auth.example)
        let authenticated = TestSession.authenticated()
        var draining = authenticated
        draining.drain()
        return [greeting, hello, authenticating, authenticated, draining]
    }

    fileprivate func outcome(of verb: Verb) -> String {
        var test = self
        _ = test.take()
        test.send(verb.example)
        guard let line = test.lines.first else { return "unread" }
        let words = line.split(separator: " ")
        let ownCodes = ["STATE", "TOO-EARLY", "UNSUPPORTED", "UNAVAILABLE"]
        return words[1] == "NO" && ownCodes.contains(String(words[2])) ? String(words[2]) : "served"
    }
}

extension Verb {
    fileprivate var example: String {
        switch self {
        case .hello:
            "x \(TestSession.hello)"
        case .auth: "x AUTH method=ed25519 proof=\(HexBytes(TestSession.proof))"
        case .lease: "x LEASE key=1 delegation=14 strategy=administrative max=2"
        case .report:
            "x REPORT key=1 delegation=14 account=1 epoch=1 at=2024-03-04T08:42:10Z channel=sms contact=none "
                + "result=no-answer"
        case .extend: "x EXTEND key=1 delegation=14 grant=4294967297 until=2024-03-04T08:42:10Z"
        case .giveBack: "x RETURN key=1 delegation=14 account=1 epoch=1 reason=other"
        case .resume: "x RESUME count=0 digest=00000000000000000000000000000000"
        case .object: "x OBJECT key=1 delegation=14 account=1 epoch=1 reason=other"
        case .contact: "x CONTACT delegation=14 account=1 epoch=1"
        case .explain: "x EXPLAIN delegation=14 strategy=dual"
        case .quiet: "x QUIET delegation=14 strategy=dual state=on"
        case .ping, .bye, .held, .status: "x \(name)"
        }
    }
}
