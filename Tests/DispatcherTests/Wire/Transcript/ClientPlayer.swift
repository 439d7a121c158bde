// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import Synchronization
import TestSupport
import Testing

@testable import AgentProtocol

/// Plays transcripts with ``AgentClient``: each request by its own call, each reply as the call returns it, pushes and ends of sessions as
/// its events tell them. How it signs in is seen on the wire.
final class ClientPlayer {
    private let stage: TranscriptStage
    private let relay: TranscriptRelay
    private var client: AgentClient?
    private var instance = ""
    private let sequence = Shared<Int64>(0)
    /// The greatest key that the present client was told or took.
    private var latestKey: Int64 = 0
    private let heard = Shared<[AgentClientEvent]>([])
    private var listening: Task<Void, Never>?
    /// Lines of the document that its calls have no way to say.
    private(set) var unsaid: [String] = []
    /// How often the client's patience may end before it is let in: a minute and a half of it.
    private static let openingsMax = 100
    /// What came instead of what the document says.
    private(set) var differences: [String] = []

    init(_ stage: TranscriptStage) throws {
        self.stage = stage
        relay = try TranscriptRelay(to: stage.node.port)
    }

    func end() async {
        listening?.cancel()
        await client?.cut()
        relay.close()
    }

    func play(_ transcript: [String]) async throws {
        let starts = transcript.indices.filter { transcript[$0].hasPrefix("< * REPARTO ") } + [transcript.count]
        for remark in transcript[..<starts[0]] where remark.hasPrefix("! ") {
            try await stage.happens(String(remark.dropFirst(2)))
        }
        for (start, end) in zip(starts, starts.dropFirst()) { try await session(Array(transcript[start..<end])) }
    }

    // MARK: One session

    private func session(_ lines: [String]) async throws {
        let admission = try await signIn(lines)
        let isOpen = admission == .open
        let unsaidBefore = unsaid.count
        var isLeaving = false
        var index = 1
        while index < lines.count {
            let line = lines[index]
            index += 1
            switch line.prefix(2) {
            case "> ":
                guard let request = DocumentLine(line), request.verb != "AUTH", !isSignIn(request, lines) else {
                    if DocumentLine(line) == nil || admission == .unsaid { unsaid.append(line) }
                    continue
                }
                let reply = DocumentReply(request.tag, in: lines)
                guard isOpen, !isLeaving, let reply, reply.code != "STATE", reply.code != "TOO-EARLY" else {
                    unsaid.append(line)
                    continue
                }
                try await ask(request, reply)
            case "< " where line.hasPrefix("< * "):
                // What comes together may come in any order.
                var pushes = [line]
                while index < lines.count, lines[index].hasPrefix("< * ") {
                    pushes.append(lines[index])
                    index += 1
                }
                // An end that answers what was not said does not come.
                guard isOpen, !line.hasPrefix("< * NO ") || unsaid.count == unsaidBefore else { continue }
                isLeaving = isLeaving || pushes.contains { $0.hasPrefix("< * DRAINING") }
                await hear(pushes)
            case "! " where line == "! another connection": break
            case "! " where line.contains("while nobody reads"):
                relay.hold()
                defer { relay.goOn() }
                try await stage.happens(String(line.dropFirst(2)))
            case "! ": try await stage.happens(String(line.dropFirst(2)))
            default: break
            }
        }
    }

    private func isSignIn(_ request: DocumentLine, _ lines: [String]) -> Bool {
        request.verb == "HELLO" && DocumentReply(request.tag, in: lines)?.code == ""
    }

    private enum Admission { case open, refused, unsaid }

    /// The client's own HELLO and AUTH, compared with the document's.
    private func signIn(_ lines: [String]) async throws -> Admission {
        let said = lines.compactMap { DocumentLine($0) }
        guard let hello = said.first(where: { isSignIn($0, lines) }),
            let auth = said.first(where: {
                $0.verb == "AUTH" && DocumentReply($0.tag, in: lines)?.code != "TOO-EARLY"
            }),
            let reply = DocumentReply(auth.tag, in: lines), let proof = auth.fields["proof"]
        else { return .unsaid }
        let number = try #require(hello.fields["sequence"].flatMap { Int64($0) })
        let isAgain = client != nil && hello.fields["instance"] == instance && number > sequence.value
        sequence.change { $0 = number }
        await client?.cut()
        if !isAgain { try begin(hello, hasKey: proof.contains { $0 != "0" }) }
        let before = relay.lines.count
        let client = try #require(client)
        do {
            try await open(client)
            if reply.code != "" { differences.append("let in instead of \(reply.code)") }
        } catch {
            if reply.code == "" || !"\(error)".contains(reply.code) {
                differences.append("\(error) instead of \(reply)")
            }
            // Who is barred is told so, and then tries again by itself.
            if reply.code == "LIMIT" { return .refused }
        }
        let wire = Array(relay.lines[before...])
        let sent = wire.filter { $0.hasPrefix("> ") }.compactMap { DocumentLine($0) }
        expect(wire.first, lines[0])
        expect(sent.first?.fields, hello.fields)
        if reply.code != "AUTH" { expect(sent.dropFirst().first?.fields, auth.fields) }
        expect(DocumentReply("1", in: wire), DocumentReply(hello.tag, in: lines))
        expect(DocumentReply("2", in: wire), reply)
        return reply.code == "" ? .open : .refused
    }

