// SPDX-License-Identifier: Apache-2.0

/// What a little more of one limit would place: found by planning again, so it is exact where the counts are.
package struct PlanWorth: Hashable, Sendable {
    package let weight: Int64
    package let accounts: Int64
}

extension PlanInput {
    /// What more advisers of a contract would place, at a station or, without a delegation, over its portfolio.
    package func worth(
        ofAdvisers count: Int64, _ contract: ContractID, in portfolio: Portfolio, at delegation: Delegation? = nil
    ) -> PlanWorth {
        var changed = self
        guard let place = contracts.firstIndex(where: { $0.contract == contract }) else { return .none }
        if let delegation {
            let station = Station(delegation: delegation, portfolio: portfolio)
            guard let staffing = changed.contracts[place].staffing[station] else { return .none }
            changed.contracts[place].staffing[station] = staffing.more(count)
        } else {
            guard let staffing = changed.contracts[place].portfolios[portfolio] else { return .none }
            changed.contracts[place].portfolios[portfolio] = staffing.more(count)
        }
        return worth(of: changed)
    }

    /// What more bond of a contract would place. Where bonds are scarce, both plans may miss the best by their gap, and
    /// so may this.
    package func worth(ofBond centavos: Int64, _ contract: ContractID) -> PlanWorth {
        var changed = self
        guard let place = contracts.firstIndex(where: { $0.contract == contract }) else { return .none }
        changed.contracts[place].bond += centavos
        return worth(of: changed)
    }

    private func worth(of changed: PlanInput) -> PlanWorth {
        let before = BondParting(PlanNetwork(self)).filling.flow
        let after = BondParting(PlanNetwork(changed)).filling.flow
        return PlanWorth(
            weight: max(0, after.weight - before.weight),
            accounts: max(0, after.placed.reduce(0, +) - before.placed.reduce(0, +)))
    }
}

extension PlanWorth {
    fileprivate static let none = PlanWorth(weight: 0, accounts: 0)
}

extension PlanContract.Staffing {
    fileprivate func more(_ count: Int64) -> Self {
        Self(
            committed: committed + count, present: present.map { $0 + count }, accountsPerAdviser: accountsPerAdviser)
    }
}

extension AllocationPlan {
    /// The most that one more centavo of a contract's bond can be worth, in 10⁻¹² of a weight; 0 where the bond is not
    /// scarce.
    package func bondPrice(_ contract: ContractID) -> Int64 {
        let price = certificate.prices[.bond(contract)] ?? 0
        let product = price.multipliedFullWidth(by: 1_000_000_000_000 / PlanCertificate.bondUnit)
        return certificate.scale.dividingFullWidth(product).quotient
    }

    /// The limits of which more would help, for ``PlanInput/worth(ofAdvisers:_:in:at:)``.
    package var scarce: Set<PlanLimit> { Set(certificate.prices.keys) }
}
