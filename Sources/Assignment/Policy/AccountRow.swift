// SPDX-License-Identifier: Apache-2.0

/// The values of one account, in the order of ``AccountField``; reused from row to row.
package struct AccountRow: Hashable, Sendable {
    /// What stands for a missing value. It lies below every range, so a missing value meets no comparison.
    package static let missing = Int64.min

    /// The day that the values are of; what follows from them may depend on it.
    package let cut: LocalDate
    private var values: [Int64]

    package init(cut: LocalDate) {
        self.cut = cut
        self.values = Array(repeating: Self.missing, count: AccountField.stored.count)
    }

    /// The value; `nil` where it is missing. Setting a derived field has no effect: its value follows from others.
    package subscript(field: AccountField) -> Int64? {
        get {
            let value = raw(field)
            return value == Self.missing ? nil : value
        }
        set { if !field.isDerived { values[field.rawValue] = newValue ?? Self.missing } }
    }

    /// The value, or ``missing``.
    package func raw(_ field: AccountField) -> Int64 {
        field.isDerived ? field.derived(from: self) : values[field.rawValue]
    }

    /// The stored values, in the order of ``AccountField/stored``.
    package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { values.withUnsafeBytes(body) }
}
