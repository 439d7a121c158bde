// SPDX-License-Identifier: Apache-2.0

import Assignment
import Simulation
import Testing

/// The arithmetic of a statement: two services, one penalty with a waiver, IVA on both.
struct StatementCheckTests {
    private static func line(
        _ kind: String, _ rule: String, base: String, rate: String, _ amount: String, records: String = ""
    ) -> String {
        #"{"kind":"\#(kind)","rule":"\#(rule)","subject":"s","base":{\#(base)},"rate":{\#(rate)},"amount":"\#(amount)","#
            + #""records":[\#(records)]}"#
    }

    private static func totals(_ values: [String]) -> String {
        #"{"fees":"\#(values[0])","penalties":"\#(values[1])","taxOnFees":"\#(values[2])","#
            + #""taxOnPenalties":"\#(values[3])","payable":"\#(values[4])"}"#
    }

    /// 3 × 12.35 and 1 × 100.00 are 137.05; 5 % of it 6.85, of which 1.00 is waived; IVA 16 %: 21.93 and 0.94.
    private static let sound = [
        line("fee", "FEE-11", base: #""count":3"#, rate: #""pesos":"12.35""#, "37.05", records: "1,2,3"),
        line("fee", "FEE-11", base: #""count":1"#, rate: #""pesos":"100.00""#, "100.00", records: "4"),
        line("penalty", "PEN-02", base: #""pesos":"137.05""#, rate: #""percent":"5""#, "6.85"),
        line("waiver", "PEN-02", base: #""count":1"#, rate: #""pesos":"1.00""#, "1.00"),
        line("tax-on-fees", "IVA", base: #""pesos":"137.05""#, rate: #""percent":"16""#, "21.93"),
        line("tax-on-penalties", "IVA", base: #""pesos":"5.85""#, rate: #""percent":"16""#, "0.94"),
    ]
    private static let sums = ["137.05", "5.85", "21.93", "0.94", "152.19"]

    private func judged(
        _ lines: [String] = sound, section: [String] = sums, invoice: [String] = [],
        invoiceSums: [String] = ["0.00", "0.00", "0.00", "0.00", "0.00"], whole: [String] = sums
    ) throws -> Verdict {
        let text =
            #"{"sections":[{"delegation":14,"lines":[\#(lines.joined(separator: ","))],"totals":\#(Self.totals(section))},"#
            + #"{"lines":[\#(invoice.joined(separator: ","))],"totals":\#(Self.totals(invoiceSums))}],"#
            + #""totals":\#(Self.totals(whole))}"#
        return StatementChecks(
            statements: [try KeptStatement(period: 202_403, contract: 1_001, text)]
        ).verdict()
    }

    @Test func `a sound statement adds up`() throws {
        let verdict = try judged()

        #expect(verdict.findings.map(\.found) == [])
        #expect((verdict.checked[.money] ?? 0) > 20)
    }

    @Test(arguments: [
        (0, "37.06", 2), (2, "6.86", 2), (4, "21.92", 2), (5, "0.93", 2),
    ])
    func `a line that is not its base at its rate is found, with the totals that it breaks`(
        index: Int, amount: String, breaks: Int
    ) throws {
        var lines = Self.sound
        lines[index] = lines[index].replacing(#/"amount":"[^"]*"/#, with: "\"amount\":\"\(amount)\"")
        let verdict = try judged(lines)

        #expect(Set(verdict.broken) == [.money])
        #expect(verdict.findings.first?.found == "a line is not its base at its rate")
        #expect(verdict.findings.first?.events.count == 2)
        #expect(verdict.findings.count >= breaks)
    }

    @Test func `a line counts as many records as it names`() throws {
        var lines = Self.sound
        lines[0] = lines[0].replacing("[1,2,3]", with: "[1,2]")

        #expect(try judged(lines).findings.map(\.found) == ["a line counts more or fewer records than it names"])
    }

    /// 20.00 of fees are taken back: 3.20 of IVA, and none on the penalty.
    @Test func `IVA is on fees that a debit takes back where penalties carry none (AMB-19)`() throws {
        var lines = Self.sound
        lines[5] = Self.line("tax-on-penalties", "IVA", base: #""pesos":"20.00""#, rate: #""percent":"16""#, "3.20")
        lines.append(Self.line("debit", "FEE-11", base: #""count":1"#, rate: #""pesos":"20.00""#, "20.00"))
        let sums = ["137.05", "25.85", "21.93", "3.20", "129.93"]

        #expect(try judged(lines, section: sums, whole: sums).findings.map(\.found) == [])
    }

    @Test func `IVA is on the sum of the section`() throws {
        var lines = Self.sound
        lines[4] = Self.line("tax-on-fees", "IVA", base: #""pesos":"137.06""#, rate: #""percent":"16""#, "21.93")

        #expect(try judged(lines).findings.map(\.found) == ["IVA is not on what the section charges"])
    }

    @Test(arguments: 0..<5) func `each total is the sum of its lines, in sections and in the whole`(index: Int) throws {
        var sums = Self.sums
        sums[index] = "999.99"

        #expect(try judged(section: sums).findings.map(\.found) == ["a total is not the sum of its lines"])
        #expect(try judged(whole: sums).findings.map(\.found) == ["a total is not the sum of its lines"])
    }

    /// A limit of 2 % of 137.05 is 2.74; penalties of 5.85 pass it by 3.11.
    @Test(arguments: [("3.11", "2.74", true), ("3.12", "2.73", false)])
    func `a limit on penalties takes what passes it`(taken: String, left: String, isSound: Bool) throws {
        let cap = Self.line("penalty-cap", "AMB-15", base: #""pesos":"137.05""#, rate: #""percent":"2""#, taken)
        let verdict = try judged(
            invoice: [cap], invoiceSums: ["0.00", "-\(taken)", "0.00", "0.00", taken],
            whole: ["137.05", left, "21.93", "0.94", isSound ? "155.30" : "155.31"])

        #expect(verdict.findings.map(\.found) == (isSound ? [] : ["a limit takes more or less than what passes it"]))
    }

    @Test func `a kind that nobody knows is found`() throws {
        var lines = Self.sound
        lines[3] = lines[3].replacing("waiver", with: "gift")

        #expect(try judged(lines).findings.first?.found == "a line has no amount")
    }
}
