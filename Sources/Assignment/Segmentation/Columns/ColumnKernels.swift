// SPDX-License-Identifier: Apache-2.0

/// The loops that do the work. Each goes over one stretch of accounts and does one thing, without branches, so that
/// the compiler turns it into vector instructions. A mask is one byte per account: 0xFF where it holds, 0 where not.
enum ColumnKernels {
    typealias Mask = UnsafeMutablePointer<UInt8>

    /// How a test meets what the mask holds already.
    enum Merge: Hashable {
        case replace, and, or
    }

    /// Accounts per step of a test. Whatever is tested has room for a whole last step.
    static let step = 16
    private typealias Held = SIMD16<Int8>

    /// The test `first <= value <= last`, as one subtraction and one comparison: the range is moved down to where it
    /// starts at the least number, so that whatever lies below wraps around to above its end.
    ///
    /// Written in vectors of each width: left to itself, the compiler narrows four masks at a time where sixteen fit,
    /// and generic vectors become loops over their elements.
    static func range(
        _ column: UnsafeRawPointer, _ width: ColumnWidth, _ count: Int, _ range: ClosedRange<Int64>, _ merge: Merge,
        _ mask: Mask
    ) {
        switch width {
        case .int8: range8(column, count, range, merge, mask)
        case .int16: range16(column, count, range, merge, mask)
        case .int32: range32(column, count, range, merge, mask)
        case .int64: range64(column, count, range, merge, mask)
        }
    }

    @inline(__always)
    private static func store(_ holds: Held, _ merge: Merge, _ mask: UnsafeMutableRawPointer, _ index: Int) {
        switch merge {
        case .replace: mask.storeBytes(of: holds, toByteOffset: index, as: Held.self)
        case .and:
            let held = mask.loadUnaligned(fromByteOffset: index, as: Held.self)
            mask.storeBytes(of: held & holds, toByteOffset: index, as: Held.self)
        case .or:
            let held = mask.loadUnaligned(fromByteOffset: index, as: Held.self)
            mask.storeBytes(of: held | holds, toByteOffset: index, as: Held.self)
        }
    }

    @inline(never)
    private static func range8(
        _ column: UnsafeRawPointer, _ count: Int, _ range: ClosedRange<Int64>, _ merge: Merge, _ mask: Mask
    ) {
        let first = Int8(truncatingIfNeeded: range.lowerBound) &- Int8.min
        let base = SIMD16<Int8>(repeating: first)
        let end = SIMD16<Int8>(repeating: Int8(truncatingIfNeeded: range.upperBound) &- first)
        var index = 0
        while index < count {
            let values = column.loadUnaligned(fromByteOffset: index, as: SIMD16<Int8>.self)
            let holds = SIMD16<Int8>(repeating: 0).replacing(with: -1, where: values &- base .<= end)
            store(holds, merge, mask, index)
            index &+= step
        }
    }

    @inline(never)
    private static func range16(
        _ column: UnsafeRawPointer, _ count: Int, _ range: ClosedRange<Int64>, _ merge: Merge, _ mask: Mask
    ) {
        let first = Int16(truncatingIfNeeded: range.lowerBound) &- Int16.min
        let base = SIMD16<Int16>(repeating: first)
        let end = SIMD16<Int16>(repeating: Int16(truncatingIfNeeded: range.upperBound) &- first)
        var index = 0
        while index < count {
            let values = column.loadUnaligned(fromByteOffset: index &* 2, as: SIMD16<Int16>.self)
            let holds = SIMD16<Int16>(repeating: 0).replacing(with: -1, where: values &- base .<= end)
            store(Held(truncatingIfNeeded: holds), merge, mask, index)
            index &+= step
        }
    }

