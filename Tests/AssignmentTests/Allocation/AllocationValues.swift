// SPDX-License-Identifier: Apache-2.0

import Assignment

// MARK: - Readable values

extension Delegation {
    static func number(_ value: Int16) -> Delegation { Delegation(value) ?? Delegation.all[0] }
}

extension ContractID {
    static func number(_ value: Int32) -> ContractID {
        guard let id = ContractID(value) else { preconditionFailure("\(value) is no contract") }
        return id
    }
}

extension PoolKey {
    static func key(
        _ strategy: Strategy = .administrative, in delegation: Int16 = 14, _ portfolio: Portfolio = .telephone
    ) -> PoolKey {
        PoolKey(delegation: .number(delegation), strategy: strategy, portfolio: portfolio)
    }
}

extension Station {
    static func at(_ delegation: Int16, _ portfolio: Portfolio = .telephone) -> Station {
        Station(delegation: .number(delegation), portfolio: portfolio)
    }
}

extension Exposure {
    static let none = Exposure(basis: .none, factorBasisPoints: 10_000)
    static let overdue = Exposure(basis: .overdue, factorBasisPoints: 10_000)
}
