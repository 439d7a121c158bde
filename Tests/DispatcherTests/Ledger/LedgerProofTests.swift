// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import PgStore
import TestSupport
import Testing

struct LedgerProofTests {
    @Test func `a receipt of a signed month is proved offline, and by nobody else's key`() async throws {
        try await ProvenMonth.with { month in
            let key = try #require(try ProofStore(month.link).keys().first)
            for receipt in month.receipts {
                let text = try RootSigning(month.link).prove(receipt: receipt).text
                let finding = try LedgerProof(text: Array(text.utf8)).check(trusted: key.publicKey)

                #expect(finding.record.hasPrefix("outcome number="))
                #expect(finding.period == "2024-03" && finding.delegation == "9")
                #expect(finding.key == key.id && finding.isTrusted == true)
                #expect(text.utf8.count < 8_000)
            }
            let text = try RootSigning(month.link).prove(receipt: month.receipts[0]).text
            let other = try LedgerProof(text: Array(text.utf8)).check(trusted: SigningKey().publicKey)
            #expect(other.isTrusted == false)
        }
    }

    @Test func `the beginning of a receipt that statement explain shows proves its record, where no other begins so`()
        async throws
    {
        try await ProvenMonth.with { month in
            let digits = LedgerTree.hex(month.receipts[0])
            let whole = try LedgerCommands.prove(digits, delegation: nil, month.link)
            for text in ["\(digits.prefix(16))", "\(digits.prefix(16))…", "\(digits.prefix(17))".uppercased()] {
                #expect(try LedgerCommands.prove(text, delegation: 9, month.link) == whole)
            }
            for text in ["\(digits.prefix(15))", "g" + digits.dropFirst(), digits + "0"] {
                let failure = #expect(throws: CommandFailure.self) {
                    try LedgerCommands.prove(text, delegation: nil, month.link)
                }
                #expect(
                    failure?.found == "'\(text)' is no receipt"
                        && failure?.remedy.contains("its first 16 or more") == true)
            }
            let none = #expect(throws: CommandFailure.self) {
                try LedgerCommands.prove(String(repeating: "0", count: 16), delegation: nil, month.link)
            }
            #expect(none?.found == "no signed period has a record with this receipt")
            let several = #expect(throws: CommandFailure.self) { try RootSigning(month.link).prove(beginning: "") }
            #expect(several?.found.hasPrefix("several receipts begin with") == true)
        }
    }

    /// Every single letter of what a proof says is bound by it.
    @Test func `a proof of which one byte differs does not hold`() async throws {
        try await ProvenMonth.with { month in
            let text = Array(try RootSigning(month.link).prove(receipt: month.receipts[3]).text.utf8)
            let whole = try LedgerProof(text: text)
            _ = try whole.check()
            var random = SplitMix64(seed: 7)
            for _ in 0..<400 {
                var changed = text
                let place = Int(random.next() % UInt64(text.count))
                changed[place] = changed[place] == 0x62 ? 0x63 : 0x62
                guard let proof = try? LedgerProof(text: changed), proof != whole else { continue }
                // What a key's text says of its age matters only where another key endorses it.
                if proof.keys != whole.keys, proof.keys[0].public == whole.keys[0].public { continue }
                #expect(throws: LedgerProof.Broken.self, "byte \(place)") { try proof.check() }
            }
        }
    }

    /// As the Python client refuses it.
    @Test(arguments: ["12.0", "1.2e1", "12E0"]) func `a height is a whole number as it is written`(height: String)
        throws
    {
        let text = try String(
            contentsOfFile: Checkout.root + "/clients/python/tests/proof.json", encoding: .utf8)
        let own = try LedgerProof(text: Array(text.utf8)).chain.height
        let place = try #require(text.firstRange(of: /"height" ?: ?\d+/))
        func with(_ number: String) -> [UInt8] {
            var changed = text
            changed.replaceSubrange(place, with: "\"height\":\(number)")
            return Array(changed.utf8)
        }
        _ = try LedgerProof(text: with("\(own)")).check()
        #expect(throws: LedgerProof.Broken.self) { try LedgerProof(text: with(height)) }
    }

    /// The file that the Python client's tests check as well.
    @Test func `the proof that the Python client checks holds here too`() throws {
        let text = Array(try Data(contentsOf: URL(filePath: Checkout.root + "/clients/python/tests/proof.json")))
        let proof = try LedgerProof(text: text)
        let first = try #require(proof.keys.last.flatMap { Base64.bytes($0.public) })

        #expect(proof.keys.count == 2)
        #expect(try proof.check(trusted: first).isTrusted == true)
    }

    @Test func `a statement's file is the one that was signed, or is said not to be`() async throws {
        try await ProvenMonth.with { month in
            var question = StatementExplanation.Question()
            question.contract = 1
            let explanation = try StatementExplanation(month.link, period: ProvenMonth.period, question)
            let receipts = Set(explanation.lines.map(\.statementReceipt))
            #expect(receipts.count == 1)
            let (proof, file) = (month.folder + "/proof.json", month.folder + "/C1.json")
            func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
            func prove(_ receipt: String) throws {
                try write(LedgerCommands.prove(receipt, delegation: nil, month.link), proof)
            }
            func failure() -> CommandFailure? {
                return #expect(throws: CommandFailure.self) {
                    try LedgerCommands.check(proof, key: nil, statement: file, asJSON: false)
                }
            }
            let statements = try PeriodStore(month.link, period: ProvenMonth.period).statements()
            try prove(#require(receipts.first))
            try write(statements[0].body, file)
            let lines = try LedgerCommands.check(proof, key: nil, statement: file, asJSON: false)
            #expect(lines.last == "\(file) is the statement that was signed, to the byte")
            for other in [statements[1].body, statements[0].body.replacing("\"fees\":\"3", with: "\"fees\":\"4")] {
                try write(other, file)
                let failure = failure()
                #expect(
                    failure?.exit == .findings
                        && failure?.found.contains("is not the statement that was signed") == true)
            }
            try prove(LedgerTree.hex(month.receipts[0]))
            #expect(failure()?.found == "the proof is not of a statement")
        }
    }

    @Test func `an unsigned month proves nothing yet, and an unknown receipt never`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let signing = RootSigning(month.link)
            let early = #expect(throws: CommandFailure.self) { try signing.prove(receipt: month.receipts[0]) }
            let unknown = #expect(throws: CommandFailure.self) {
                try signing.prove(receipt: [UInt8](repeating: 7, count: 32))
            }

            #expect(early?.found.contains("2024-03, whose root is not signed yet") == true)
            #expect(unknown?.found == "no signed period has a record with this receipt")
        }
    }

    @Test func `a key that cannot sign is found before anything is closed`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let signing = RootSigning(month.link)
            try signing.requireInUse(SigningKey(file: month.folder + "/first.key"))
            _ = try signing.makeKey(
                at: month.folder + "/second.key", former: month.folder + "/first.key", isLost: false)
            try signing.requireInUse(SigningKey(file: month.folder + "/second.key"))

            let failure = #expect(throws: CommandFailure.self) {
                try signing.requireInUse(SigningKey(file: month.folder + "/first.key"))
            }
            #expect(failure?.exit == .usage)
            #expect(failure?.found.hasSuffix("is not the one in use") == true)
            #expect(throws: CommandFailure.self) { try SigningKey(file: month.folder + "/none.key") }
        }
    }

    @Test func `signing again changes nothing`() async throws {
        try await ProvenMonth.with { month in
            let key = try SigningKey(file: month.folder + "/first.key")

            #expect(try RootSigning(month.link).sign(ProvenMonth.period, with: key) == month.root)
            #expect(throws: CommandFailure.self) {
                try RootSigning(month.link).sign(ProvenMonth.period.advanced(byMonths: 1), with: key)
            }
        }
    }

    @Test func `a later key leads back to the first by endorsements, and one without does not`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            let signing = RootSigning(month.link)
            let store = ProofStore(month.link)
            let first = try #require(try store.keys().first)
            #expect(throws: CommandFailure.self) {
                try signing.makeKey(at: month.folder + "/second.key", former: nil, isLost: false)
            }
            _ = try signing.makeKey(
                at: month.folder + "/second.key", former: month.folder + "/first.key", isLost: false)
            let refused = #expect(throws: CommandFailure.self) {
                try signing.sign(ProvenMonth.period, with: SigningKey(file: month.folder + "/first.key"))
            }
            try signing.sign(ProvenMonth.period, with: SigningKey(file: month.folder + "/second.key"))
            let proof = try signing.prove(receipt: month.receipts[0])

            #expect(refused?.found.hasSuffix("is not the one in use") == true)
            #expect(try proof.check(trusted: first.publicKey).isTrusted == true)
            #expect(try proof.check().key == store.keys()[1].id)
            _ = try signing.makeKey(at: month.folder + "/third.key", former: nil, isLost: true)
            #expect(try month.verify().findings == [])
            #expect(try month.verify().notes.contains { $0.hasSuffix("was lost, and has no endorsement") })
        }
    }

    /// The root is committed by then, and nodes chain the record of it.
    @Test func `a root is signed although its record cannot be chained at once`() async throws {
        try await ProvenMonth.with(signs: false) { month in
            try month.link.script(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF EXISTS (SELECT FROM period_root) THEN RAISE EXCEPTION 'no room'; END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON chain FOR EACH ROW EXECUTE FUNCTION refuse();
                """)
            let root = try RootSigning(month.link).sign(
                ProvenMonth.period, with: SigningKey(file: month.folder + "/first.key"))

            #expect(try ProofStore(month.link).root(of: ProvenMonth.period) == root)
            try month.link.script("DROP TRIGGER refuse ON chain")
            try Sequencer.run(month.link)
            #expect(try month.verify().findings == [])
        }
    }
}
