// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Simulation
import Testing

struct ReviewersTests {
    @Test func `three in four gestiones are approved, and some agencies have a third of their dwellings rejected`()
        throws
    {
        let folder = try TemporaryFolder()
        var text = "outcome,delegation,agency,account,worked_at,result\n"
        for number in 1...24_000 {
            let result = number % 3 == 0 ? "dwelling-irregular" : "no-answer"
            text +=
                "\(number),\(number % 8 + 1),ACE0\(number / 8 % 5 + 1),\(1_000 + number),2024-03-04T15:42:10.000Z,\(result)\n"
        }
        let pending = try Table(text: text, path: "pending.csv", required: Reviewers.required)

        let counts = try Reviewers(seed: 7).review(pending, to: "\(folder.path)/reviews.csv")
        let reviews = try Table(path: "\(folder.path)/reviews.csv", required: Reviewers.header)

        #expect((700...800).contains(counts.approved * 1_000 / 24_000))
        var rejected: [String: Int] = [:]
        var all: [String: Int] = [:]
        for (row, review) in zip(pending.rows, reviews.rows) where pending.text(row, "result") == "dwelling-irregular" {
            let place = pending.text(row, "agency") + " " + pending.text(row, "delegation")
            all[place, default: 0] += 1
            if reviews.text(review, "decision") == "rejected" { rejected[place, default: 0] += 1 }
        }
        let bad = all.filter { (rejected[$0.key] ?? 0) * 10 > $0.value * 3 }
        #expect((1...10).contains(bad.count))
        #expect(reviews.rows.allSatisfy { !reviews.text($0, "reason").isEmpty })
    }

    @Test func `reviews are not written over what is read, by whatever name`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/pending.csv"
        let text =
            "outcome,delegation,agency,account,worked_at,result\n1,9,ACE01,1001,2024-03-04T15:42:10.000Z,no-answer\n"
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link.csv", withDestinationPath: path)
        let pending = try Table(path: path, required: Reviewers.required)

        for name in ["pending.csv", "./pending.csv", "link.csv"] {
            let failure = #expect(throws: SimulationFailure.self) {
                try Reviewers(seed: 7).review(pending, to: "\(folder.path)/\(name)")
            }
            #expect(failure?.exit == .usage && failure?.found.contains("written over") == true)
        }
        #expect(try Folder.text(path) == text)
    }
}