    /// A machine that has other work may be slower than the client is patient; its connection is made all the same.
    private func open(_ client: AgentClient) async throws {
        for _ in 1..<Self.openingsMax {
            do { return try await client.open() } catch AgentClientError.cannotConnect(let why) {
                try Task.checkCancellation()
                // Somebody said why.
                guard await client.latestObstacle == nil else { throw AgentClientError.cannotConnect(why) }
            }
        }
        try await client.open()
    }

    private func begin(_ hello: DocumentLine, hasKey: Bool) throws {
        instance = hello.fields["instance"] ?? ""
        let key = hasKey ? TranscriptMonth.secret : [UInt8](repeating: 9, count: 32)
        var settings = try AgentClientSettings(
            addresses: [.init(host: "127.0.0.1", port: relay.port)], agency: hello.fields["agency"] ?? "",
            instance: instance, key: key, nextSequence: { [sequence] in sequence.value })
        let nonce = try #require(hello.fields["nonce"].flatMap { HexBytes(hex: $0) }).bytes
        settings.nonce = { nonce }
        settings.client = hello.fields["client"]
        // Refusals of class `retry` are seen, and not waited out.
        settings.patience = .milliseconds(900)
        settings.staysConnected = false
        let made = AgentClient(settings)
        client = made
        latestKey = 0
        listening?.cancel()
        heard.change { $0 = [] }
        listening = Task { [heard] in for await event in made.events { heard.change { $0.append(event) } } }
    }

    // MARK: Requests

    private func ask(_ request: DocumentLine, _ expected: DocumentReply) async throws {
        let client = try #require(client)
        if request.verb == "BYE" {
            await client.close()
            expect(relay.lines.last { $0.hasSuffix(" BYE") } != nil, true)
            expect(relay.lines.last.map { $0.hasSuffix(" OK") }, true)
            return
        }
        do throws(AgentClientError) {
            expect(DocumentReply(try await call(request, client)), expected)
        } catch {
            switch error {
            // The client knows by itself what the server would say.
            case .badRequest(let what):
                let field = expected.fields["field"].map { " of \($0)" } ?? ""
                let isNoVerb = expected.code == "UNKNOWN-VERB"
                expect(what, expected.code + (isNoVerb ? ": \(TypedRequest.noVerb(request.verb))" : field))
                expect(expected.fields["class"], "fix")
            case .unanswered(_, let refusal?): expect(DocumentReply(refusal), expected)
            default: differences.append("\(request.verb): \(error) instead of \(expected)")
            }
        }
    }

    /// By the verb's own call, where the key that it would take is the document's; else by the one for all.
    private func call(_ request: DocumentLine, _ client: AgentClient) async throws(AgentClientError) -> AgentReply {
        let key = request.fields["key"].flatMap { Int64($0) }
        defer { latestKey = max(latestKey, key ?? 0) }
        do {
            if key == nil || key == latestKey + 1, let reply = try await ownCall(request, client) { return reply }
        } catch {
            guard let error = error as? AgentClientError else { throw .badRequest("\(error)") }
            throw error
        }
        return try await client.send(all: [AgentCall(request.verb, request.fields)])[0].get()
    }

    private func ownCall(_ request: DocumentLine, _ client: AgentClient) async throws -> AgentReply? {
        var fields = request.fields
        fields["key"] = nil
        func number(_ key: String) -> Int? { fields[key].flatMap { Int($0) } }
        let place = number("delegation")
        let lease = place.flatMap { delegation in
            number("account").flatMap { account in
                number("epoch").map { AgentLease(delegation: delegation, account: Int64(account), epoch: Int64($0)) }
            }
        }
        switch (request.verb, place, lease, fields["strategy"], fields["reason"]) {
        case ("LEASE", let delegation?, _, let strategy?, _):
            guard let max = number("max") else { return nil }
            return try await client.lease(
                delegation: delegation, strategy: strategy, max: max, contract: number("contract"),
                portfolio: fields["portfolio"], tactic: fields["tactic"])
        case ("REPORT", _, let lease?, _, _): return try await client.report(lease, fields)
        case ("RETURN", _, let lease?, _, let reason?): return try await client.giveBack(lease, reason: reason)
        case ("OBJECT", _, let lease?, _, let reason?): return try await client.object(lease, reason: reason)
        case ("CONTACT", _, let lease?, _, _): return try await client.contact(lease)
        case ("EXTEND", let delegation?, _, _, _):
            guard let grant = number("grant"), let until = fields["until"] else { return nil }
            return try await client.extend(delegation: delegation, grant: Int64(grant), until: until)
        case ("QUIET", let delegation?, _, let strategy?, _):
            return try await client.quiet(
                delegation: delegation, strategy: strategy, isOn: fields["state"] == "on")
        case ("STATUS", let delegation, _, let strategy, _):
            return try await client.status(delegation: delegation, strategy: strategy)
        case ("EXPLAIN", let delegation?, _, let strategy?, _):
            return try await client.explain(delegation: delegation, strategy: strategy)
        case ("EXPLAIN", let delegation?, _, _, _):
            guard let account = number("account") else { return nil }
            return try await client.explain(delegation: delegation, account: Int64(account))
        default: return nil
        }
    }

