// SPDX-License-Identifier: Apache-2.0

/// What a policy said of the accounts of one batch: a code for each, and the relief that it may be offered.
///
/// Holds the working memory of the evaluation too, so every thread needs one of its own.
package final class ColumnVerdicts {
    package let capacity: Int
    package fileprivate(set) var count = 0
    /// One code per account: its place in ``ColumnSegmenter/outcomes``.
    let codes: UnsafeMutablePointer<UInt16>
    let draft: UnsafeMutablePointer<UInt16>
    let slots: UnsafeMutablePointer<UInt8>
    private let planes: UnsafeMutablePointer<UInt8>
    private let planeCount: Int
    private var derived: [AccountField: UnsafeMutablePointer<Int64>] = [:]

    init(capacity: Int, slots: Int, planes: Int, derived: [AccountField]) {
        self.capacity = capacity
        let padded = (capacity + ColumnKernels.step - 1) / ColumnKernels.step * ColumnKernels.step
        for field in derived {
            let column = UnsafeMutablePointer<Int64>.allocate(capacity: padded)
            column.initialize(repeating: AccountRow.missing, count: padded)
            self.derived[field] = column
        }
        self.codes = .allocate(capacity: capacity)
        self.draft = .allocate(capacity: ColumnProgram.stretch)
        self.slots = .allocate(capacity: max(1, slots) * ColumnProgram.stretch)
        self.planes = .allocate(capacity: max(1, planes) * capacity)
        self.planeCount = planes
    }

    deinit {
        codes.deallocate()
        draft.deallocate()
        slots.deallocate()
        planes.deallocate()
        for column in derived.values { column.deallocate() }
    }

    func begin(_ count: Int) {
        precondition(count <= capacity, "\(count) accounts into verdicts for \(capacity)")
        self.count = count
    }

    /// Works a derived field out for all accounts of a batch.
    func derive(_ field: AccountField, _ batch: ColumnBatch, _ cut: LocalDate) -> UnsafeMutableRawPointer {
        guard let column = derived[field] else { preconditionFailure("\(field.name) is not one that the policy reads") }
        let daysInMonth = AccountField.daysInMonth(cut)
        for index in 0..<batch.count {
            column[index] = field.derived(cut: cut, daysInMonth: daysInMonth) { batch.raw($0, index) }
        }
        return UnsafeMutableRawPointer(column)
    }

    /// Adds how many accounts may be offered each kind of relief.
    package func countOffers(into counts: inout ColumnOfferCounts) {
        for number in 0..<planeCount {
            counts.planes[number].add(bytes: UnsafeBufferPointer(start: plane(number), count: count))
        }
    }

    /// Eight kinds of relief each, one bit per kind.
    func plane(_ number: Int) -> UnsafeMutablePointer<UInt8> { planes + number * capacity }

    package func code(_ index: Int) -> UInt16 {
        precondition(index < count, "account \(index) of \(count)")
        return codes[index]
    }

    /// Bit i: the policy's relief i may be offered.
    package func offers(_ index: Int) -> UInt64 {
        precondition(index < count, "account \(index) of \(count)")
        var offers: UInt64 = 0
        for number in 0..<planeCount { offers |= UInt64(plane(number)[index]) << UInt64(8 * number) }
        return offers
    }

    package func withCodes<Value>(_ body: (UnsafeBufferPointer<UInt16>) throws -> Value) rethrows -> Value {
        try body(UnsafeBufferPointer(start: codes, count: count))
    }

    /// Adds how often each code is there. Four counters take turns, because most neighbours have the same code.
    package func count(into counts: inout ColumnCounts) {
        counts.add(UnsafeBufferPointer(start: codes, count: count))
    }
}

/// How many accounts have each code.
package struct ColumnCounts: Sendable {
    private var counters: [UInt32]
    private let codes: Int

    package init(codes: Int) {
        self.codes = codes
        self.counters = Array(repeating: 0, count: codes * 4)
    }

    mutating func add(_ values: UnsafeBufferPointer<UInt16>) { add(numbers: values) }
    mutating func add(bytes values: UnsafeBufferPointer<UInt8>) { add(numbers: values) }

    @inline(__always)
    private mutating func add<Number: FixedWidthInteger>(numbers values: UnsafeBufferPointer<Number>) {
        let codes = codes
        counters.withUnsafeMutableBufferPointer { counters in
            var index = 0
            while index + 4 <= values.count {
                counters[Int(values[index])] &+= 1
                counters[codes + Int(values[index + 1])] &+= 1
                counters[2 * codes + Int(values[index + 2])] &+= 1
                counters[3 * codes + Int(values[index + 3])] &+= 1
                index += 4
            }
            for rest in index..<values.count { counters[Int(values[rest])] &+= 1 }
        }
    }

    package mutating func add(_ other: ColumnCounts) {
        for index in counters.indices { counters[index] &+= other.counters[index] }
    }

    package subscript(code: Int) -> Int64 {
        (0..<4).reduce(0) { $0 + Int64(counters[$1 * codes + code]) }
    }
}

/// How many accounts may be offered each kind of relief.
package struct ColumnOfferCounts: Sendable {
    fileprivate var planes: [ColumnCounts]

    init(planes: Int) { self.planes = Array(repeating: ColumnCounts(codes: 256), count: planes) }

    package mutating func add(_ other: ColumnOfferCounts) {
        for index in planes.indices { planes[index].add(other.planes[index]) }
    }

    /// Of the relief of this number in the policy.
    package subscript(relief: Int) -> Int64 {
        let plane = planes[relief / 8]
        return (0..<256).reduce(0) { $1 & 1 << (relief % 8) == 0 ? $0 : $0 + plane[$1] }
    }
}
