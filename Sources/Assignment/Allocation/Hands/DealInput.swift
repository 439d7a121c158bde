// SPDX-License-Identifier: Apache-2.0

/// One account of a pool that is to be dealt; results name it by its place in the input.
package struct DealCandidate: Hashable, Sendable {
    package var account: Int64
    /// 1 goes first. Range: 0...255.
    package var priority: Int16
    /// What must be alike in every hand (``StratumKey``).
    package var stratum: StratumKey
    package var overdue: Int64
    package var balance: Int64
    /// The contract to which a live promise or an agreement in cure binds the account.
    package var promisedTo: ContractID?
    /// Who has several credits has the same number in each; 0: not known to have several.
    package var debtor: Int64 = 0
    package var former = FormerHolders()
    /// Not found in an earlier band: only for agencies that search, and not for one that has had it (ASG-08).
    package var needsSearch = false
    /// The place in the list of bars of what keeps contracts from it; 0: nothing does.
    package var bar: Int16 = 0

    package init(account: Int64, priority: Int16, stratum: StratumKey, overdue: Int64, balance: Int64) {
        self.account = account
        self.priority = priority
        self.stratum = stratum
        self.overdue = overdue
        self.balance = balance
    }
}

/// The agencies that had an account in the last periods and are not to get it again, four at most: whoever returned it
/// last, and those within the rotation's span.
package struct FormerHolders: Hashable, Sendable {
    package static let countMax = 4
    /// Agency numbers, 0 where there is none.
    private var first: Int32 = 0
    private var second: Int32 = 0
    private var third: Int32 = 0
    private var fourth: Int32 = 0

    /// The first four are kept: give the latest first.
    package init(_ agencies: [AgencyID] = []) {
        let numbers = agencies.prefix(Self.countMax).map(\.value)
        if numbers.count > 0 { first = numbers[0] }
        if numbers.count > 1 { second = numbers[1] }
        if numbers.count > 2 { third = numbers[2] }
        if numbers.count > 3 { fourth = numbers[3] }
    }

    /// These agencies first, then those that were there, four in all.
    package func adding(_ agencies: [AgencyID]) -> FormerHolders {
        FormerHolders(agencies + [first, second, third, fourth].compactMap { AgencyID($0) })
    }

    /// Two in each, of 32 bits, the first in the lower half; 0 where there is none.
    package init(packed first: Int64, _ second: Int64 = 0) {
        let halves = [first, second].flatMap { [Int32(truncatingIfNeeded: $0), Int32(truncatingIfNeeded: $0 >> 32)] }
        self.init(halves.compactMap { AgencyID($0) })
    }

    var isEmpty: Bool { first == 0 }

    package func contains(_ agency: AgencyID) -> Bool {
        let number = agency.value
        return number == first || number == second || number == third || number == fourth
    }
}

/// The combination of traits that every hand must have its part of. Which traits count is a setting; the tactic always.
package struct StratumKey: Hashable, Sendable, Comparable {
    /// Tactic in the highest bits, then band, balance, probability, employment: as stored with the position.
    package let value: Int32

    /// - Parameters: `tactic` 0...255; the others 0...15, 0 where the trait does not count.
    package init(tactic: Int, band: Int = 0, balance: Int = 0, probability: Int = 0, employment: Int = 0) {
        let traits = [band, balance, probability, employment].map { min(max($0, 0), 15) }
        self.value = Int32(traits.reduce(min(max(tactic, 0), 255)) { $0 << 4 | $1 })
    }

    /// As it was stored with a position.
    package init(stored value: Int32) { self.value = value }

    package static func < (left: StratumKey, right: StratumKey) -> Bool { left.value < right.value }

    package var tactic: Int { Int(value >> 16) }
    package var band: Int { Int(value >> 12 & 15) }
    package var balance: Int { Int(value >> 8 & 15) }
    package var probability: Int { Int(value >> 4 & 15) }
    package var employment: Int { Int(value & 15) }
}

/// What one contract may be dealt of a pool.
package struct DealShare: Hashable, Sendable {
    package var contract: ContractID
    package var agency: AgencyID
    package var accounts: Int64
    /// Centavos; `nil`: no bond limits it.
    package var exposureMax: Int64?
    package var exposure: Exposure
    /// Whether the agency searches for debtors who were not found (ASG-08).
    package var searches: Bool
    /// Of an experiment, stored with each position; 0: none.
    package var arm: Int16
    /// Shares with the same number wait in one hand, first come first served; they have one agency each and one exposure.
    /// `nil`: a hand of its own.
    package var sharing: Int?

    package init(
        contract: ContractID, agency: AgencyID, accounts: Int64, exposureMax: Int64? = nil,
        exposure: Exposure = Exposure(basis: .none, factorBasisPoints: 0), searches: Bool = false, arm: Int16 = 0,
        sharing: Int? = nil
    ) {
        self.contract = contract
        self.agency = agency
        self.accounts = accounts
        self.exposureMax = exposureMax
        self.exposure = exposure
        self.searches = searches
        self.arm = arm
        self.sharing = sharing
    }
}