    // MARK: What comes by itself

    private func hear(_ lines: [String]) async {
        if lines[0].hasPrefix("< * NO ") {
            let code = lines[0].split(separator: " ")[3]
            let isTold = await waited { events in
                events.contains { if case .disconnected(let why) = $0 { why.contains(code) } else { false } }
            }
            if !isTold { differences.append("no end with \(code)") }
            return
        }
        let expected = lines.compactMap { DocumentLine($0) }
        if expected.first?.verb == "MISSED" {
            // 60,000 payments are told first.
            let isTold = await waited(.seconds(60)) { events in
                events.contains { if case .push("MISSED", let fields) = $0 { fields["pushes"] != nil } else { false } }
            }
            if !isTold { differences.append("no MISSED") }
            return
        }
        var found: [DocumentLine] = []
        _ = await waited { events in
            found = events.compactMap { event in
                if case .push(let name, let fields) = event {
                    DocumentLine(tag: "*", verb: name, fields: fields)
                } else {
                    nil
                }
            }
            return found.count >= expected.count
        }
        if found.map(\.text).sorted() != expected.map(\.text).sorted() {
            differences.append("pushed \(found.map(\.text)) instead of \(expected.map(\.text))")
        }
        heard.change { $0.removeAll { if case .push = $0 { true } else { false } } }
    }

    private func waited(_ limit: Duration = .seconds(10), until isSo: ([AgentClientEvent]) -> Bool) async -> Bool {
        let end = ContinuousClock.now + limit
        while !isSo(heard.value) {
            guard ContinuousClock.now < end else { return false }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    private func expect<Value: Equatable>(_ found: Value, _ expected: Value) {
        if found != expected { differences.append("\(found)\ninstead of\n\(expected)") }
    }
}

/// A value that several tasks read and change.
private final class Shared<Value: Sendable>: Sendable {
    private let kept: Mutex<Value>
    init(_ value: Value) { kept = Mutex(value) }
    var value: Value { kept.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { kept.withLock { body(&$0) } }
}

/// A line of a session, taken apart without the code under test; `nil` where it is none or says a key twice.
struct DocumentLine: Equatable {
    let tag: String
    let verb: String
    let fields: [String: String]

    init(tag: String, verb: String, fields: [String: String]) {
        (self.tag, self.verb, self.fields) = (tag, verb, fields)
    }

    /// - Parameter line: a request, `> a1 PING`, or what the server says by itself, `< * UPDATE …`.
    init?(_ line: String) {
        guard line.hasPrefix("> ") || line.hasPrefix("< * "), line.last != " " else { return nil }
        let words = line.dropFirst(2).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, let fields = Self.fields(words.count > 2 ? words[2] : "") else { return nil }
        self.init(tag: String(words[0]), verb: String(words[1]), fields: fields)
    }

    static func fields(_ text: Substring) -> [String: String]? {
        var fields: [String: String] = [:]
        var rest = text
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let key = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                value = rest.dropFirst().prefix { $0 != "\"" }
                rest = rest.dropFirst(value.count + 2)
            } else {
                value = rest.prefix { $0 != " " }
                // What would need quotes and has none, a client has no way to say.
                guard !value.contains("=") else { return nil }
                rest = rest.dropFirst(value.count)
            }
            guard !key.contains(" "), fields.updateValue(String(value), forKey: key) == nil else { return nil }
            rest = rest.dropFirst()
        }
        return fields
    }

    var text: String { "\(verb) \(fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })" }
}

/// A reply without its tag: equal whoever said it.
struct DocumentReply: Equatable, CustomStringConvertible {
    /// Empty on `OK`.
    let code: String
    let fields: [String: String]
    let data: [[String: String]]

    init(_ reply: AgentReply) { (code, fields, data) = (reply.code, reply.fields, reply.data) }

    /// The reply to a tag; `nil` where none has an end.
    init?(_ tag: String, in lines: [String]) {
        var data: [[String: String]] = []
        for line in lines where line.hasPrefix("< \(tag) ") {
            let words = line.dropFirst(3 + tag.count).split(separator: " ", maxSplits: 1)
            guard let kind = words.first,
                let rest = DocumentLine.fields(words.count > 1 && kind != "NO" ? words[1] : "")
            else { continue }
            switch kind {
            case "-": data.append(rest)
            case "OK":
                (code, fields, self.data) = ("", rest, data)
                return
            default:
                let words = words[1].split(separator: " ", maxSplits: 1)
                (code, self.data) = (String(words[0]), data)
                fields = DocumentLine.fields(words[1]) ?? [:]
                return
            }
        }
        return nil
    }

    var description: String {
        "\(code) \(fields.sorted { $0.key < $1.key }) \(data.map { $0.sorted { $0.key < $1.key } })"
    }
}
