// SPDX-License-Identifier: Apache-2.0

/// Damages rows of one of the month's files, as often as it has rows for it, and lists them as ``MessPlan`` does those of the cut:
/// `planted-stops.csv` beside `stops.csv`.
struct FeedMess {
    /// One damaged row has so many good ones behind it.
    static let rowsPerDamage = 2

    /// - Parameter name: of the file, without its ending; it is whole, and is written anew.
    static func damage(
        _ name: String, _ file: MessFile, in folder: String, times: Int, seed: UInt64
    ) throws(SimulationFailure) {
        let path = "\(folder)/\(name).csv"
        var good: [[UInt8]] = []
        try Folder.eachLine(path) { good.append(Array($0)) }
        var rows = try RowWriter(path: path, header: file.header)
        var planted = try RowWriter(path: "\(folder)/planted-\(name).csv", header: MessPlan.header)
        var waiting = (0..<times).flatMap { _ in Damage.allCases.filter { file.column($0) != nil } }
        var random = SplitMix64(seed: seed, 0x3E56, name.utf8.count)
        // The header is the first line.
        var line = 2
        for (number, row) in good.dropFirst().enumerated() {
            let isDue = number.isMultiple(of: rowsPerDamage + 1)
            guard isDue, let damage = waiting.first, let (damaged, places) = damage.rows(of: row, in: file, &random)
            else {
                try rows.write(raw: row + [0x0A], isRow: true)
                line += 1
                continue
            }
            waiting.removeFirst()
            for place in places {
                planted.field(line + place)
                planted.field(text: damage.rawValue)
                planted.field(text: file.column(damage) ?? "")
                planted.field(text: damage.meaning)
                try planted.endRow()
            }
            for bytes in damaged { try rows.write(raw: bytes + [0x0A], isRow: true) }
            line += damaged.count
        }
        try rows.finish()
        try planted.finish()
    }
}
