// SPDX-License-Identifier: Apache-2.0

@testable import Dispatcher
import FoundationEssentials
import Glibc
import PgStore
import Simulation
import TestSupport
import Testing

/// `reparto-agent check`, the Python client's, on what `ledger prove` and `statement export` write now.
struct PythonCheckTests {
    private func check(_ words: [String]) throws -> (code: Int32, text: String) {
        // scripts/test.sh names one that has 'cryptography'.
        let python = getenv("REPARTO_PYTHON").map { String(cString: $0) } ?? "python3"
        let program = "import sys; from reparto_agent.cli import main; sys.exit(main(sys.argv[1:]))"
        return try ChildProcess.run(
            "/usr/bin/env",
            [
                "PYTHONPATH=\(Checkout.root)/clients/python/src", "PYTHONDONTWRITEBYTECODE=1", python, "-c",
                program,
                "check",
            ] + words)
    }

    @Test func `the Python client believes fresh proofs of a report and of a statement, and no others`() async throws {
        try await ProvenMonth.with(stages: true) { month in
            let signing = RootSigning(month.link)
            let key = Base64.text(try #require(try ProofStore(month.link).keys().first).publicKey)
            func file(_ name: String, _ text: String) throws -> String {
                let path = "\(month.folder)/\(name)"
                try Data(text.utf8).write(to: URL(filePath: path))
                return path
            }
            let report = try file("report.json", signing.prove(receipt: month.receipts[0]).text)
            let held = try check([report, "--key", key])
            #expect(held.code == 0 && held.text.contains("outcome number="), "\(held.text)")

            var question = StatementExplanation.Question()
            question.contract = 1
            question.delegation = 9
            let line = try #require(
                try StatementExplanation(month.link, period: ProvenMonth.period, question).lines.first)
            let receipt = try #require(LedgerTree.bytes(hex: line.statementReceipt))
            let proof = try file("statement-proof.json", signing.prove(receipt: receipt).text)
            let kept = try MonthClosing(month.link, period: ProvenMonth.period).kept()
            let (own, other) = (
                try file("C1.json", try #require(kept.first { $0.contract == 1 }).body),
                try file("C2.json", try #require(kept.first { $0.contract == 2 }).body)
            )
            let whole = try check([proof, "--key", key, "--statement", own])
            #expect(
                whole.code == 0 && whole.text.contains("C1.json is the statement that was signed, to the byte"),
                "\(whole.text)")
            #expect(try check([proof, "--statement", other]).code != 0)
            #expect(try check([report, "--statement", own]).code != 0)
            // Another key, and a record that was changed.
            #expect(try check([report, "--key", Base64.text([UInt8](repeating: 7, count: 32))]).code != 0)
            let changed = try file(
                "changed.json",
                String(contentsOfFile: report, encoding: .utf8).replacing("account=1001", with: "account=1002"))
            #expect(try check([changed, "--key", key]).code != 0)
        }
    }
}
