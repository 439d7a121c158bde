// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// Where each agency works, as the file of contracts says.
package struct ContractBook: Sendable {
    /// One contract in one delegation.
    package struct Post: Sendable {
        package var contract: ContractID
        package var delegation: Delegation
        package var strategies: [Strategy]
        package var telephoneAdvisers: Int
        package var homeVisitAdvisers: Int
    }

    package let posts: [AgencyID: [Post]]

    package init(path: String) throws(SimulationFailure) {
        let columns = ["contract", "agency", "delegation", "strategies", "telephone_advisers", "home_visit_advisers"]
        let table = try Table(path: path, required: columns)
        var posts: [AgencyID: [Post]] = [:]
        for row in table.rows {
            let names = table.text(row, "strategies").split(separator: ";")
            let strategies = names.compactMap { Strategy(name: $0) }
            guard let contract = ContractID(text: table.text(row, "contract")),
                let agency = AgencyID(text: table.text(row, "agency")),
                let delegation = Delegation(text: table.text(row, "delegation")), strategies.count == names.count,
                let telephone = Int(table.text(row, "telephone_advisers")),
                let visits = Int(table.text(row, "home_visit_advisers"))
            else {
                throw SimulationFailure(
                    .usage, "\(path) has the row \(row.prefix(7).joined(separator: ","))",
                    remedy: "Give the contracts that agentsim portfolio wrote")
            }
            posts[agency, default: []].append(
                Post(
                    contract: contract, delegation: delegation, strategies: strategies, telephoneAdvisers: telephone,
                    homeVisitAdvisers: visits))
        }
        self.posts = posts
    }
}
