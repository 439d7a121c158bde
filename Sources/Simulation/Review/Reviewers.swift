// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// The delegations' reviewers: they approve most gestiones and reject the rest with a coded reason.
///
/// Calibrated on GES-01: 73 % of gestiones are valid and approved. In a few delegations an agency does badly: more than
/// 30 % of its gestiones on irregular dwellings (PEN-05) or on agreements (PEN-07) are rejected.
package struct Reviewers: Sendable {
    package static let required = ["outcome", "delegation", "agency", "account", "worked_at", "result"]
    package static let header = ["outcome", "delegation", "decision", "reason", "reviewer"]

    let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    package struct Counts: Sendable {
        package var approved = 0
        package var rejected = 0
    }

    /// - Throws: ``SimulationFailure`` where a row has no outcome number, or the reviews would be written over what is read.
    package func review(_ pending: Table, to path: String) throws(SimulationFailure) -> Counts {
        guard !Folder.isSame(pending.path, path) else {
            throw SimulationFailure(
                .usage, "the reviews would be written over \(pending.path), which is read",
                remedy: "Name another file with --out")
        }
        var rows = try RowWriter(path: path, header: Self.header)
        var counts = Counts()
        for row in pending.rows {
            let outcome = pending.text(row, "outcome")
            let delegation = pending.text(row, "delegation")
            guard Int(outcome) != nil, let place = Int(delegation) else {
                throw SimulationFailure(
                    .usage, "\(pending.path) has the outcome \(outcome) of delegation \(delegation)",
                    remedy: "Give what dispatcherd review list --pending --csv wrote")
            }
            // By the work and not by the outcome's number, which depends on who of many reported first.
            let work = Self.number("\(pending.text(row, "account")) \(pending.text(row, "worked_at"))")
            let reason = rejection(
                work, place, agency: pending.text(row, "agency"), result: pending.text(row, "result"))
            rows.field(text: outcome)
            rows.field(text: delegation)
            rows.field(text: reason == nil ? "approved" : "rejected")
            rows.field(text: reason ?? "complete")
            rows.field(text: "supervisor-\(delegation)-\(work & 1 + 1)")
            try rows.endRow()
            if reason == nil { counts.approved += 1 } else { counts.rejected += 1 }
        }
        try rows.finish()
        return counts
    }

    private func rejection(_ work: Int, _ delegation: Int, agency: String, result: String) -> String? {
        var random = SplitMix64(seed: seed, 0x2E, work)
        let isBad = isBadAgency(agency, delegation, result)
        switch result {
        case "dwelling-irregular":
            return random.chance(isBad ? 4_800 : 1_300)
                ? random.pick(["no-photograph", "wrong-address", "dwelling-inhabited"]) : nil
        case "agreement-signed":
            return random.chance(isBad ? 4_500 : 600)
                ? random.pick(["no-signature", "wrong-solution", "document-missing"]) : nil
        default:
            return random.chance(2_700)
                ? random.pick(["no-recording", "outside-script", "duplicate", "not-verifiable"]) : nil
        }
    }

    /// About one agency of twelve in a delegation, for each kind of result.
    private func isBadAgency(_ agency: String, _ delegation: Int, _ result: String) -> Bool {
        var random = SplitMix64(seed: seed, 0xBAD, Self.number(agency), Self.number(result), delegation)
        return random.chance(850)
    }

    private static func number(_ text: String) -> Int { text.utf8.reduce(0) { $0 &* 31 &+ Int($1) } }
}
