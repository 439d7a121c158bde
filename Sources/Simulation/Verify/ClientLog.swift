// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// The text form of ``ClientOperation``: one line each, `KIND key=value …`, values without spaces.
///
///     # agentsim client log 1 agency=ACE07 instance=sim
///     GRANT key=17 delegation=14 strategy=administrative grant=38654705665 term=2024-04-03T06:00:00.000Z
/// grace=86400 accounts=1000000134:1
///     REPORT key=18 delegation=14 account=1000000134 epoch=1 at=… channel=phone-out contact=direct result=promise
///            amount=310.22 promised=2024-03-11 outcome=55120 receipt=b0c4…          (one line)
///     EXTEND key=19 delegation=14 grant=38654705665 term=2024-05-03T06:00:00.000Z
///     RETURN key=20 delegation=14 account=1000000134 epoch=1 reason=unlocatable
///     CONTACT delegation=14 account=1000000134 epoch=1 receipt=5e21…
///     RESUME delegation=14 account=1000000134 epoch=1 held=no
///     NO key=21 delegation=14 verb=REPORT code=REASSIGNED account=1000000134 epoch=1 evidence=1207
///     REPEAT key=18 delegation=14 verb=REPORT equal=yes
///     ALTER key=18 delegation=14 verb=REPORT code=KEY-REUSED
///
/// Each line may say `now=`, the client's clock when it was answered. A file is one agency's and is only appended to; the first line of
/// each run names agency and instance again.
package enum ClientLog {
    package static func header(agency: AgencyID, instance: String) -> String {
        "\(mark) agency=\(agency) instance=\(instance)"
    }

    /// The line of an operation, without its end.
    package static func line(_ operation: ClientOperation) -> String {
        var line = kind(operation.reply)
        if operation.key != 0 { line += " key=\(operation.key)" }
        line += " delegation=\(operation.delegation)"
        switch operation.reply {
        case .granted(let grant):
            line += " strategy=\(grant.strategy.name) grant=\(grant.grant) term=\(grant.term)"
            if let grace = grant.grace { line += " grace=\(grace)" }
            line += " accounts=\(grant.accounts.map(\.description).joined(separator: ","))"
        case .reported(let report):
            line += held(report.held) + " at=\(exact(report.at)) channel=\(report.channel) contact=\(report.contact)"
            line += " result=\(report.result)"
            if let amount = report.amount { line += " amount=\(amount)" }
            if let promised = report.promised { line += " promised=\(promised)" }
            if let solution = report.solution { line += " solution=\(solution)" }
            line += " outcome=\(report.outcome)"
        case .extended(let extended): line += " grant=\(extended.grant) term=\(extended.term)"
        case .returned(let returned): line += held(returned.held) + " reason=\(returned.reason)"
        case .disclosed(let account): line += held(account)
        case .compared(let account, let isHeld): line += held(account) + " held=\(isHeld ? "yes" : "no")"
        case .refused(let refusal):
            line += " verb=\(refusal.verb) code=\(refusal.code)"
            if let account = refusal.held { line += held(account) }
            if let grant = refusal.grant { line += " grant=\(grant)" }
            if let evidence = refusal.evidence { line += " evidence=\(evidence)" }
        case .repeated(let verb, let isEqual): line += " verb=\(verb) equal=\(isEqual ? "yes" : "no")"
        case .altered(let verb, let code): line += " verb=\(verb) code=\(code)"
        }
        if let now = operation.answeredAt { line += " now=\(now)" }
        if let receipt = operation.receipt { line += " receipt=\(Hex.text(receipt))" }
        return line
    }

    /// Reads one file. A line without its end is what a killed client left behind: it was never flushed whole, and is left out, be it the
    /// last one or followed, on the same line, by the header of the next run.
    ///
    /// - Throws: ``SimulationFailure`` (usage) with file and line of what is not a log.
    package static func read(_ text: String, name: String) throws(SimulationFailure) -> [ClientOperation] {
        var operations: [ClientOperation] = []
        var agency: AgencyID?
        var instance = ""
        for (index, line) in lines(text).enumerated() where !line.isEmpty {
            let fields = LogFields(line)
            if line.hasPrefix("#") {
                agency = fields["agency"].flatMap { AgencyID(text: $0) }
                instance = fields["instance"].map(String.init) ?? ""
            } else if let agency, let operation = operation(fields, "\(name):\(index + 1)", agency, instance) {
                operations.append(operation)
            } else {
                throw SimulationFailure(
                    .usage, "\(name):\(index + 1) is not a line of a client's log",
                    remedy: "Give the folder that agentsim run wrote")
            }
        }
        return operations
    }

    /// Who wrote into a file, as in `ACE07 sim`: told by its headers, although no operation may have followed.
    package static func installations(_ text: String) -> Set<String> { Set(places(text).keys) }

    /// The line of the first header of each.
    private static func places(_ text: String) -> [String: Int] {
        let named = lines(text).enumerated().filter { $0.element.hasPrefix("#") }.compactMap { index, line in
            let fields = LogFields(line)
            return fields["agency"].flatMap { agency in
                fields["instance"].map { ("\(agency) \($0)", index + 1) }
            }
        }
        return Dictionary(named) { first, _ in first }
    }

    /// How each run begins; no line of an operation has it.
    private static let mark = "# agentsim client log 1"

    private static func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            guard !line.hasPrefix(mark), line.contains("#"), let range = line.firstRange(of: mark) else { return line }
            return line[range.lowerBound...]
        }
    }

    /// All logs of a folder, in the order of their names, and the installations that wrote them.
    ///
    /// - Throws: ``SimulationFailure`` (usage) with file and line of what is not a log, and of two files that one installation is named in:
    ///   a copy would say everything twice, and what is cut in two says nothing of its order.
    package static func read(folder: String) throws(SimulationFailure) -> (
        operations: [ClientOperation], installations: Set<String>
    ) {
        let names = try Folder.names(in: folder).filter { $0.hasSuffix(".log") }
        guard !names.isEmpty else {
            throw SimulationFailure(
                .usage, "\(folder) has no client logs", remedy: "Give the folder that agentsim run wrote")
        }
        var operations: [ClientOperation] = []
        var writers: [String: String] = [:]
        for name in names {
            let text = try Folder.text("\(folder)/\(name)")
            operations += try read(text, name: name)
            for (installation, line) in places(text).sorted(by: { $0.value < $1.value }) {
                let place = "\(name):\(line)"
                if let other = writers[installation] {
                    throw SimulationFailure(
                        .usage,
                        "\(other) and \(place) in \(folder) are both the log of \(installation): a history that repeats itself proves nothing",
                        remedy: "Take the copy away; the parts of one log belong into one file, in their order")
                }
                writers[installation] = place
            }
        }
        return (operations, Set(writers.keys))
    }

    /// The request that a report was, as the protocol hashes it: without tag and key, in its only spelling.
    static func content(
        _ report: ClientOperation.Report, _ delegation: Delegation, _ details: [(name: String, value: String?)]
    ) -> String {
        var line = "REPORT delegation=\(delegation)" + held(report.held) + " at=\(exact(report.at))"
        line += " channel=\(report.channel) contact=\(report.contact) result=\(report.result)"
        if let amount = report.amount { line += " amount=\(amount)" }
        if let promised = report.promised { line += " promised=\(promised)" }
        for (name, value) in details { if let value { line += " \(name)=\(value)" } }
        return line
    }

    private static func kind(_ reply: ClientOperation.Reply) -> String {
        switch reply {
        case .granted: "GRANT"
        case .reported: "REPORT"
        case .extended: "EXTEND"
        case .returned: "RETURN"
        case .disclosed: "CONTACT"
        case .compared: "RESUME"
        case .refused: "NO"
        case .repeated: "REPEAT"
        case .altered: "ALTER"
        }
    }

    private static func held(_ held: Held) -> String { " account=\(held.account) epoch=\(held.epoch)" }

    /// Microseconds where the milliseconds of the usual form would not do.
    private static func exact(_ instant: Timestamp) -> String {
        let below = instant.microseconds % 1_000
        guard below != 0 else { return instant.description }
        return "\(instant.description.dropLast())\(String(1_000 + below).dropFirst())Z"
    }

    private static func operation(
        _ fields: LogFields, _ place: String, _ agency: AgencyID, _ instance: String
    ) -> ClientOperation? {
        // A question has no key of its own, nor has its refusal.
        let isQuestion = fields.kind == "CONTACT" || fields.kind == "RESUME" || fields["verb"] == "CONTACT"
        guard let key = isQuestion ? 0 : fields["key"].flatMap({ Int64($0) }),
            let delegation = fields["delegation"].flatMap({ Delegation(text: $0) }),
            let reply = reply(fields)
        else { return nil }
        return ClientOperation(
            place: place, agency: agency, instance: instance, key: key, delegation: delegation, reply: reply,
            receipt: fields["receipt"].flatMap { Hex.bytes($0) }, answeredAt: fields.instant("now"))
    }

    private static func reply(_ fields: LogFields) -> ClientOperation.Reply? {
        let held = fields.held
        switch fields.kind {
        case "GRANT":
            guard let grant = fields.grant, let term = fields.instant("term"), let text = fields["accounts"],
                let strategy = fields["strategy"].flatMap({ Strategy(name: $0) })
            else { return nil }
            let accounts = text.split(separator: ",").compactMap(LogFields.pair)
            return .granted(
                ClientOperation.Grant(
                    grant: grant, strategy: strategy, term: term, accounts: accounts, grace: fields.number("grace")))
        case "REPORT": return report(fields).map { .reported($0) }
        case "EXTEND":
            guard let grant = fields.grant, let term = fields.instant("term") else { return nil }
            return .extended(ClientOperation.Extension(grant: grant, term: term))
        case "RETURN":
            guard let held, let reason = fields["reason"] else { return nil }
            return .returned(ClientOperation.Return(held: held, reason: String(reason)))
        case "CONTACT": return held.map { .disclosed($0) }
        case "RESUME":
            guard let held, let word = fields["held"] else { return nil }
            return .compared(held, isHeld: word == "yes")
        case "NO":
            guard let verb = fields["verb"], let code = fields["code"] else { return nil }
            let evidence = fields["evidence"].flatMap { Int64($0) }
            return .refused(
                ClientOperation.Refusal(
                    verb: String(verb), code: String(code), held: held, grant: fields.grant, evidence: evidence))
        case "REPEAT":
            guard let verb = fields["verb"], let equal = fields["equal"] else { return nil }
            return .repeated(verb: String(verb), isEqual: equal == "yes")
        case "ALTER":
            guard let verb = fields["verb"], let code = fields["code"] else { return nil }
            return .altered(verb: String(verb), code: String(code))
        default: return nil
        }
    }

    private static func report(_ fields: LogFields) -> ClientOperation.Report? {
        guard let held = fields.held, let at = fields.instant("at"), let channel = fields["channel"],
            let contact = fields["contact"], let result = fields["result"],
            let outcome = fields["outcome"].flatMap({ Int64($0) })
        else { return nil }
        return ClientOperation.Report(
            held: held, at: at, channel: String(channel), contact: String(contact), result: String(result),
            amount: fields["amount"].flatMap { Cents(pesos: $0) },
            promised: fields["promised"].flatMap { LocalDate(text: $0) }, solution: fields["solution"].map(String.init),
            outcome: outcome)
    }
}

/// Bytes as lowercase hexadecimal digits.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let values = text.utf8.compactMap { digits.firstIndex(of: $0) }
        guard values.count == text.utf8.count, values.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }
}
