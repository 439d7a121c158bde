// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension VisitTerritory {
    /// Where packs have no visits: by the orders in force (`visit-ban`) and by the plan settings of the period.
    static func read(_ packs: [String], _ link: PgLink, period: Period) throws -> VisitTerritory {
        var territory = VisitTerritory()
        guard !packs.isEmpty else { return territory }
        for (ban, _) in try link.readVisitBans() where packs.contains(ban.pack.rawValue) {
            if let municipality = ban.municipality {
                territory.ban(municipality)
            } else {
                territory.ban(ban.delegation)
            }
        }
        // A ban of municipalities is for everybody, and the plan's; it names no pack.
        for ban in try PlanSettingsBook(link).inForce(period).settings.bans
        where ban.portfolio == .homeVisit && !(ban.packs ?? []).isDisjoint(with: packs) {
            for delegation in ban.delegations { territory.ban(delegation) }
        }
        return territory
    }
}

extension Policy {
    /// As it places accounts: without visits where a pack that it brings has none (GEO-02).
    func onTheGround(_ link: PgLink, period: Period) throws -> Policy {
        withoutVisits(in: try VisitTerritory.read(packs, link, period: period))
    }
}
