// SPDX-License-Identifier: Apache-2.0

extension PgLink {
    /// Whether libpq would read `text` as an address: a PostgreSQL URL, or words as in `host=db.example dbname=reparto`.
    ///
    /// Anything else libpq takes for the name of a database on this machine, so that the address of another product's server
    /// ends in a complaint about a database that nobody asked for.
    package static func isAddress(_ text: String) -> Bool {
        if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") { return true }
        guard let equals = text.utf8.firstIndex(of: 0x3D) else { return false }
        let keyword = text[..<equals].split(separator: " ")
        return keyword.count == 1
            && keyword[0].utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    }

    /// What an address looks like, for people.
    package static let addressExample =
        "Write postgresql://user@host/database, or words as in 'host=db.example dbname=reparto'."
}
