// SPDX-License-Identifier: Apache-2.0

/// How many bytes a column gives each account: the narrower, the more accounts fit into one machine instruction.
package enum ColumnWidth: Int, Hashable, Sendable, CaseIterable {
    case int8 = 1
    case int16 = 2
    case int32 = 4
    case int64 = 8

    /// What stands for a missing value: the least that the width holds. No value of the cut is so low.
    package var missing: Int64 {
        switch self {
        case .int8: Int64(Int8.min)
        case .int16: Int64(Int16.min)
        case .int32: Int64(Int32.min)
        case .int64: Int64.min
        }
    }

    /// The values that a column of this width can hold.
    package var range: ClosedRange<Int64> {
        switch self {
        case .int8: Int64(Int8.min) + 1...Int64(Int8.max)
        case .int16: Int64(Int16.min) + 1...Int64(Int16.max)
        case .int32: Int64(Int32.min) + 1...Int64(Int32.max)
        case .int64: Int64.min + 1...Int64.max
        }
    }
}

extension AccountField {
    /// The narrowest width that holds every value of the cut's column (docs/formats.md). What is derived can be larger
    /// than what it is derived from.
    package var width: ColumnWidth {
        if isDerived { return .int64 }
        switch kind {
        case .flag, .code: return .int8
        case .date, .percent: return .int32
        case .money: return .int64
        case .number:
            switch self {
            case .municipality, .daysLate: return .int32
            default: return .int16
            }
        }
    }
}
