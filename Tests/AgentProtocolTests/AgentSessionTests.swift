// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment
import Testing

struct AgentSessionTests {
    @Test func `everything can be sent in one go, and is answered`() {
        var test = TestSession()
        test.receive(
            bytes(
                "a1 \(TestSession.hello)\n"
                    + "a2 AUTH method=ed25519 proof=\(HexBytes(TestSession.proof))\na3 PING\na4 BYE\n"))

        #expect(
            test.lines.dropFirst() == [
                "a1 OK session=9f2c41d7", "a2 OK held=0 contracts=2", "a3 OK time=2024-03-04T15:00:00.000Z", "a4 OK",
            ])
        #expect(test.isClosed)
    }

    @Test func `the line bound is raised by authentication and not before`() {
        let long = "x PING a=\(String(repeating: "b", count: 2_000))\n"
        var before = TestSession()
        before.receive(bytes(long))
        var after = TestSession.authenticated()
        after.receive(bytes(long))

        #expect(before.lines.last == "* NO FRAMING class=fatal reason=line-too-long")
        #expect(before.isClosed)
        #expect(after.lines == ["x NO UNKNOWN-KEY class=fix field=a"])
    }

    @Test(arguments: [1_024, 1_025])
    func `a line before authentication may have 1024 bytes`(length: Int) {
        var test = TestSession()
        let start = "x PING a="
        test.send(start + String(repeating: "b", count: length - start.utf8.count))

        #expect(test.isClosed == (length > 1_024))
    }

    @Test func `a version that is not spoken is refused cleanly`() {
        var test = TestSession()
        _ = test.take()
        test.send("a1 HELLO version=2 agency=ACE07 instance=i sequence=1 nonce=\(HexBytes(HelloRequest.example.nonce))")

        #expect(test.lines == ["a1 NO VERSION class=fatal versions=1"])
        #expect(test.isClosed)
    }

    @Test(arguments: [
        ("-x- LEASE", false), ("x_y PING", true), (" PING", true), ("", true), ("x ", false), ("x PING ", false),
        ("- PING", true),
    ])
    func `a line whose tag cannot be read ends the session`(line: String, isClosed: Bool) {
        var test = TestSession.authenticated()
        test.send(line)

        #expect(test.isClosed == isClosed)
        #expect(test.lines.count == 1)
    }

    @Test func `a tag that waits for its reply cannot be used again`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.send("x LEASE key=1 delegation=14 strategy=dual max=1")
        test.send("x PING")

        #expect(test.lines == ["* NO TAG-IN-USE class=fatal tag=x"])
        #expect(test.isClosed)
    }

    @Test func `replies may come in any order`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.send("a RETURN key=1 delegation=14 account=1 epoch=1 reason=other")
        test.send("b RETURN key=2 delegation=14 account=2 epoch=1 reason=other")
        test.complete(test.performed[1].0, .returned(receipt: nil))
        test.complete(test.performed[0].0, .refused(.unknown))

        #expect(test.lines == ["b OK", "a NO UNKNOWN class=refresh"])
    }

    @Test func `a bad report does not spoil its neighbours`() {
        var test = TestSession.authenticated()
        test.send("l LEASE key=1 delegation=14 strategy=administrative max=3")
        _ = test.take()
        let report =
            "delegation=14 account=1900077120 at=2024-03-04T08:42:10-06:00 channel=sms contact=none result=no-answer"
        test.receive(
            bytes(
                "a REPORT key=2 epoch=3 \(report)\nb REPORT key=3 epoch=x \(report)\nc REPORT key=4 epoch=3 \(report)\n"
            ))

        #expect(test.lines.map { $0.prefix(4) }.sorted() == ["a OK", "b NO", "c OK"])
    }

    // MARK: Credit

    @Test func `requests above the window stay unread until one is answered`() {
        var limits = SessionLimits()
        limits.window = 2
        var test = TestSession.authenticated(limits: limits)
        test.answersAtOnce = false
        test.receive(
            bytes((1...4).map { "t\($0) RETURN key=\($0) delegation=14 account=1 epoch=1 reason=other\n" }.joined()))

        #expect(test.performed.count == 2)
        #expect(test.isPaused)
        test.complete(test.performed[0].0, .returned(receipt: nil))
        #expect(test.performed.count == 3)
        #expect(test.isPaused)
        test.complete(test.performed[1].0, .returned(receipt: nil))
        test.complete(test.performed[2].0, .returned(receipt: nil))
        #expect(test.performed.count == 4)
        #expect(!test.isPaused)
    }

    @Test func `nothing is started while too much is unsent`() {
        var limits = SessionLimits()
        limits.outputMaxBytes = 50
        var test = TestSession.authenticated(limits: limits)
        test.writesAtOnce = false
        test.receive(bytes("a PING\nb PING\nc PING\n"))

        #expect(test.lines.map { $0.prefix(1) } == ["a", "b"])
        #expect(test.isPaused)
        test.wrote(2 * "a OK time=2024-03-04T15:00:00.000Z\n".utf8.count)
        #expect(test.lines.map { $0.prefix(1) } == ["a", "b", "c"])
        #expect(!test.isPaused)
    }

    @Test func `who reads nothing is closed without a word`() {
        var test = TestSession.authenticated()
        test.writesAtOnce = false
        test.send("a PING")
        _ = test.take()
        test.pass(seconds: 29)
        test.send("b PING")
        test.pass(seconds: 1)

        #expect(test.isCutOff)
        #expect(test.lines.map { $0.prefix(4) } == ["b OK"])
    }

    @Test func `who reads steadily is not idle while its reply is on the way, and is once it has it`() {
        var limits = SessionLimits()
        limits.outputMaxBytes = 50
        var test = TestSession.authenticated(limits: limits)
        test.writesAtOnce = false
        test.receive(bytes("a PING\nb PING\nc PING\n"))
        let unsent = 2 * "a OK time=2024-03-04T15:00:00.000Z\n".utf8.count
        // A byte every ten seconds: above the bound the server does not read, and the client has nothing more to say.
        for _ in 0..<10 {
            test.pass(seconds: 10)
            test.wrote(1)
            #expect(!test.isClosed)
        }
        _ = test.take()
        test.wrote(unsent - 10)
        #expect(test.lines.map { $0.prefix(4) } == ["c OK"])
        test.wrote(unsent / 2)
        test.pass(seconds: 29)
        #expect(!test.isClosed)
        test.pass(seconds: 1)

        #expect(test.lines.last == "* NO IDLE class=retry reason=silence")
        #expect(!test.isCutOff)
    }

    @Test func `pushes keep no silent session alive, read or unread`() {
        var test = TestSession.authenticated()
        test.pass(seconds: 20)
        test.push([Push(.paused, [])])
        test.writesAtOnce = false
        test.pass(seconds: 5)
        test.push([Push(.resumed, [])])
        test.pass(seconds: 5)

        #expect(test.lines == ["* PAUSED", "* RESUMED", "* NO IDLE class=retry reason=silence"])
    }

    // MARK: Time

    @Test func `a silent session ends, and one that pings does not`() {
        var test = TestSession.authenticated()
        test.pass(seconds: 29)
        test.send("a PING")
        _ = test.take()
        test.pass(seconds: 29)
        #expect(!test.isClosed)
        test.pass(seconds: 1)

        #expect(test.lines == ["* NO IDLE class=retry reason=silence"])
        #expect(test.isClosed)
    }

    @Test func `a client that waits for its answer is not idle`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.send("a RETURN key=1 delegation=14 account=1 epoch=1 reason=other")
        test.pass(seconds: 100)
        #expect(!test.isClosed)
        test.complete(test.performed[0].0, .returned(receipt: nil))
        test.pass(seconds: 29)
        #expect(!test.isClosed)
        test.pass(seconds: 1)

        #expect(test.isClosed)
    }

    @Test func `half a line is no sign of life`() {
        var test = TestSession.authenticated()
        test.pass(seconds: 20)
        test.receive(bytes("a PI"))
        test.pass(seconds: 10)

        #expect(test.isClosed)
    }

    @Test func `pings do not put off authentication`() {
        var test = TestSession()
        _ = test.take()
        test.pass(seconds: 9)
        test.send("a PING")
        test.pass(seconds: 1)

        #expect(test.lines.last == "* NO IDLE class=retry reason=authentication")
        #expect(test.isClosed)
    }

    // MARK: The end

    @Test func `BYE is answered after everything that is in flight`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.receive(bytes("a RETURN key=1 delegation=14 account=1 epoch=1 reason=other\nb BYE\nc PING\n"))
        #expect(test.lines.isEmpty)
        test.complete(test.performed[0].0, .returned(receipt: nil))

        #expect(test.lines == ["a OK", "b OK"])
        #expect(test.isClosed)
    }

    @Test func `who only closes its sending side gets its answers`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.send("a RETURN key=1 delegation=14 account=1 epoch=1 reason=other")
        test.endInput()
        #expect(!test.isClosed)
        test.complete(test.performed[0].0, .returned(receipt: nil))

        #expect(test.lines == ["a OK"])
        #expect(test.isClosed)
    }

    @Test func `a draining server answers what is in flight and refuses the rest`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.send("a RETURN key=1 delegation=14 account=1 epoch=1 reason=other")
        test.drain()
        test.send("b RETURN key=2 delegation=14 account=1 epoch=1 reason=other")
        test.complete(test.performed[0].0, .returned(receipt: nil))
        #expect(test.take() == ["* DRAINING after=5", "b NO UNAVAILABLE class=retry after=5", "a OK"])
        test.pass(seconds: 5)

        #expect(test.isClosed)
    }

    @Test func `an answer that comes after the end is dropped`() {
        var test = TestSession.authenticated()
        test.answersAtOnce = false
        test.send("a RETURN key=1 delegation=14 account=1 epoch=1 reason=other")
        test.session.lost()
        test.complete(test.performed[0].0, .returned(receipt: nil))

        #expect(test.lines.isEmpty)
    }

    // MARK: Anything

    @Test(arguments: UInt64(0)..<200)
    func `no stream of bytes traps, and every line gets one end`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var test = seed % 2 == 0 ? TestSession.authenticated() : TestSession()
        test.desk = Desk(isForgiving: true)
        _ = test.take()
        for _ in 0..<200 where !test.isClosed {
            var line = [UInt8](random.element(of: Self.samples).utf8)
            for _ in 0..<random.number(below: 3) where !line.isEmpty {
                let byte = UInt8(truncatingIfNeeded: random.next())
                line[random.number(below: line.count)] = byte == 0x0A ? 0x0B : byte
            }
            let cut = random.number(below: line.count + 1)
            test.receive(Array(line[..<cut]))
            test.receive(Array(line[cut...]) + [0x0A])
            let ends = test.take().count { said in
                let words = said.split(separator: " ", omittingEmptySubsequences: false)
                return words.count > 1 && (words[1] == "OK" || words[1] == "NO")
            }
            #expect(ends == 1, "\(String(decoding: line, as: UTF8.self))")
        }
        test.endInput()

        #expect(test.isClosed)
    }

    private static let samples = [
        "a1 \(TestSession.hello) client=\"a \\\" b\"",
        "a2 AUTH method=ed25519 proof=\(String(repeating: "0f", count: 64))",
        "a3 LEASE key=90017 delegation=14 strategy=administrative max=2 tactic=rest contract=88 portfolio=telephone",
        "a4 REPORT key=90018 delegation=14 account=1900077120 epoch=3 at=2024-03-04T08:42:10-06:00 channel=phone-out "
            + "contact=direct result=promise amount=2950.00 promised=2024-03-11 position=\"19.432608,-99.133209\"",
        "a5 EXTEND key=90020 delegation=14 grant=12884901889 until=2024-04-13T00:00:00-06:00",
        "a6 RETURN key=90022 delegation=14 account=1900077120 epoch=3 reason=unlocatable",
        "a7 RESUME count=1 digest=bda334d31a9ff12f832772d77aa0f41d after=14:5", "a8 PING", "", "é",
    ]
}

