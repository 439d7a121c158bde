// SPDX-License-Identifier: Apache-2.0

import Assignment
@testable import Simulation
import Testing

struct ProfileTests {
    private func fault(_ text: String) -> String? {
        do {
            _ = try ProfileFile(text: text, path: "p.yaml")
            return nil
        } catch {
            return error.found
        }
    }

    @Test func `the shipped profiles name every cheat and every kind of agency`() throws {
        let file = try ProfileFile(path: "profiles/agencies.yaml")
        let behaviours = try (3...14).map { file.behaviour(of: try #require(AgencyID(Int32($0))), seed: 7) }

        #expect(Set(behaviours.compactMap(\.cheat)) == Set(Cheat.allCases))
        #expect(behaviours[1].speedPercent == 45)
        #expect(behaviours[2].staffPercent == 40)
        #expect(behaviours[3].crashes == 3_500)
        let other = try #require(AgencyID(20))
        #expect(file.behaviour(of: other, seed: 7) == .drawn(seed: 7, agency: other))
    }

    @Test(
        arguments: [
            ("profiles:\n  a: {sped: 4}\n", "p.yaml:2: 'sped' is unknown in profile a; did you mean 'speed'?"),
            ("profiles:\n  a: {speed: 301}\n", "p.yaml:2: speed takes a whole number of percent, 0 to 300"),
            ("profiles:\n  a: {speed: -1}\n", "p.yaml:2: speed takes a whole number of percent, 0 to 300"),
            ("profiles:\n  a: {neglect: 101}\n", "p.yaml:2: neglect takes a whole number of percent, 0 to 100"),
            (
                "profiles: {a: {}}\nagencies:\n  ACE07: b\n",
                "p.yaml:3: the profile of ACE07 is 'b', and is one of a, drawn"
            ),
            ("profiles: {a: {}}\nagencies:\n  ACE7: a\n", "p.yaml:3: 'ACE7' is no agency; they are written as ACE07"),
            ("profiles: {a: {cheat: x}}\n", nil),
            ("agency: {}\n", "p.yaml:1: 'agency' is unknown in the file"),
            ("profiles: [a]\n", "p.yaml:1: profiles is no mapping"),
            ("profiles: {drawn: {}}\n", "p.yaml:1: a profile may not be called drawn"),
            ("", "p.yaml: the file is empty"),
        ] as [(String, String?)])
    func `a fault is told with its line`(text: String, found: String?) {
        let said = fault(text)

        if let found {
            #expect(said == found)
        } else {
            #expect(said?.hasPrefix("p.yaml:1: cheat is 'x', and is one of") == true)
        }
    }

    @Test(arguments: [("speed: 0", 0), ("speed: 300", 300), ("staff: 50", 50)])
    func `the bounds themselves are taken`(line: String, percent: Int) throws {
        let file = try ProfileFile(text: "profiles:\n  a: {\(line)}\nothers: a\n", path: "p.yaml")

        #expect(file.behaviour(of: try #require(AgencyID(3)), seed: 1).diligencePercent == percent)
    }

    @Test func `hours say when somebody is there, and who dates back works once in five days, at their end`() throws {
        let first = try #require(LocalDate(text: "2024-03-04")).daysSince1970
        // A whole week: its Sunday has no half day that anybody works in.
        let ticks = Tick.of(first...first + 6)
        func days(_ hours: Behaviour.Hours, _ cheat: Cheat? = nil, works: Bool) -> [String] {
            var behaviour = Behaviour()
            (behaviour.hours, behaviour.cheat) = (hours, cheat)
            return ticks.filter { works ? behaviour.worksAt($0) : behaviour.isOpen($0) }
                .map { "\($0.day) \($0.isFirstOfDay ? "am" : "pm")" }
        }
        #expect(days(.both, works: false).count == 12)
        #expect(
            days(.morning, works: false).count == 6 && days(.morning, works: false).allSatisfy { $0.hasSuffix("am") })
        #expect(
            days(.afternoon, works: true).count == 6 && days(.afternoon, works: true).allSatisfy { $0.hasSuffix("pm") })
        #expect(days(.both, .backDatedReports, works: false).count == 12)
        #expect(days(.both, .backDatedReports, works: true) == ["2024-03-08 pm"])
        // Who is there in the mornings alone reports then.
        #expect(days(.morning, .backDatedReports, works: true) == ["2024-03-08 am"])
    }

    @Test func `agencies that have no contract are refused`() throws {
        let file = try ProfileFile(text: "profiles: {a: {}}\nagencies: {ACE07: a}\n", path: "p.yaml")

        #expect(throws: SimulationFailure.self) { try file.require([], path: "contracts.csv") }
        #expect(throws: Never.self) { try file.require([try #require(AgencyID(7))], path: "contracts.csv") }
    }
}
