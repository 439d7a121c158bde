// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Reports one gestión on one held account.
package struct ReportRequest: Equatable, Sendable, KeyedRequest {
    static let verb = Verb.report
    package var key: Int64
    package var delegation: Delegation
    package var account: AccountID
    package var epoch: Epoch
    /// When the work was done.
    package var at: Timestamp
    package var channel: OutcomeChannel
    package var contact: OutcomeContact
    package var result: OutcomeResult
    package var amount: Cents?
    package var promised: LocalDate?
    /// The end of the branch of the script (fin de rama), from the policy's list.
    package var branch: Token?
    /// Why the debtor does not pay, from the policy's list.
    package var motive: Token?
    package var position: GeoPosition?
    /// The product that was agreed on.
    package var solution: Token?
    package var evidence: EvidenceReference?

    package init(
        key: Int64, delegation: Delegation, account: AccountID, epoch: Epoch, at: Timestamp, channel: OutcomeChannel,
        contact: OutcomeContact, result: OutcomeResult, amount: Cents? = nil, promised: LocalDate? = nil,
        branch: Token? = nil, motive: Token? = nil, position: GeoPosition? = nil, solution: Token? = nil,
        evidence: EvidenceReference? = nil
    ) {
        self.key = key
        self.delegation = delegation
        self.account = account
        self.epoch = epoch
        self.at = at
        self.channel = channel
        self.contact = contact
        self.result = result
        self.amount = amount
        self.promised = promised
        self.branch = branch
        self.motive = motive
        self.position = position
        self.solution = solution
        self.evidence = evidence
    }

    /// - Parameter isKept: it was taken once; what is asked of reports may have changed since.
    init(_ line: RequestLine, isKept: Bool = false) throws(Refusal) {
        key = try line.required(.key)
        delegation = try line.required(.delegation)
        account = try line.required(.account)
        epoch = try line.required(.epoch)
        at = try line.required(.at)
        channel = try line.required(.channel)
        contact = try line.required(.contact)
        result = try line.required(.result)
        amount = try line.optional(.amount)
        promised = try line.optional(.promised)
        branch = try line.optional(.branch)
        motive = try line.optional(.motive)
        position = try line.optional(.position)
        solution = try line.optional(.solution)
        evidence = try line.optional(.evidence)
        if let missing = result.necessities.first(where: { !has($0) }) {
            throw Refusal(.missingKey, [ReplyField("field", missing.rawValue), ReplyField("result", result.rawValue)])
        }
        if result == .promise { try checkPromise() }
        if !isKept { try checkDetails() }
    }

    /// A detail that a result does not have is a mistake of the program, and would be read as something that was agreed on.
    private func checkDetails() throws(Refusal) {
        let details = result.details
        guard let wrong = OutcomeNecessity.allCases.first(where: { has($0) && !details.contains($0) }) else { return }
        throw Refusal(
            .badValue,
            [
                ReplyField("field", wrong.rawValue), ReplyField("expected", "nothing with this result"),
                ReplyField("result", result.rawValue),
            ])
    }

    func write(key: Int64?, to output: inout [UInt8]) {
        output.append(field: "key", key)
        output.append(field: "delegation", delegation)
        output.append(field: "account", account)
        output.append(field: "epoch", epoch)
        output.append(field: "at", at)
        output.append(field: "channel", channel)
        output.append(field: "contact", contact)
        output.append(field: "result", result)
        output.append(field: "amount", amount)
        output.append(field: "promised", promised)
        output.append(field: "branch", branch)
        output.append(field: "motive", motive)
        output.append(field: "position", position)
        output.append(field: "solution", solution)
        output.append(field: "evidence", evidence)
    }

    package var canonicalContent: [UInt8] { content }

    /// A promise is of money, and for the day of the work or a later one, by the delegation's clocks.
    private func checkPromise() throws(Refusal) {
        if let amount, amount <= .zero { throw .badValue(.amount, expected: "above 0.00") }
        let day = delegation.timeZone.local(at).date
        if let promised, promised < day { throw .badValue(.promised, expected: "\(day) or later") }
    }

    private func has(_ necessity: OutcomeNecessity) -> Bool {
        switch necessity {
        case .amount: amount != nil
        case .promised: promised != nil
        case .solution: solution != nil
        case .branch: branch != nil
        }
    }
}

