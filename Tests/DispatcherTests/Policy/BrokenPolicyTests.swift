// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Dispatcher
import FoundationEssentials
import TestSupport
import Testing

/// The folder of broken policies: each beside a file of what the checker must say of it, line by line.
struct BrokenPolicyTests {
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    static let folder = ShippedPolicy.tests + "/BrokenPolicies"

    static func text(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(folder)/\(name)"), encoding: .utf8)
    }

    @Test func `there are broken policies of every kind`() {
        #expect(Self.names.count > 50)
        for kind in ["shape-", "sense-", "warning-"] { #expect(Self.names.contains { $0.hasPrefix(kind) }) }
    }

    @Test(arguments: names) func `the checker says what is expected, and nothing else`(name: String) throws {
        let check = PolicyCheck(text: try Self.text("\(name).yaml"), file: "")
        let said = check.lines.compactMap { line in
            line.hasPrefix(": line") || line.hasPrefix(": the file") ? String(line.dropFirst(2)) : nil
        }

        #expect(said.joined(separator: "\n") + "\n" == (try Self.text("\(name).txt")))
        #expect(check.faults.isEmpty == name.hasPrefix("warning-"))
        #expect(check.warnings.isEmpty != name.hasPrefix("warning-"))
    }

    /// Bytes of another encoding, at the start, in a word and as the last one.
    @Test(
        arguments: [
            ([0xFF, 0x61], "line 1, column 1: found byte 0 (hexadecimal FF), which is not UTF-8"),
            (
                Array("policy: a\ntitle: ñ".utf8) + [0xE9, 0x61],
                "line 2, column 9: found byte 19 (hexadecimal E9), which is not UTF-8"
            ),
            (Array("policy: ".utf8) + [0xC3], "line 1, column 9: found byte 8 (hexadecimal C3), which is not UTF-8"),
            ([0xFF, 0xFE, 0x70, 0x00], "line 1, column 1: found UTF-16 text"),
        ] as [([UInt8], String)])
    func `a file that is not UTF-8 is a fault with its place, as any other`(bytes: [UInt8], words: String) throws {
        let check = PolicyCheck(bytes: bytes, file: "x")

        #expect(check.lines == ["x: \(words); expected UTF-8 text: save the file with that encoding", "faults: 1"])
    }

    @Test func `whether closed months were asked is told`() throws {
        var check = PolicyCheck(text: try ShippedPolicy.text("infonavit-2023"), file: "x")
        check.leaveClosed(because: "there is no database here")

        #expect(check.lines.suffix(2) == ["closed months: not asked: there is no database here", "no faults"])
    }

    /// docs/rules.md has the rules there are.
    @Test func `an origin is a rule of the catalogue, and every rule of it can be one`() throws {
        let page = try String(contentsOf: URL(filePath: Checkout.root + "/docs/rules.md"), encoding: .utf8)
        let listed = Set(
            page.split(separator: "\n").compactMap { line in
                line.hasPrefix("| ") ? line.dropFirst(2).split(separator: " ").first.map(String.init) : nil
            }.filter { $0.contains("-") && !$0.hasPrefix("GAP") && $0.first?.isUppercase == true })
        let taken = PolicyPack.families.flatMap { family in
            (0..<100).map { "\(family)-\($0 < 10 ? "0" : "")\($0)" }.filter(PolicyPack.isOrigin)
        }

        #expect(listed.count > 150)
        #expect(Set(taken).subtracting(listed).sorted() == [], "taken, and no rule")
        #expect(listed.subtracting(taken).sorted() == [], "a rule, and not taken")
    }

    @Test func `more exclusions than can be told apart are a fault of the check, not a surprise of the segmentation`()
        throws
    {
        let more = (1...246).map { number in
            "  - {reason: r\(number), title: {es: R, en: R}, origin: [ASG-10], when: {arrears: \(number)}}\n"
        }
        let text = try ShippedPolicy.text("infonavit-2023").replacing(
            "exclusions:\n", with: "exclusions:\n" + more.joined())
        let check = PolicyCheck(text: text, file: "x")

        #expect(check.faults.first?.found.hasPrefix("255 exclusions") == true)
    }

    /// A list as long as one may be, of conditions that overlap in all directions: what is shadowed among them is found.
    @Test func `two hundred and forty exclusions of every kind are compared with each other`() throws {
        let pesos = "000.00 pesos"
        let more = (1...240).map { number in
            let when =
                switch number % 4 {
                case 0: "{all: [arrears: \(number % 21), unpaid: {at_least: \(number % 9 + 1)}]}"
                case 1:
                    "{any: [municipality: {between: [\(number % 30 + 1)001, \(number % 30 + 1)090]}, days_late: \(number)]}"
                case 2: "{all: [{not: {signed: yes}}, balance: {between: [\(number)\(pesos), \(number + 5)\(pesos)]}]}"
                default:
                    "{all: [job_lost_on: {within: \(number) days before cut}, overdue: {above: \(number)\(pesos)}]}"
                }
            return "  - {reason: r\(number), title: {es: R, en: R}, origin: [ASG-10], when: \(when)}\n"
        }
        let text = try ShippedPolicy.text("infonavit-2023")
            .replacing("\ntactics:\n", with: "\n" + more.joined() + "tactics:\n")
        let check = PolicyCheck(text: text, file: "x")
        let shadowed = check.warnings.filter { $0.found.hasPrefix("it never gets an account") }.map(\.rule)

        #expect(check.faults.isEmpty)
        // Every 84 the first kind comes back to the same arrears: r88 asks for 8 unpaid ones or more, r4 before it for 5.
        #expect(shadowed.contains("exclusions.r88"))
        #expect(!shadowed.contains("exclusions.r84"))
        #expect(check.lines.contains { $0.hasPrefix("249 exclusions: lawsuit, ") && $0.hasSuffix(" and 229 more") })
    }

    @Test(arguments: PolicyProbe.names) func `a shipped policy has neither faults nor warnings`(name: String) throws {
        let check = PolicyCheck(text: try ShippedPolicy.text(name), file: "x")

        #expect(check.faults.isEmpty)
        #expect(check.warnings.map(\.description) == [])
    }
}

/// Parsing never traps, whatever the bytes.
struct PolicyFuzzTests {
    @Test func `what a fuzzer found is read without a trap`() throws {
        let folder = ShippedPolicy.tests + "/FuzzCorpus"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)

        #expect(names.count >= 7)
        for name in names {
            let data = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
            _ = PolicyCheck(text: String(decoding: data, as: UTF8.self), file: name)
        }
    }

    /// Damage by bytes, of small policies that are read quickly: thousands of cases.
    @Test(arguments: 0..<20 as Range<UInt64>) func `damaged policies are read without a trap`(seed: UInt64) throws {
        let texts = try BrokenPolicyTests.names.map { Array(try BrokenPolicyTests.text("\($0).yaml").utf8) }
        var random = SplitMix64(seed: seed)
        for _ in 0..<150 {
            var bytes = texts[Int(random.below(UInt64(texts.count)))]
            for _ in 0...random.below(5) { Self.damage(&bytes, &random) }
            _ = PolicyCheck(text: String(decoding: bytes, as: UTF8.self), file: "damaged")
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard !bytes.isEmpty else { return }
        let place = Int(random.below(UInt64(bytes.count)))
        let end = min(bytes.count, place + Int(random.below(60)))
        switch random.below(5) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: Int(random.below(UInt64(bytes.count))))
        case 3: bytes.removeSubrange(place...)
        default: bytes.insert(Array("{}[]:-&*!|>%@\n 9".utf8)[Int(random.below(16))], at: place)
        }
    }
}
