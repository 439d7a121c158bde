// SPDX-License-Identifier: Apache-2.0

/// The accounts of one delegation that get a row, with their verdicts; and those among them that may be invited.
struct VerdictList: Sendable {
    struct Candidate: Sendable {
        let account: Int64
        let arrears: Int64
        let code: UInt16
    }

    private(set) var accounts: [Int64] = []
    private(set) var codes: [UInt16] = []
    /// Empty where the policy has no relief.
    private(set) var offers: [UInt64] = []
    private(set) var candidates: [Candidate] = []
    private var isSorted = true

    init() {}

    /// All of them in one, by account number.
    init(_ parts: [VerdictList]) {
        let count = parts.reduce(0) { $0 + $1.accounts.count }
        accounts.reserveCapacity(count)
        codes.reserveCapacity(count)
        for part in parts {
            isSorted = isSorted && part.isSorted && (accounts.last ?? .min) < (part.accounts.first ?? .max)
            accounts += part.accounts
            codes += part.codes
            offers += part.offers
        }
    }

    mutating func append(_ account: Int64, _ code: UInt16) {
        isSorted = isSorted && (accounts.last ?? .min) < account
        accounts.append(account)
        codes.append(code)
    }

    mutating func append(offers value: UInt64) { offers.append(value) }

    mutating func append(_ candidate: Candidate) { candidates.append(candidate) }

    /// By account number.
    func forEach(_ body: (_ account: Int64, _ code: UInt16, _ offers: UInt64) -> Void) {
        guard !isSorted else {
            for index in accounts.indices { body(accounts[index], codes[index], offers.isEmpty ? 0 : offers[index]) }
            return
        }
        for index in accounts.indices.sorted(by: { accounts[$0] < accounts[$1] }) {
            body(accounts[index], codes[index], offers.isEmpty ? 0 : offers[index])
        }
    }
}
