// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// docs/rules.md and the code say the same. Each check lists what is wrong as sentences that say how to mend it.
struct RuleCatalogueTests {
    private let page: RulePage

    init() throws { self.page = try RuleSources.page() }

    @Test func `the page lists every rule once and no other`() {
        let listed = page.rows.map(\.identifier)
        let twice = Dictionary(grouping: listed, by: \.self).filter { $0.value.count > 1 }.keys.sorted()

        #expect(page.brokenLines == [], "lines of docs/rules.md without four cells")
        #expect(twice == [], "listed more than once")
        #expect(RuleCatalogue.identifiers.subtracting(listed).sorted() == [], "missing")
        #expect(Set(listed).subtracting(RuleCatalogue.identifiers).sorted() == [], "no such rule")
    }

    @Test func `a rule stands in the table of its family`() {
        let misplaced = page.rows.filter { !$0.identifier.hasPrefix($0.family + "-") }

        #expect(misplaced.map(\.identifier) == [])
    }

    @Test func `every rule is told and has one of three statuses`() {
        let untold = page.rows.filter { $0.rule.isEmpty || $0.place.isEmpty }
        let unknown = page.rows.filter { !["implemented", "planned", "out"].contains($0.status) }

        #expect(untold.map(\.identifier) == [])
        #expect(unknown.map { "line \($0.line): \($0.identifier) is \($0.status)" } == [])
    }

    @Test func `a planned rule names the part that will bring it`() {
        let parts = ["policy language", "allocation", "protocol and engine", "month close", "simulator"]
        let planned = page.rows.filter { $0.status == "planned" }
        let vague = planned.filter { row in !parts.contains { row.place == $0 || row.place.hasPrefix($0 + ":") } }

        #expect(vague.map { "line \($0.line): \($0.identifier) opens with none of \(parts)" } == [])
    }

    @Test func `an implemented rule names places that cite it`() {
        let cited = RuleSources.coded.merging(RuleSources.testing) { here, _ in here }
        let implemented = page.rows.filter { $0.status == "implemented" }
        let placeless = implemented.filter(\.paths.isEmpty).map { "line \($0.line): \($0.identifier) names no path" }
        let empty = implemented.flatMap { row in
            row.paths.filter { !Self.cites(row.identifier, at: $0, cited) }.map {
                "line \(row.line): \($0) is not there or does not cite \(row.identifier)"
            }
        }

        #expect(placeless + empty == [])
    }

    @Test func `every ambiguity has its reading, its setting and tests that cite it`() throws {
        let text = try String(contentsOf: RuleSources.root.appending(path: "docs/readings.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| AMB-") }.map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
        #expect(rows.map { $0[1] } == (1...23).map { RuleCatalogue.identifier("AMB", $0) })
        let wrong = rows.flatMap { row -> [String] in
            guard row.count == 7, !row[2...4].contains("") else { return ["\(row[1]) has an empty cell, or no five"] }
            let tests = row[5].split(separator: "`").map(String.init).filter { $0.hasPrefix("Tests/") }
            let strangers = tests.filter { RuleSources.testing[$0]?.contains(row[1]) != true }
            return strangers.map { "\($0) is not there or does not cite \(row[1])" }
                + (tests.isEmpty ? ["\(row[1]): no test"] : [])
        }
        #expect(wrong == [])
    }

    @Test func `what code and policies cite is implemented`() {
        let status = Dictionary(page.rows.map { ($0.identifier, $0) }, uniquingKeysWith: { first, _ in first })
        let wrong = Self.places(RuleSources.acting).compactMap { identifier, places -> String? in
            guard let row = status[identifier] else { return "\(identifier) in \(places): no such rule" }
            guard row.status != "implemented" else { return nil }
            return "docs/rules.md:\(row.line): \(identifier) is \(row.status), but \(places) cites it: "
                + "make it implemented and name the place, or do not cite it"
        }

        #expect(wrong.sorted() == [])
    }

    @Test func `documents and tests cite only rules that exist`() {
        let cited = Self.places(RuleSources.speaking.merging(RuleSources.testing) { here, _ in here })
        let unknown = cited.filter { !RuleCatalogue.identifiers.contains($0.key) }

        #expect(unknown.map { "\($0.key) in \($0.value)" } == [])
    }

    @Test(
        arguments: [
            ("of SEG-04, and (PEN-02)", ["PEN-02", "SEG-04"]), ("FIN-09…11", ["FIN-09", "FIN-10", "FIN-11"]),
            ("PEN-09...22", ["PEN-09", "PEN-20", "PEN-21", "PEN-22"]), ("WP-01–WP-02", ["WP-01", "WP-02"]),
            ("AGY-07/08/ASG-10", ["AGY-07", "AGY-08", "ASG-10"]), ("GAP-unit-prices, GAP", ["GAP-unit-prices"]),
            ("a CAD-* rule, BAND-31, USEG-01, SOL-4x", []),
        ] as [(String, [String])])
    func `a citation is an ID, a range or a list`(text: String, identifiers: [String]) {
        #expect(RuleCitations(Array(text.utf8)).identifiers.sorted() == identifiers)
    }

    /// The names of gaps are docs/rules.md's own, so there it is enough that the place exists.
    private static func cites(_ identifier: String, at path: String, _ cited: [String: Set<String>]) -> Bool {
        let places = cited.filter { $0.key == path || $0.key.hasPrefix(path.hasSuffix("/") ? path : path + "/") }
        return identifier.hasPrefix("GAP-") ? !places.isEmpty : places.contains { $0.value.contains(identifier) }
    }

    private static func places(_ cited: [String: Set<String>]) -> [String: [String]] {
        var places: [String: [String]] = [:]
        for (path, identifiers) in cited {
            for identifier in identifiers { places[identifier, default: []].append(path) }
        }
        return places.mapValues { $0.sorted() }
    }
}
