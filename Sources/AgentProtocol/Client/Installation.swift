// SPDX-License-Identifier: Apache-2.0

import Assignment

/// What an installation must not forget: its sequence, its keys, what it sent and has no answer to, and what it holds.
///
/// A value: what changes it is a line of the protocol's own grammar, so that a state folder can be read with any pager. Lines are
/// written in an order in which each beginning of them is true: what an answer changed stands before the line that says that it came.
struct Installation: Equatable {
    enum Change: Equatable {
        /// Given to a connection.
        case sequence(Int64)
        /// Given to a request; stands for those that were answered and are not kept.
        case key(Int64)
        /// Will be sent under its key.
        case sent(AgentRequest)
        case answered(KeyedPlace)
        case holding(Holdings.Change)
        /// All of it was compared on a connection that began at that time of the server.
        case compared(Timestamp)
    }

    let agency: AgencyID
    let instance: Token
    private(set) var sequence: Int64 = 0
    private(set) var latestKey: Int64 = 0
    private(set) var unanswered: [KeyedPlace: AgentRequest] = [:]
    private(set) var holdings = Holdings()
    private(set) var comparedAt: Timestamp?

    init(agency: AgencyID, instance: Token) {
        self.agency = agency
        self.instance = instance
    }

    mutating func apply(_ change: Change) {
        switch change {
        case .sequence(let number): sequence = max(sequence, number)
        case .key(let key): latestKey = max(latestKey, key)
        case .sent(let request):
            guard let place = request.keyedPlace else { return }
            latestKey = max(latestKey, place.key)
            unanswered[place] = request
        case .answered(let place): unanswered[place] = nil
        case .holding(let change): holdings.apply(change)
        case .compared(let time): comparedAt = time
        }
    }

    /// The shortest list of changes that leads to this state.
    var changes: [Change] {
        [.sequence(sequence), .key(latestKey)] + unanswered.sorted { $0.key < $1.key }.map { .sent($0.value) }
            + holdings.accounts.sorted { $0.key < $1.key }.map { .holding(.held($0.key, $0.value)) }
            + (comparedAt.map { [.compared($0)] } ?? [])
    }
}

// MARK: Lines

extension Installation {
    /// Who it is: the first line.
    private static let heading = "INSTALLATION"
    private static let version: Int64 = 1

    /// The whole of it, heading included.
    var lines: [UInt8] {
        var lines = Array(Self.heading.utf8)
        lines.append(field: "version", Self.version)
        lines.append(field: "agency", agency)
        lines.append(field: "instance", instance)
        lines.append(.lineFeed)
        for change in changes { change.write(to: &lines) }
        return lines
    }

    /// Reads what was written, up to where a crash of the machine cut it off.
    ///
    /// - Throws: ``AgentClientError/state(_:)`` where it is of something else, or broken before its end.
    init(lines bytes: [UInt8]) throws(AgentClientError) {
        // What follows the last line feed was not promised to anybody yet.
        let lines = bytes[..<((bytes.lastIndex(of: .lineFeed) ?? -1) + 1)].split(separator: .lineFeed)
        guard let first = lines.first, let installation = Self(heading: first) else {
            throw .state("its first line does not say whose it is")
        }
        self = installation
        let changes = lines.dropFirst().map { Change(line: $0) }
        let whole = changes.prefix { $0 != nil }
        // A crash tears the end alone; what is broken before it was broken by something else.
        guard changes.dropFirst(whole.count).allSatisfy({ $0 == nil }) else {
            throw .state("line \(whole.count + 2) is broken; begin with an empty folder, under a new name")
        }
        for case let change? in whole { apply(change) }
    }

    private init?(heading line: ArraySlice<UInt8>) {
        var scanner = FieldScanner(line)
        guard let word = try? scanner.word(), word.elementsEqual(Self.heading.utf8),
            let fields = try? ReplyFields(scanner), fields.number("version") == Self.version,
            let agency: AgencyID = fields.value("agency"), let instance: Token = fields.value("instance")
        else { return nil }
        self.init(agency: agency, instance: instance)
    }
}

extension Installation.Change {
    func write(to lines: inout [UInt8]) {
        switch self {
        case .sequence(let number):
            lines.append(text: "SEQUENCE")
            lines.append(field: "number", number)
        case .key(let key):
            lines.append(text: "KEY")
            lines.append(field: "number", key)
        case .sent(let request):
            lines.append(text: "SENT ")
            lines.append(contentsOf: request.verb.name.utf8)
            lines.append(.space)
            lines.append(contentsOf: request.fieldText.utf8)
        case .answered(let place):
            lines.append(text: "ANSWERED")
            lines.append(field: "verb", text: place.verb.name)
            lines.append(field: "delegation", place.delegation)
            lines.append(field: "key", place.key)
        case .holding(.held(let place, let held)):
            lines.append(text: "HELD")
            lines.append(field: "delegation", place.delegation)
            lines.append(field: "account", place.account)
            lines.append(field: "epoch", held.epoch)
            if !held.fields.text.isEmpty { lines.append(.space) }
            lines.append(contentsOf: held.fields.text.utf8)
        case .holding(.over(let place)):
            lines.append(text: "OVER")
            lines.append(field: "delegation", place.delegation)
            lines.append(field: "account", place.account)
        case .compared(let time):
            lines.append(text: "COMPARED")
            lines.append(field: "time", text: time.description)
        }
        lines.append(.lineFeed)
    }

    init?(line: ArraySlice<UInt8>) {
        var scanner = FieldScanner(line)
        guard let word = try? scanner.word() else { return nil }
        let kind = String(decoding: word, as: UTF8.self)
        if kind == "SENT" {
            guard let request = try? AgentRequest(line: scanner.rest), request.keyedPlace != nil else { return nil }
            self = .sent(request)
            return
        }
        guard let fields = try? ReplyFields(scanner) else { return nil }
        let delegation: Delegation? = fields.value("delegation")
        let account: AccountID? = fields.value("account")
        switch (kind, fields.number("number"), delegation, account) {
        case ("SEQUENCE", let number?, _, _): self = .sequence(number)
        case ("KEY", let number?, _, _): self = .key(number)
        case ("ANSWERED", _, let delegation?, _):
            guard let verb = fields["verb"].flatMap({ Verb(Array($0.utf8)[...]) }), let key = fields.number("key")
            else {
                return nil
            }
            self = .answered(KeyedPlace(verb, delegation, key))
        case ("HELD", _, let delegation?, let account?):
            guard let epoch: Epoch = fields.value("epoch") else { return nil }
            var known = fields.dictionary
            for key in ["delegation", "account", "epoch"] { known[key] = nil }
            self = .holding(
                .held(
                    HeldCursor(delegation: delegation, account: account), .init(epoch: epoch, fields: FieldText(known)))
            )
        case ("OVER", _, let delegation?, let account?):
            self = .holding(.over(HeldCursor(delegation: delegation, account: account)))
        case ("COMPARED", _, _, _):
            guard let time = fields.timestamp("time") else { return nil }
            self = .compared(time)
        default: return nil
        }
    }
}
