// SPDX-License-Identifier: Apache-2.0

/// How the debtors of a made portfolio are reached: `contacts.csv`, for `dispatcherd contacts load`. Everything in it is made up.
struct ContactMaker {
    static let header = ["account", "delegation", "name", "phone_1", "phone_2", "phone_3", "email", "address"]

    private static let givenNames = ["Ana", "Luis", "María", "José", "Rosa", "Juan", "Elena", "Pedro", "Lucía", "Raúl"]
    private static let familyNames = [
        "Torres", "Soto", "Ramírez", "Núñez", "Flores", "Díaz", "Mora", "Vega", "Peña", "Ríos",
    ]
    private static let streets = ["Av. Hidalgo", "Calle Juárez", "Calle Morelos", "Av. Reforma", "Calle Allende"]

    let seed: UInt64

    /// One row for whoever may be worked this month. Accounts that begin within it and were in nobody's hands before have none.
    ///
    /// - Returns: whether there is one.
    func write(_ draft: AccountDraft, to rows: inout RowWriter) throws(SimulationFailure) -> Bool {
        guard draft.isCollected else { return false }
        var random = SplitMix64(seed: seed, stream: UInt64(draft.account))
        let (given, family) = (random.pick(Self.givenNames), random.pick(Self.familyNames))
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.field(text: "\(given) \(family)")
        for isThere in [draft.hasPhone, draft.hasPhone && random.chance(3_000), false] {
            // No such area code is given out.
            let number = random.between(1_000_000...9_999_999)
            rows.field(text: isThere ? "+52 000 \(number)" : "")
        }
        rows.field(text: draft.hasEmail ? "d\(draft.account)@example.com" : "")
        let street = random.pick(Self.streets)
        rows.field(text: draft.hasAddress ? "\(street) \(random.between(1...999))" : "")
        try rows.endRow()
        return true
    }
}
