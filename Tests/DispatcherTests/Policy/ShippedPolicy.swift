// SPDX-License-Identifier: Apache-2.0

import Assignment
import Dispatcher
import FoundationEssentials
import TestSupport

/// The policies as they lie in the repository.
enum ShippedPolicy {
    /// The folder of their tests.
    static let tests = Checkout.root + "/Tests/DispatcherTests/Policy"

    static func text(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(Checkout.root)/policies/\(name).yaml"), encoding: .utf8)
    }

    static func infonavit() throws -> PolicyFile { try PolicyFile(text: text("infonavit-2023")) }
}

/// The last day of February 2024: the cut of March.
let cutOfMarch = Period(monthsSinceYear0: 2024 * 12 + 2).firstDay.advanced(byDays: -1)

extension AccountRow {
    /// An account that is current, with everything known that cannot be missing.
    static var current: AccountRow {
        var row = AccountRow(cut: cutOfMarch)
        for field in AccountField.stored where field.kind != .date { row[field] = 0 }
        for field in [AccountField.regime, .accounting, .situation, .book, .currency] { row[field] = 1 }
        row[.balance] = 32_900_000
        row[.hasPhone] = 1
        row[.hasAddress] = 1
        return row
    }

    func with(_ values: [AccountField: Int64?]) -> AccountRow {
        var row = self
        for (field, value) in values { row[field] = value }
        return row
    }
}

/// A day as rules see it, counted from the cut of March.
func cutPlus(_ days: Int64) -> Int64 { Int64(cutOfMarch.daysSince1970) + days }

func day(_ text: String) -> Int64? { LocalDate(text: text).map { Int64($0.daysSince1970) } }