/// Where a visit took place, in millionths of a degree. Written `19.432608,-99.133209`, six decimals each.
package struct GeoPosition: Hashable, Sendable, CustomStringConvertible, WireValue {
    static var expected: String {
        "latitude -90 to 90,longitude -180 to 180, six decimals, as 19.432608,-99.133209, zero without a sign"
    }
    package let latitudeMicrodegrees: Int32
    package let longitudeMicrodegrees: Int32

    package init?(latitudeMicrodegrees: Int32, longitudeMicrodegrees: Int32) {
        guard (-90_000_000...90_000_000).contains(latitudeMicrodegrees),
            (-180_000_000...180_000_000).contains(longitudeMicrodegrees)
        else { return nil }
        self.latitudeMicrodegrees = latitudeMicrodegrees
        self.longitudeMicrodegrees = longitudeMicrodegrees
    }

    init?(wire bytes: ArraySlice<UInt8>) {
        guard let comma = bytes.firstIndex(of: 0x2C), let latitude = Self.microdegrees(bytes[..<comma]),
            let longitude = Self.microdegrees(bytes[(comma + 1)...])
        else { return nil }
        self.init(latitudeMicrodegrees: latitude, longitudeMicrodegrees: longitude)
    }

    func write(to output: inout [UInt8]) { output.append(contentsOf: description.utf8) }

    package var description: String {
        Self.text(latitudeMicrodegrees) + "," + Self.text(longitudeMicrodegrees)
    }

    private static func microdegrees(_ bytes: ArraySlice<UInt8>) -> Int32? {
        let isNegative = bytes.first == .hyphen
        let digits = isNegative ? bytes.dropFirst() : bytes
        guard let point = digits.firstIndex(of: .period), digits.endIndex - point == 7,
            digits[(point + 1)...].allSatisfy(\.isDigit), let degrees = Int64(wire: digits[..<point]), degrees <= 180
        else { return nil }
        let fraction = digits[(point + 1)...].reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        let value = degrees * 1_000_000 + fraction
        // Minus zero would be a second spelling of zero.
        guard !isNegative || value != 0 else { return nil }
        return Int32(isNegative ? -value : value)
    }

    private static func text(_ value: Int32) -> String {
        let fraction = String(value.magnitude % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.utf8.count)
        return "\(value < 0 ? "-" : "")\(value.magnitude / 1_000_000).\(zeros)\(fraction)"
    }
}

/// What proves a gestión: the SHA-256 of a file that stays with the agency or the institution, and where it is kept.
///
/// Written `sha256:` and 64 hexadecimal digits; where the place is told, `@` and 1 to 200 bytes follow.
package struct EvidenceReference: Hashable, Sendable, CustomStringConvertible, WireValue {
    static var expected: String { "sha256:<64 lowercase hexadecimal digits>, and @<place> where it is told" }
    package let digest: [UInt8]
    package let locator: String?

    package init?(digest: [UInt8], locator: String? = nil) {
        guard digest.count == 32, locator.map({ (1...200).contains($0.utf8.count) }) ?? true else { return nil }
        self.digest = digest
        self.locator = locator
    }

    init?(wire bytes: ArraySlice<UInt8>) {
        let prefix = Array("sha256:".utf8)
        guard bytes.starts(with: prefix) else { return nil }
        let rest = bytes.dropFirst(prefix.count)
        guard let digest = HexBytes(wire: rest.prefix(64)) else { return nil }
        let place = rest.dropFirst(64)
        if place.isEmpty {
            self.init(digest: digest.bytes)
        } else {
            guard place.first == 0x40 else { return nil }
            self.init(digest: digest.bytes, locator: String(decoding: place.dropFirst(), as: UTF8.self))
        }
    }

    func write(to output: inout [UInt8]) { output.append(value: description) }

    package var description: String { "sha256:\(HexBytes(digest))\(locator.map { "@\($0)" } ?? "")" }
}

extension ReportRequest {
    /// The report again, from what was kept of it (``canonicalContent``).
    package init?(kept content: String, key: Int64) {
        guard let line = RequestLine(kept: content, key: key, verb: .report),
            let report = try? ReportRequest(line, isKept: true)
        else { return nil }
        self = report
    }
}

extension ReportRequest {
    /// What a report may say beside the columns that every outcome has, as texts.
    package struct Details: Hashable, Sendable {
        package let branch: String?
        package let motive: String?
        package let position: String?
        package let solution: String?
        package let evidence: String?

        package init(branch: String?, motive: String?, position: String?, solution: String?, evidence: String?) {
            self.branch = branch
            self.motive = motive
            self.position = position
            self.solution = solution
            self.evidence = evidence
        }
    }

    /// Adds details that were kept as texts.
    ///
    /// - Returns: `nil` where one of them is none that a report can have.
    package func with(_ details: Details) -> ReportRequest? {
        var report = self
        func read<Value: WireValue>(_ text: String?, into value: inout Value?) -> Bool {
            guard let text else { return true }
            value = Value(wire: Array(text.utf8)[...])
            return value != nil
        }
        guard read(details.branch, into: &report.branch), read(details.motive, into: &report.motive),
            read(details.position, into: &report.position), read(details.solution, into: &report.solution),
            read(details.evidence, into: &report.evidence)
        else { return nil }
        return report
    }
}
