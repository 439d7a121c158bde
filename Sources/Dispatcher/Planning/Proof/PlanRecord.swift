// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Finds plans that were kept.
enum PlanRecord {
    /// - Throws: ``CommandFailure`` (usage) where the period has no plan, or one of before there were records.
    static func row(_ store: PlanProofStore, of period: Period) throws -> PlanProofStore.Row {
        guard let row = try store.plan(of: period) else {
            throw CommandFailure(
                .usage, "\(period) has no plan", remedy: "Look at what would be planned: dispatcherd plan preview")
        }
        return try recorded(row)
    }

    /// A plan by its number or by its month.
    /// - Throws: ``CommandFailure`` (usage).
    static func row(_ store: PlanProofStore, named name: String) throws -> PlanProofStore.Row {
        if let period = Period(text: name) { return try row(store, of: period) }
        guard let number = Int64(canonicalDigits: name) else {
            throw CommandFailure(.usage, "'\(name)' names no plan", remedy: "Give its number, or its month as 2024-03")
        }
        guard let row = try store.plan(number) else {
            throw CommandFailure(
                .usage, "there is no plan \(number)", remedy: "Give its number, or its month as 2024-03")
        }
        return try recorded(row)
    }

    static func recorded(_ row: PlanProofStore.Row) throws -> PlanProofStore.Row {
        guard !row.digest.isEmpty else {
            throw CommandFailure(
                .usage,
                "plan \(row.plan) of \(row.period) stands for what was held before this installation was there: it was dealt "
                    + "elsewhere, and taken over by import opening",
                remedy: "Take a later one")
        }
        guard !row.body.isEmpty else {
            throw CommandFailure(
                .usage,
                "plan \(row.plan) of \(row.period) was made before plans were kept with what they were made from",
                remedy: "Take a later one")
        }
        return row
    }
}
