// SPDX-License-Identifier: Apache-2.0

/// A cut with damaged rows, the list of them (`planted.csv`), and small files that are damaged as a whole (`mess/`).
struct CutMess {
    /// Rows in each of the small files.
    private static let rowsOfWhole = 20

    private let folder: String
    private var plan: MessPlan
    private var planted: RowWriter
    private var sample: [String] = []

    init(folder: String, _ specification: PortfolioSpecification, times: Int) throws(SimulationFailure) {
        self.folder = folder
        plan = try MessPlan(times: times, accounts: specification.accounts, seed: specification.seed)
        planted = try RowWriter(path: "\(folder)/planted.csv", header: MessPlan.header)
    }

    mutating func write(_ draft: AccountDraft, _ index: Int, to cut: inout CutWriter) throws(SimulationFailure) {
        if sample.count < Self.rowsOfWhole { sample.append(String(decoding: cut.bytes(draft), as: UTF8.self)) }
        try plan.write(draft, index, to: &cut, planted: &planted)
    }

    mutating func finish() throws(SimulationFailure) -> [Damage: Int] {
        guard plan.unplanted.isEmpty else {
            throw SimulationFailure(
                .usage, "no row of the cut lends itself to \(plan.unplanted.count) of the damages",
                remedy: "Take more accounts, or a smaller --mess")
        }
        try planted.finish()
        try Folder.make("\(folder)/mess")
        var list = try RowWriter(path: "\(folder)/mess/files.csv", header: ["file", "kind", "taken"])
        for mess in WholeFileMess.allCases {
            let file = try FileOutput(replacing: "\(folder)/mess/\(mess.fileName)")
            try file.write(mess.bytes(header: CutWriter.header.joined(separator: ","), rows: sample))
            try file.finish()
            list.field(text: mess.fileName)
            list.field(text: mess.rawValue)
            list.field(mess.isHarmless)
            try list.endRow()
        }
        try list.finish()
        return plan.counts
    }
}
