// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// What is known about how to reach one debtor. It exists in memory only while it is sealed or disclosed, and has no description,
/// so that no log can show it by accident.
struct ContactCard: Codable, Equatable, CustomStringConvertible {
    var name: String?
    var phones: [String] = []
    var email: String?
    var address: String?

    var description: String { "ContactCard" }

    var isEmpty: Bool { name == nil && phones.isEmpty && email == nil && address == nil }

    func encoded() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) }

    init(name: String? = nil, phones: [String] = [], email: String? = nil, address: String? = nil) {
        self.name = name
        self.phones = phones
        self.email = email
        self.address = address
    }

    init?(encoded bytes: [UInt8]) {
        guard let card = try? JSONDecoder().decode(ContactCard.self, from: Data(bytes)) else { return nil }
        self = card
    }
}
