// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
package import Assignment
package import PgStore

/// Keys of agencies, added one by one or by file, listed and revoked. Each change has a record in the ledgers of the agency's
/// delegations: who may speak for an agency decides what its reports are worth.
package struct AgencyKeyring {
    private let link: PgLink
    private let by: String

    /// - Parameter by: who changes keys, for the ledger.
    package init(_ link: PgLink, by: String) {
        self.link = link
        self.by = by
    }

    package struct Additions: Equatable, Sendable {
        package var added = 0
        package var unchanged = 0

        package init(added: Int = 0, unchanged: Int = 0) {
            self.added = added
            self.unchanged = unchanged
        }
    }

    /// - Parameter expiresOn: the last day, in Mexico City, on which the key is taken.
    package static func key(
        agency: AgencyID, name: String, base64: String, expiresOn: LocalDate?
    ) throws(CommandFailure) -> AgencyKey {
        guard let bytes = Base64.bytes(base64), bytes.count == 32 else {
            throw CommandFailure(
                .usage, "the public key is not the Base64 of 32 bytes",
                remedy: "Give the Ed25519 public key, 44 characters.")
        }
        guard isName(name) else {
            throw CommandFailure(
                .usage, "`\(BadValue(line: 0, column: "", value: name, reason: "").value)` is no name of a key",
                remedy: "A name is 1 to 40 letters, digits, `-`, `_`, `.`, `/` or `:`.")
        }
        return AgencyKey(agency: agency, name: name, publicKey: bytes, expiresAt: expiresOn.map(endOfDay))
    }

    package func add(_ key: AgencyKey) throws -> Additions { try link.transaction { try put(key) } }

    /// In a transaction of the caller's.
    private func put(_ key: AgencyKey) throws -> Additions {
        switch try addRecorded(key) {
        case .added: return Additions(added: 1)
        case .unchanged: return Additions(unchanged: 1)
        case let refusal:
            throw CommandFailure(.findings, Self.reason(refusal, key), remedy: Self.remedy(refusal))
        }
    }

    private func addRecorded(_ key: AgencyKey) throws -> AgencyKeyStore.Addition {
        let addition = try AgencyKeyStore(link).add(key)
        if addition == .added {
            try record("add", key.agency, key.name, until: key.expiresAt, publicKey: key.publicKey)
        }
        return addition
    }

    /// Of many keys together: one block in each delegation.
    private func record(added keys: [AgencyKey]) throws {
        guard !keys.isEmpty else { return }
        let now = try link.readNow()
        let delegations = try AgencyKeyStore(link).delegations(of: nil)
        let records = keys.flatMap { key in
            self.records(
                "add", key.agency, key.name, in: delegations[key.agency] ?? [], until: key.expiresAt,
                publicKey: key.publicKey, at: now)
        }
        try link.insertBlocks(LedgerBlock.seal(records))
    }

    private func record(
        _ action: String, _ agency: AgencyID, _ name: String, until: Timestamp?, publicKey: [UInt8]? = nil
    ) throws {
        let records = self.records(
            action, agency, name, in: try AgencyKeyStore(link).delegations(of: agency)[agency] ?? [], until: until,
            publicKey: publicKey, at: try link.readNow())
        try link.insertBlocks(LedgerBlock.seal(records))
    }

    private func records(
        _ action: String, _ agency: AgencyID, _ name: String, in delegations: [Delegation], until: Timestamp?,
        publicKey: [UInt8]?, at now: Timestamp
    ) -> [LedgerRecord] {
        // An agency may have its keys before it works anywhere.
        (delegations.isEmpty ? [LedgerRecord.chain(of: nil)] : delegations).map { delegation in
            LedgerRecord.key(
                agency, name, action, in: delegation, publicKey: publicKey, until: until, by: LedgerRecord.word(by),
                period: Period.ofWork(at: now), at: now)
        }
    }

    /// Adds all keys of a file, or none.
    package func add(file path: String) throws -> Additions {
        let file = try InputFile(path)
        // Keys have no date that could lie in the future.
        var reader = TableReader(.keys, latestDay: LocalDate(daysSince1970: .max))
        var bad: [BadValue] = []
        var additions = Additions()
        var added: [AgencyKey] = []
        try link.transaction {
            reading: while bad.count < BadRowFile.shownMax {
                do {
                    switch try reader.next() {
                    case .row:
                        let key = try Self.key(reader)
                        switch try AgencyKeyStore(link).add(key) {
                        case .added: added.append(key)
                        case .unchanged: additions.unchanged += 1
                        case let refusal:
                            bad.append(
                                BadValue(
                                    line: reader.line, column: Self.column(refusal),
                                    value: reader.text(named: Self.column(refusal)) ?? "",
                                    reason: Self.reason(refusal, key)))
                        }
                    case .bad(let values): bad += values
                    case .hungry: try reader.fill { try file.read(into: $0) }
                    case .end: break reading
                    }
                } catch let unreadable as TableReader.Unreadable {
                    throw CommandFailure(
                        .findings, "\(file.name), line \(unreadable.line): \(unreadable.reason)",
                        remedy: unreadable.remedy)
                }
            }
            guard bad.isEmpty else {
                for value in bad {
                    Console.note("\(file.name):\(value.line): \(value.column) `\(value.value)`: \(value.reason)")
                }
                throw CommandFailure(
                    .findings, "\(file.name) has bad rows; no key was added",
                    remedy: "Correct them, and add the file again.")
            }
            additions.added = added.count
            try record(added: added)
        }
        return additions
    }

    package func list(_ agency: AgencyID?) throws -> [AgencyKey] { try AgencyKeyStore(link).list(agency) }

    package func revoke(_ agency: AgencyID, name: String) throws -> Timestamp {
        try link.transaction {
            guard let (instant, isNew) = try AgencyKeyStore(link).revoke(agency, name: name) else {
                throw CommandFailure(
                    .findings, "\(agency) has no key named \(name)",
                    remedy: "See `dispatcherd agency key list --agency \(agency)`.")
            }
            if isNew { try record("revoke", agency, name, until: instant) }
            return instant
        }
    }

    /// Adds a key in the place of another one, which is taken for some days more. Both or nothing.
    ///
    /// - Returns: when the old key ends.
    package func rotate(_ key: AgencyKey, replacing old: String, afterDays days: Int32) throws -> Timestamp {
        guard key.name != old else {
            throw CommandFailure(
                .usage, "the new key has the name of the old one", remedy: "A name is used for one key; give another.")
        }
        return try link.transaction {
            _ = try put(key)
            guard let end = try AgencyKeyStore(link).expire(key.agency, name: old, afterDays: days) else {
                throw CommandFailure(
                    .findings, "\(key.agency) has no key named \(old) that is in force",
                    remedy: "See `dispatcherd agency key list --agency \(key.agency)`.")
            }
            try record("rotate", key.agency, old, until: end)
            return end
        }
    }

    // MARK: Rows and refusals

    private static func key(_ row: TableReader) throws(CommandFailure) -> AgencyKey {
        let expires = row.text(named: "expires_on").flatMap { LocalDate(text: $0) }
        guard let agency = AgencyID(Int32(truncatingIfNeeded: row.number("agency"))) else {
            throw CommandFailure(.findings, "line \(row.line) names no agency", remedy: "")
        }
        return try key(
            agency: agency, name: row.text(named: "key_name") ?? "", base64: row.text(named: "public_key") ?? "",
            expiresOn: expires)
    }

    private static func endOfDay(_ day: LocalDate) -> Timestamp {
        Timestamp(date: day.advanced(byDays: 1), offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }

    private static func isName(_ name: String) -> Bool {
        (1...40).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x5F, 0x2E, 0x2F, 0x3A].contains(byte)
            }
    }

    private static func column(_ refusal: AgencyKeyStore.Addition) -> String {
        switch refusal {
        case .unknownAgency: "agency"
        case .nameTaken: "key_name"
        case .keyTaken: "public_key"
        case .added, .unchanged: ""
        }
    }

    private static func reason(_ refusal: AgencyKeyStore.Addition, _ key: AgencyKey) -> String {
        switch refusal {
        case .unknownAgency: "there is no agency \(key.agency)"
        case .nameTaken: "\(key.agency) has had another key, or another last day, under the name \(key.name)"
        case .keyTaken(let agency, let name): "the key is that of \(agency) already, as \(name)"
        case .added, .unchanged: ""
        }
    }

    private static func remedy(_ refusal: AgencyKeyStore.Addition) -> String {
        switch refusal {
        case .unknownAgency: "Import its contracts first."
        case .nameTaken: "Add it under a new name, and revoke the old one."
        case .keyTaken: "Make a key pair of its own for each name."
        case .added, .unchanged: ""
        }
    }
}

extension LedgerRecord {
    /// A key of an agency is added, revoked, or ends because another one takes its place.
    static func key(
        _ agency: AgencyID, _ name: String, _ action: String, in delegation: Delegation, publicKey: [UInt8]?,
        until: Timestamp?, by: String, period: Period, at now: Timestamp
    ) -> LedgerRecord {
        var text = "key agency=\(agency) delegation=\(delegation) name=\(name) action=\(action)"
        if let publicKey { text += " public=\(LedgerTree.hex(publicKey))" }
        if let until { text += " until=\(until)" }
        return LedgerRecord(delegation: delegation, period: period, text + " by=\(by) at=\(now)")
    }
}
