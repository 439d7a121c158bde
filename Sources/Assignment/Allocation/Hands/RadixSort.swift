// SPDX-License-Identifier: Apache-2.0

/// A key and the place that it stands for.
struct KeyedPlace {
    var key: UInt64
    var place: Int32
}

extension [KeyedPlace] {
    /// Sorts by key, keeping the order of equal keys: six passes over eleven bits each, of which those where all keys
    /// agree are skipped.
    mutating func sortByKey() {
        guard count > 1 else { return }
        if count < 512 { return sortFew() }
        let digits = 1 << 11
        var other = self
        for shift in stride(from: UInt64(0), to: 64, by: 11) {
            var starts = [Int](repeating: 0, count: digits)
            for item in self { starts[Int(item.key >> shift) & (digits - 1)] += 1 }
            if starts.contains(count) { continue }
            var sum = 0
            for digit in 0..<digits {
                let here = starts[digit]
                starts[digit] = sum
                sum += here
            }
            for item in self {
                let digit = Int(item.key >> shift) & (digits - 1)
                other[starts[digit]] = item
                starts[digit] += 1
            }
            swap(&self, &other)
        }
    }

    private mutating func sortFew() {
        for last in 1..<count where self[last].key < self[last - 1].key {
            sort { ($0.key, $0.place) < ($1.key, $1.place) }
            return
        }
    }
}
