// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What the ledger says of the policies that placed months and of the plans that were put in force, against their rows.
///
/// Placements are digested again where no start changed them after the plan, and plans by what is kept of them.
struct PlanRecords {
    private struct Place: Hashable {
        let delegation: Int64
        let period: Period
    }

    /// Of each chain the record of the highest block: that is numbered behind the period's lock, while heights go by transactions.
    private var policies: [Place: (block: Int64, text: String)] = [:]
    /// By number; each delegation's own record says the same.
    private var plans: [Int64: Set<String>] = [:]
    private var planned: Set<Period> = []

    private static let kinds = ["policy ", "plan "].map { Array($0.utf8) }

    mutating func take(_ record: [UInt8], _ period: Period, block: Int64) {
        guard Self.kinds.contains(where: { record.starts(with: $0) }) else { return }
        let text = String(decoding: record, as: UTF8.self)
        guard let fields = LedgerFields(text), let delegation = fields.number("delegation") else { return }
        if fields.kind == "policy" {
            let place = Place(delegation: delegation, period: period)
            if policies[place].map({ $0.block < block }) ?? true { policies[place] = (block, text) }
        } else if let plan = fields.number("plan") {
            planned.insert(period)
            plans[plan, default: []].insert(
                Self.words(
                    plan, period, digest: fields["digest"], placements: fields["placements"],
                    settings: fields["settings"], seed: fields["seed"], by: fields["by"]))
        }
    }

    /// - Parameter isComplete: whether every chain was read; only then a segmentation without a record is one.
    func compare(_ link: PgLink, isComplete: Bool, _ report: inout LedgerVerification.Report) throws {
        let rows = RecordedPlans(link)
        for policy in try rows.changedPolicies() {
            report.add("policy \(policy.name) \(policy.version)", "its kept text is not the one of its digest")
        }
        try compareSegmentations(link, try rows.segmented(), isComplete: isComplete, &report)
        var left = plans
        for row in try rows.plans() {
            guard let recorded = left.removeValue(forKey: row.number) else { continue }
            let words = Self.words(
                row.number, row.period, digest: LedgerTree.hex(row.digest),
                placements: LedgerTree.hex(row.segmentationDigest),
                settings: row.settingsDigest.map(LedgerTree.hex), seed: "\(row.seed)",
                by: row.persons.map(LedgerRecord.word).joined(separator: ","))
            if recorded != [words] || row.state != "applied" {
                report.add("\(row.period)", "plan \(row.number) is stored otherwise than it was put in force")
            }
            try compareProof(link, row, &report)
        }
        for plan in left.keys.sorted() { report.add("plan \(plan)", "it was put in force, and is gone") }
    }

    private func compareSegmentations(
        _ link: PgLink, _ segmented: Set<Period>, isComplete: Bool, _ report: inout LedgerVerification.Report
    ) throws {
        let recorded = Dictionary(grouping: policies) { $0.key.period }
        for period in Set(recorded.keys).union(segmented).sorted() {
            guard let row = try SegmentationStore(link, period: period).segmentation() else {
                // Until it is planned, a cut that is imported anew takes it out.
                if planned.contains(period) { report.add("\(period)", "its segmentation was recorded, and is gone") }
                continue
            }
            guard let records = recorded[period] else {
                if isComplete { report.add("\(period)", "its segmentation is there, and was never recorded") }
                continue
            }
            let isSame = records.allSatisfy { place, said in
                Int16(exactly: place.delegation).flatMap { Delegation($0) }.map {
                    Array(said.text.utf8) == LedgerRecord.policy(row, delegation: $0, period: period).bytes
                } ?? false
            }
            if !isSame { report.add("\(period)", "its segmentation is stored otherwise than it was recorded") }
            if isComplete, let placements = try RecordedPlans(link).placements(period) {
                compare(placements, with: row.digest, period, &report)
            }
        }
    }

    private func compare(
        _ placements: RecordedPlans.PlacementCount, with digest: [UInt8], _ period: Period,
        _ report: inout LedgerVerification.Report
    ) {
        let digests = Dictionary(uniqueKeysWithValues: placements.digests.map { ($0.delegation, $0.digest) })
        // A delegation without rows has the hash of no bytes.
        let all = Delegation.all.flatMap { digests[$0.value] ?? LedgerTree.hash([], []) }
        if LedgerTree.hash(all, []) != digest {
            report.add("\(period)", "its placements are stored otherwise than they were recorded")
        }
        if placements.said != placements.found {
            report.add("\(period)", "its segmentation counts other accounts than the cut and its placements have")
        }
    }

    /// What a plan was made from is kept with it, and its digest is over a part of that: the quotas, and what they go by.
    private func compareProof(
        _ link: PgLink, _ row: RecordedPlans.Plan, _ report: inout LedgerVerification.Report
    ) throws {
        // One at a time: it is as large as the plan.
        guard row.settingsDigest != nil, let kept = try PlanProofStore(link).plan(row.number) else { return }
        guard let proof = try? PlanProof(text: kept.body), proof.digest == row.digest else {
            return report.add("\(row.period)", "what plan \(row.number) was made from is not what its digest is of")
        }
    }

    private static func words(
        _ plan: Int64, _ period: Period, digest: String?, placements: String?, settings: String?, seed: String?,
        by: String?
    ) -> String {
        ["\(plan)", "\(period)", digest, placements, settings, seed, by].map { $0 ?? "" }.joined(separator: " ")
    }
}
