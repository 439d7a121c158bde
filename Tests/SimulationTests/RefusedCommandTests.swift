// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

/// Command lines that are refused before any database is asked.
struct RefusedCommandTests {
    @Test(arguments: [
        ("close --propose --preview --by Ana", "--preview only looks"),
        ("close --propose --json --by Ana", "it leaves no files and no JSON"),
        ("close --propose --out month --by Ana", "it leaves no files and no JSON"),
        ("close --give-back --preview", "it stands alone"),
        ("review check", "--by"),
        (
            "adjustment propose credit --contract 1 --rule FEE-11 --amount 1 --reason r --by Ana --beyond-invoice",
            "--beyond-invoice is of a debit"
        ),
    ])
    func `options that contradict each other and names that lack are refused`(words: String, told: String) throws {
        let (code, text) = try ChildProcess.run(
            ChildProcess.sibling("dispatcherd"),
            words.split(separator: " ").map(String.init)
                + ["--period", "2024-03", "--database", "postgresql:///nowhere?host=/nowhere"])
        #expect(code == 2)
        #expect(text.contains(told), "\(text)")
        #expect(!text.contains("nowhere"), "\(text)")
    }

    /// An empty word is most likely a variable that was not set.
    @Test(arguments: [
        (["portfolio", "--period", "2024-03", "--accounts", "10", "--out", ""], "--out is empty"),
        (["chaos", "--only", "", "--out", "/nowhere"], "--only names no fault"),
        (["chaos", "--only", ",", "--out", "/nowhere"], "--only names no fault"),
        (["month", "--period", "2024-03", "--out", "/nowhere", "--seeds", "4"], "go with --model"),
        (["month", "--period", "2024-03", "--out", "/nowhere", "--workers", "4"], "go with --model"),
        (["month", "--period", "2024-03", "--out", "/nowhere", "--untreated", "4"], "go with --model"),
    ])
    func `what agentsim would pass over in silence is refused`(words: [String], told: String) throws {
        let (code, text) = try ChildProcess.run(ChildProcess.sibling("agentsim"), words)
        #expect(code == 2)
        #expect(text.contains(told), "\(text)")
    }
}