    @inline(never)
    private static func range32(
        _ column: UnsafeRawPointer, _ count: Int, _ range: ClosedRange<Int64>, _ merge: Merge, _ mask: Mask
    ) {
        let first = Int32(truncatingIfNeeded: range.lowerBound) &- Int32.min
        let base = SIMD16<Int32>(repeating: first)
        let end = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: range.upperBound) &- first)
        var index = 0
        while index < count {
            let values = column.loadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Int32>.self)
            let holds = SIMD16<Int32>(repeating: 0).replacing(with: -1, where: values &- base .<= end)
            store(Held(truncatingIfNeeded: holds), merge, mask, index)
            index &+= step
        }
    }

    @inline(never)
    private static func range64(
        _ column: UnsafeRawPointer, _ count: Int, _ range: ClosedRange<Int64>, _ merge: Merge, _ mask: Mask
    ) {
        let first = Int64(truncatingIfNeeded: range.lowerBound) &- Int64.min
        let base = SIMD16<Int64>(repeating: first)
        let end = SIMD16<Int64>(repeating: Int64(truncatingIfNeeded: range.upperBound) &- first)
        var index = 0
        while index < count {
            let values = column.loadUnaligned(fromByteOffset: index &* 8, as: SIMD16<Int64>.self)
            let holds = SIMD16<Int64>(repeating: 0).replacing(with: -1, where: values &- base .<= end)
            store(Held(truncatingIfNeeded: holds), merge, mask, index)
            index &+= step
        }
    }

    /// The test of a balance's share of the original amount, without dividing and so exactly: the share is at least so many
    /// basis points where the balance times 10,000 is at least as many times the original amount.
    ///
    /// - Parameters:
    ///   - first: as ``AccountField/balanceShare`` counts, twice the basis points, one more for above them; at least 0,
    ///     and at most `shareMax`.
    ///   - end: the first number above the range, at most `shareMax`; `nil` where it has no end.
    static func share(
        _ balances: UnsafePointer<Int64>, _ wholes: UnsafePointer<Int64>, _ count: Int, _ first: UInt64, _ end: UInt64?,
        _ merge: Merge, _ mask: Mask
    ) {
        var bits: Int64 = 0
        for i in 0..<count { bits |= balances[i] | wholes[i] }
        guard UInt64(bitPattern: bits) >> shareBits == 0 else {
            for i in 0..<count {
                let byte: UInt8 = isWideShare(balances[i], wholes[i], first, end) ? 0xFF : 0
                switch merge {
                case .replace: mask[i] = byte
                case .and: mask[i] &= byte
                case .or: mask[i] |= byte
                }
            }
            return
        }
        let ends = ShareEnds(first: Int64(first), end: end.map { Int64($0) })
        switch merge {
        case .replace: for i in 0..<count { mask[i] = share(balances[i], wholes[i], ends) }
        case .and: for i in 0..<count { mask[i] &= share(balances[i], wholes[i], ends) }
        case .or: for i in 0..<count { mask[i] |= share(balances[i], wholes[i], ends) }
        }
    }

    /// The ends of a range in basis points, and whether each is itself left out or taken in.
    private struct ShareEnds {
        let first: Int64
        /// 1: the share must be above `first`.
        let above: Int64
        let end: Int64
        /// 1: the share may be `end` too.
        let reached: Int64
        /// 0 where the range has no end, else all bits.
        let kept: Int64

        init(first: Int64, end: Int64?) {
            self.first = first >> 1
            self.above = first & 1
            self.end = (end ?? 2) >> 1
            self.reached = (end ?? 0) & 1
            self.kept = end == nil ? 0 : -1
        }
    }

    /// By the signs of two differences, without a jump: one must not be below zero, the other must. Where the range has no
    /// end, the second holds by itself. An original amount of zero is refused by its own sign.
    @inline(__always)
    private static func share(_ balance: Int64, _ whole: Int64, _ ends: ShareEnds) -> UInt8 {
        let part = balance &* BasisPoints.whole
        let above = part &- ends.first &* whole &- ends.above
        let below = part & ends.kept &- ends.end &* whole &- ends.reached
        return UInt8(truncatingIfNeeded: (~above & below & (0 &- whole)) >> 63)
    }

    /// Amounts below 2⁴⁹ centavos are multiplied in 64 bits; the factors are below 2¹⁴.
    private static let shareBits: UInt64 = 49
    static let shareMax: Int64 = 2 * 16_383

    @inline(never)
    private static func isWideShare(_ balance: Int64, _ whole: Int64, _ first: UInt64, _ end: UInt64?) -> Bool {
        let field = AccountField.balanceShare
        let share = field.derived(cut: LocalDate(daysSince1970: 0), daysInMonth: 0) { $0 == .balance ? balance : whole }
        return share != AccountRow.missing && share >= Int64(first) && end.map { share < Int64($0) } ?? true
    }

    /// The test for one of many values: a search in the sorted starts of their runs.
    static func runs(
        _ column: UnsafeRawPointer, _ width: ColumnWidth, _ count: Int, _ runs: [ClosedRange<Int64>], _ mask: Mask
    ) {
        for i in 0..<count {
            let value =
                switch width {
                case .int8: Int64(column.load(fromByteOffset: i, as: Int8.self))
                case .int16: Int64(column.load(fromByteOffset: i * 2, as: Int16.self))
                case .int32: Int64(column.load(fromByteOffset: i * 4, as: Int32.self))
                case .int64: column.load(fromByteOffset: i * 8, as: Int64.self)
                }
            var (low, high) = (0, runs.count)
            while low < high {
                let middle = (low + high) / 2
                if runs[middle].upperBound < value { low = middle + 1 } else { high = middle }
            }
            mask[i] = low < runs.count && runs[low].lowerBound <= value ? 0xFF : 0
        }
    }

    static func fill(_ mask: Mask, _ count: Int, _ value: UInt8) {
        for i in 0..<count { mask[i] = value }
    }

    static func merge(_ other: UnsafePointer<UInt8>, _ count: Int, _ merge: Merge, _ mask: Mask) {
        switch merge {
        case .replace: for i in 0..<count { mask[i] = other[i] }
        case .and: for i in 0..<count { mask[i] &= other[i] }
        case .or: for i in 0..<count { mask[i] |= other[i] }
        }
    }

    static func invert(_ other: UnsafePointer<UInt8>, _ count: Int, _ mask: Mask) {
        for i in 0..<count { mask[i] = ~other[i] }
    }

    /// Where the mask holds, `value`.
    static func select(_ mask: UnsafePointer<UInt8>, _ count: Int, _ value: UInt8, _ out: Mask) {
        for i in 0..<count { out[i] = (out[i] & ~mask[i]) | (value & mask[i]) }
    }

    /// Where the mask holds, one more bit.
    static func setBits(_ mask: UnsafePointer<UInt8>, _ count: Int, _ bits: UInt8, _ out: Mask) {
        for i in 0..<count { out[i] |= mask[i] & bits }
    }

    static func fill(_ codes: UnsafeMutablePointer<UInt16>, _ count: Int, _ value: UInt16) {
        for i in 0..<count { codes[i] = value }
    }

    static func add(
        _ index: UnsafePointer<UInt8>, _ count: Int, times stride: UInt16, _ codes: UnsafeMutablePointer<UInt16>
    ) {
        for i in 0..<count { codes[i] &+= UInt16(index[i]) &* stride }
    }

    /// Where the mask holds, the other code.
    static func select(
        _ mask: UnsafePointer<UInt8>, _ count: Int, _ other: UnsafePointer<UInt16>,
        _ codes: UnsafeMutablePointer<UInt16>
    ) {
        for i in 0..<count {
            let wide = UInt16(bitPattern: Int16(Int8(bitPattern: mask[i])))
            codes[i] = (codes[i] & ~wide) | (other[i] & wide)
        }
    }

    /// Where the index is not `none`, the index itself.
    static func select(
        _ index: UnsafePointer<UInt8>, _ count: Int, unless none: UInt8, _ codes: UnsafeMutablePointer<UInt16>
    ) {
        for i in 0..<count {
            let wide = UInt16(index[i])
            let kept: UInt16 = wide == UInt16(none) ? 0xFFFF : 0
            codes[i] = (codes[i] & kept) | (wide & ~kept)
        }
    }
}
