// SPDX-License-Identifier: Apache-2.0

/// The name that a misspelt one is likely to mean: at most a third of its letters off, ties by order; `nil` if none
/// is near.
package func nearestName(to misspelt: String, among names: [String]) -> String? {
    let wanted = Array(misspelt.lowercased().utf8.prefix(64))
    var best: (name: String, distance: Int)?
    for name in names {
        let distance = editDistance(wanted, Array(name.lowercased().utf8))
        guard distance <= max(1, name.utf8.count / 3), distance < best?.distance ?? .max else { continue }
        best = (name, distance)
    }
    return best?.name
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to make one of the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var before = [Int](repeating: 0, count: right.count + 1)
    var above = before
    var row = Array(0...right.count)
    for (leftIndex, leftByte) in left.enumerated() {
        (before, above) = (above, row)
        row[0] = leftIndex + 1
        for (rightIndex, rightByte) in right.enumerated() {
            let change = above[rightIndex] + (leftByte == rightByte ? 0 : 1)
            var least = min(change, above[rightIndex + 1] + 1, row[rightIndex] + 1)
            if leftIndex > 0, rightIndex > 0, leftByte == right[rightIndex - 1], left[leftIndex - 1] == rightByte {
                least = min(least, before[rightIndex - 1] + 1)
            }
            row[rightIndex + 1] = least
        }
    }
    return row[right.count]
}
