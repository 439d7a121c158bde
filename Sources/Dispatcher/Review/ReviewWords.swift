// SPDX-License-Identifier: Apache-2.0

/// What a decision says must be there to be read: a reason that is blank explains nothing, a reviewer without a name is nobody.
enum ReviewWords {
    static func faults(_ row: TableReader) -> [(column: String, reason: String)] {
        faults(reason: row.text(named: "reason") ?? "", reviewer: row.text(named: "reviewer") ?? "")
    }

    static func faults(reason: String, reviewer: String) -> [(column: String, reason: String)] {
        var faults: [(column: String, reason: String)] = []
        if PersonName.folded(reason).isEmpty { faults.append(("reason", "is blank; say why")) }
        if PersonName.folded(reviewer).isEmpty {
            faults.append(("reviewer", "is blank; say who decided"))
        } else if let foreign = PersonName.foreign(in: reviewer) {
            faults.append(("reviewer", "has \(Words.foreignness(foreign))"))
        }
        return faults
    }
}
