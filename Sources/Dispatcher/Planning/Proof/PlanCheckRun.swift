// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Verifies an applied plan again, from its own record and the limits that it put in force; what is in the other tables by
/// now does not matter, but that no account is somebody's twice.
package struct PlanCheckRun {
    package struct Report: Encodable, Sendable {
        package let plan: Int64
        package let period: String
        package let state: String
        package let digest: String
        package let appliedBy: [String]
        package let appliedAt: String?
        package let quotas: Int
        package let weight: Int64
        package let bound: Int64
        /// What is not as it was said; empty where all is.
        package let faults: [String]

        package var lines: [String] {
            let who = appliedBy.isEmpty ? "" : " by \(appliedBy.joined(separator: ", ")) at \(appliedAt ?? "")"
            var lines = ["plan \(plan) of \(period), \(state)\(who), digest \(digest.prefix(16))"]
            lines += faults.map { "fault: \($0)" }
            let proof = weight == bound ? "no plan places more" : "no plan places more than \(bound)"
            lines.append(
                faults.isEmpty
                    ? "fine: \(quotas) quotas, weight \(weight), \(proof)" : "faults: \(faults.count)")
            return lines
        }
    }

    private let link: PgLink
    private let period: Period

    package init(_ link: PgLink, period: Period) {
        self.link = link
        self.period = period
    }

    /// - Throws: ``CommandFailure``: usage where the period has no plan or none with a record; environment where the record
    ///   cannot be read.
    package func run() throws -> Report {
        let store = PlanProofStore(link)
        let row = try PlanRecord.row(store, of: period)
        let proof = try PlanProof(text: row.body)
        var faults = PlanCheck(proof.plan, of: proof.input).faults.map { "\($0)" }
        let limits = Dictionary(
            proof.limits.map { (PlanKey(cell: PlanCell($0.pool), contract: $0.contract), $0.limitAccounts) }
        ) { first, _ in first }
        faults += LimitCheck(limits, of: proof.input).faults.map { "\($0)" }
        if proof.digest != row.digest {
            faults.append(
                "the record's digest is \(LedgerTree.hex(proof.digest)), the plan's \(LedgerTree.hex(row.digest))")
        }
        if row.state == "applied" {
            faults += differences(proof.limits, try store.limits(row.plan))
            let doubled = try link.countDoubled(in: nil)
            if doubled > 0 {
                faults.append(
                    "\(Console.grouped(Int(doubled))) accounts wait in two open hands, or wait in one while they are held, or are held twice"
                )
            }
        }
        return Report(
            plan: row.plan, period: period.description, state: row.state, digest: LedgerTree.hex(row.digest),
            appliedBy: row.appliedBy, appliedAt: row.appliedAt?.description, quotas: proof.plan.quotas.count,
            weight: proof.plan.weight, bound: proof.plan.bound, faults: faults)
    }

    private func differences(_ said: [QuotaRow], _ found: [QuotaRow]) -> [String] {
        func named(_ rows: [QuotaRow]) -> [String: String] {
            Dictionary(
                rows.map { row in
                    (
                        "\(row.pool.words) contract=\(row.contract)",
                        "\(row.limitAccounts) accounts, \(row.limitExposure.map { Cents($0).description } ?? "no bond")"
                    )
                }
            ) { first, _ in first }
        }
        let (expected, actual) = (named(said), named(found))
        return Set(expected.keys).union(actual.keys).sorted().compactMap { key in
            expected[key] == actual[key]
                ? nil
                : "\(key): the record says \(expected[key] ?? "nothing"), in force was \(actual[key] ?? "nothing")"
        }
    }
}