/// A seeded source of numbers, so that a failing case repeats.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func number(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func element<Element>(of list: [Element]) -> Element { list[number(below: list.count)] }
}

/// Credit in accounts, and pushes.
struct AgentSessionCreditTests {
    @Test func `a lease above the credit in accounts waits, and what follows it stays unread`() {
        var limits = SessionLimits()
        limits.accountsWindow = 10
        var test = TestSession.authenticated(limits: limits)
        test.answersAtOnce = false
        for (tag, max) in [("a", 6), ("b", 4), ("c", 1)] {
            test.send("\(tag) LEASE key=\(max) delegation=14 strategy=dual max=\(max)")
        }
        test.send("d PING")
        #expect(test.performed.count == 2)
        #expect(test.isPaused)
        #expect(test.lines.isEmpty)
        test.complete(test.performed[0].0, .refused(.scope))

        #expect(test.performed.count == 3)
        #expect(test.lines == ["a NO SCOPE class=fix", "d OK time=2024-03-04T15:00:00.000Z"])
    }

    /// A page counts what it may have at most.
    @Test(arguments: [
        ("HELD max=4", true), ("HELD max=5", false), ("HELD", false),
        ("RESUME count=0 digest=00000000000000000000000000000000", false),
    ])
    func `pages of what is held take their part of the credit in accounts`(line: String, starts: Bool) {
        var limits = SessionLimits()
        limits.accountsWindow = 10
        limits.batchMax = 10
        var test = TestSession.authenticated(limits: limits)
        test.answersAtOnce = false
        test.send("a LEASE key=6 delegation=14 strategy=dual max=6")
        test.send("b \(line)")

        #expect(test.performed.count == (starts ? 2 : 1))
        test.complete(test.performed[0].0, .refused(.scope))
        #expect(test.performed.count == 2)
    }

    @Test func `one lease alone is always started`() {
        var limits = SessionLimits()
        limits.accountsWindow = 10
        var test = TestSession.authenticated(limits: limits)
        test.answersAtOnce = false
        test.send("a LEASE key=1 delegation=14 strategy=dual max=1000")

        #expect(test.performed.count == 1)
    }

    @Test func `a lease that waits is refused when the node drains`() {
        var limits = SessionLimits()
        limits.accountsWindow = 1
        var test = TestSession.authenticated(limits: limits)
        test.answersAtOnce = false
        test.send("a LEASE key=1 delegation=14 strategy=dual max=1")
        test.send("b LEASE key=2 delegation=14 strategy=dual max=1")
        test.drain()

        #expect(test.lines == ["b NO UNAVAILABLE class=retry after=5", "* DRAINING after=5"])
    }

    @Test func `pushes go to authenticated sessions alone`() {
        var stranger = TestSession()
        _ = stranger.take()
        stranger.push([Push(.paused, [])])
        var agent = TestSession.authenticated()
        agent.push([Push(.paused, []), Push(.resumed, [])])

        #expect(stranger.lines.isEmpty)
        #expect(agent.lines == ["* PAUSED", "* RESUMED"])
    }
}
