// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Glibc
internal import PgStore

/// Contact data on its way into the database: read, sealed and written, so that nothing of it is ever staged in the clear.
package struct ContactImport {
    private let file: InputFile
    private let cipher: ContactCipher

    /// Accounts of one statement.
    private static let pageMax = 1_000

    package init(file path: String, cipher: ContactCipher) throws(CommandFailure) {
        file = try InputFile(path)
        self.cipher = cipher
    }

    /// Takes all rows or none.
    ///
    /// - Returns: how many accounts have new contact data.
    package func run(on link: DatabaseLink) throws -> Int {
        var reader = TableReader(.contacts, latestDay: LocalDate(daysSince1970: .max))
        var bad: [BadValue] = []
        var page: [SealedContact] = []
        var total = 0
        return try link.transaction {
            reading: while true {
                do {
                    switch try reader.next() {
                    case .row:
                        page.append(try sealed(reader))
                        total += 1
                        if page.count == Self.pageMax { try write(&page, link) }
                    case .bad(let values): bad += values.prefix(max(0, 100 - bad.count))
                    case .hungry:
                        Console.progress("Reading \(file.name)", done: reader.rowCount, of: nil)
                        try reader.fill { try file.read(into: $0) }
                    case .end: break reading
                    }
                } catch let unreadable as TableReader.Unreadable {
                    throw CommandFailure(
                        .findings, "\(file.name), line \(unreadable.line): \(unreadable.reason)",
                        remedy: unreadable.remedy)
                }
            }
            Console.progress("Reading \(file.name)", done: reader.rowCount, of: reader.rowCount, isDone: true)
            guard bad.isEmpty else {
                // Without the values: they are a debtor's data.
                for value in bad { Console.note("\(file.name):\(value.line): \(value.column): \(value.reason)") }
                throw CommandFailure(
                    .findings, "\(file.name) has bad rows; nothing of it was taken",
                    remedy: "Correct them, and import the file again.")
            }
            try write(&page, link)
            return total
        }
    }

    private func write(_ page: inout [SealedContact], _ link: DatabaseLink) throws {
        // The last row of an account counts, also within one statement.
        var latest: [AccountID: SealedContact] = [:]
        for contact in page { latest[contact.account] = contact }
        for before in try link.readContacts(latest.values.map { ($0.delegation, $0.account) }) {
            guard let now = latest[before.account].flatMap(address) else { continue }
            // A new address is to be searched (CAD-14, CAD-15). What was sealed with another key tells nothing.
            guard let card = card(before) else { continue }
            latest[before.account]?.hasNewAddress = card.address != now
        }
        try link.writeContacts(latest.values.sorted { $0.account < $1.account })
        page.removeAll(keepingCapacity: true)
    }

    private func address(_ contact: SealedContact) -> String? { card(contact)?.address }

    private func card(_ contact: SealedContact) -> ContactCard? {
        cipher.open(contact.sealed, delegation: contact.delegation, account: contact.account).flatMap {
            ContactCard(encoded: $0)
        }
    }

    private func sealed(_ row: TableReader) throws -> SealedContact {
        guard let delegation = Delegation(Int16(truncatingIfNeeded: row.number("delegation"))),
            let account = AccountID(row.number("account"))
        else { throw CommandFailure(.findings, "line \(row.line) names no account", remedy: "Correct it.") }
        let card = ContactCard(
            name: row.text(named: "name"),
            phones: ["phone_1", "phone_2", "phone_3"].compactMap { row.text(named: $0) },
            email: row.text(named: "email"), address: row.text(named: "address"))
        return SealedContact(
            delegation: delegation, account: account, keyID: cipher.keyID,
            sealed: try cipher.seal(card.encoded(), delegation: delegation, account: account))
    }
}

/// `dispatcherd contacts` without its flags.
package enum ContactCommands {
    package static func load(_ path: String, settings: Settings, _ link: DatabaseLink) throws -> String {
        guard let keyFile = settings.contactKeyFile else {
            throw CommandFailure(
                .usage, "no key file is named, and contact data is stored sealed only",
                remedy: "Make one with `dispatcherd contacts new-key FILE`, and set contact.key-file.")
        }
        let count = try ContactImport(file: path, cipher: ContactCipher(file: keyFile)).run(on: link)
        return "contact data of \(Console.grouped(count)) accounts taken in"
    }

    /// Makes a key file that only its owner may read; an existing file is not touched.
    package static func newKey(_ path: String) throws -> String {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .environment, "\(path) cannot be made: \(String(cString: strerror(errno)))",
                remedy: "Name a file that is not there yet, in a folder that can be written.")
        }
        defer { close(descriptor) }
        let text = Array(ContactCipher.newKeyText().utf8)
        guard text.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == text.count else {
            throw CommandFailure(.environment, "\(path) cannot be written", remedy: "Free some space.")
        }
        return "key \(try ContactCipher(file: path).keyID) is in \(path); without it the contact data is lost"
    }
}
