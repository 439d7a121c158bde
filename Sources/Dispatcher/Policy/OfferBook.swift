// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// A solution that an account may be offered, with the clause of the policy that makes it so.
package struct OfferedSolution: Encodable, Sendable, Hashable {
    package let solution: String
    package let title: String
    package let titulo: String
    /// Catalogue IDs, as in `SOL-07`.
    package let origins: [String]
    /// What it comes to on the balance of the cut, in words; absent where the institution's own system says it.
    package var amounts: String?
}

/// What the recorded offers of a period's accounts stand for: the relief of the policy that placed them, in its order.
struct OfferBook: Sendable {
    let policy: Policy
    let solutions: [OfferedSolution]

    init(_ policy: Policy) {
        self.policy = policy
        self.solutions = policy.relief.map {
            OfferedSolution(
                solution: $0.name, title: $0.title.english, titulo: $0.title.spanish, origins: $0.origins)
        }
    }

    /// - Throws: ``CommandFailure`` (usage) where the period has no placements.
    init(_ link: PgLink, period: Period) throws {
        self.init(try PlanDraft.placements(link, period: period).1.policy(for: period))
    }

    /// - Parameters:
    ///   - offers: bits, by the relief's order.
    ///   - balance: of the account, in the cut.
    func solutions(_ offers: UInt64, balance: Cents) -> [OfferedSolution] {
        solutions.indices.filter { offers & 1 << UInt64($0) != 0 }.map { index in
            var offer = solutions[index]
            if offer.origins.contains(InstalmentPlan.rule) { offer.amounts = Self.amounts(InstalmentPlan(on: balance)) }
            return offer
        }
    }

    private static func amounts(_ plan: InstalmentPlan?) -> String? {
        guard let plan, let first = plan.instalments.first else { return nil }
        let count = plan.instalments.count
        let last = plan.instalments.last.flatMap { $0 == first ? nil : ", the last \(grouped($0))" } ?? ""
        return
            "\(grouped(plan.down)) down and \(count) × \(grouped(first))\(last), on time \(grouped(plan.onTime(0))) each: "
            + "\(grouped(plan.total(onTime: count))) in all"
    }
}
